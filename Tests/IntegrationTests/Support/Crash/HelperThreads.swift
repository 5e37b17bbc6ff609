import LinuxIO
import Synchronization

/// Threads that do what others ask of them, who wait: they have the descriptors of this process, and those others, which
/// serve a `FUSEFile`, have not.
final class HelperThreads: Sendable {
  private final class Shared: Sendable {
    let jobs = Mutex<[@Sendable () -> Void]>([])
    let wanted = TimedSemaphore()
    let isOver = Atomic(false)
  }

  private let shared = Shared()
  private let threads: [Thread]

  init(count: Int) throws {
    let shared = shared
    threads = try (0..<count).map { _ in
      try Thread(name: "helper") {
        while !shared.isOver.load(ordering: .acquiring) {
          guard shared.wanted.wait(until: deadline()) else { continue }
          let job = shared.jobs.withLock { $0.isEmpty ? nil : $0.removeFirst() }
          job?()
        }
      }
    }
  }

  /// Nobody may be waiting.
  deinit {
    shared.isOver.store(true, ordering: .releasing)
    for _ in threads { shared.wanted.signal() }
    for thread in threads { thread.join() }
  }

  /// What a body gives that one of them runs.
  func run<Result: Sendable>(_ body: @escaping @Sendable () -> Result) -> Result {
    let box = Box<Result>()
    shared.jobs.withLock { jobs in
      jobs.append {
        let value = body()
        box.result.withLock { $0 = value }
        box.ended.signal()
      }
    }
    shared.wanted.signal()
    while true {
      _ = box.ended.wait(until: deadline())
      if let value = box.result.withLock({ $0 }) { return value }
    }
  }

  private final class Box<Result: Sendable>: Sendable {
    let result = Mutex<Result?>(nil)
    let ended = TimedSemaphore()
  }
}
