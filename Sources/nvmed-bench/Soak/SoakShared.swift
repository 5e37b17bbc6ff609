import LinuxIO
import NVMeHost
import Synchronization

/// Whether the namespace of a controller that comes and goes is there, as its operator sees it. Any thread.
final class SoakPresence: Sendable {
  /// The namespace that comes and goes.
  static let nsid: UInt32 = 2
  private let count = Atomic<Int>(0)

  /// Changes whenever the namespace begins to go and when it is there again: odd in between. Of other namespaces always 0.
  func epoch(_ nsid: UInt32) -> Int { nsid == SoakPresence.nsid ? count.load(ordering: .sequentiallyConsistent) : 0 }

  /// The namespace is about to go.
  func goes() { count.add(1, ordering: .sequentiallyConsistent) }

  /// It is there again.
  func comes() { count.add(1, ordering: .sequentiallyConsistent) }
}

/// What a guest's thread and the main thread have in common in one spell.
final class SoakSpell: Sendable {
  private let stopped = Atomic<Bool>(false)
  let counts = Locked(SoakCounts())
  let result = Locked<Result<StormBox<SoakGuest>, any Error>?>(nil)

  /// Whether the guest is to read all of its blocks, and to go.
  var stops: Bool { stopped.load(ordering: .relaxed) }

  func stop() { stopped.store(true, ordering: .relaxed) }

  /// The first thing that was not right.
  var failure: (any Error)? {
    result.withLock { result in
      if case .failure(let error) = result { return error }
      return nil
    }
  }
}
