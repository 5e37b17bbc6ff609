import Glibc
import Synchronization
import Testing

@testable import LinuxIO

@Suite struct ThreadTests {
  /// A file of `/proc` as text.
  private static func text(_ path: String) -> String {
    guard let file = fopen(path, "re") else { return "" }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 8192)
    let count = fread(&bytes, 1, bytes.count, file)
    return String(decoding: bytes.prefix(count), as: UTF8.self)
  }

  /// A line of the calling thread's status.
  private static func status(_ key: String) -> String {
    let line = text("/proc/thread-self/status").split(separator: "\n").first { $0.hasPrefix(key + ":") }
    return line.map { String($0.dropFirst(key.count + 1).drop { $0 == "\t" || $0 == " " }) } ?? ""
  }

  /// Runs `body` on a thread and gives back what it gave.
  private func onThread<Value: Sendable>(
    _ name: String, cpus: [Int32] = [], _ body: @escaping @Sendable () -> Value
  ) throws -> Value? {
    let result = Result<Value>()
    let thread = try Thread(name: name, cpus: cpus) {
      let value = body()
      result.value.withLock { $0 = value }
    }
    thread.join()
    return result.value.withLock { $0 }
  }

  private final class Result<Value: Sendable>: Sendable {
    let value = Locked<Value?>(nil)
  }

  @Test(arguments: [
    ("short", "short"), ("exactly-15-char", "exactly-15-char"), ("nvmed-much-too-long", "nvmed-much-too-"),
  ])
  func hasItsNameAsFarAsTheKernelKeepsIt(name: String, kept: String) throws {
    let shown = try onThread(name) { Self.text("/proc/thread-self/comm") }
    #expect(shown == kept + "\n")
  }

  @Test func runsOnTheCPUsItWasGiven() throws {
    // The first CPU that this process may use.
    let allowed = Self.status("Cpus_allowed_list")
    let first = try #require(Int32(allowed.prefix { $0.isNumber }))
    #expect(try onThread("bound", cpus: [first]) { Self.status("Cpus_allowed_list") } == "\(first)")
    #expect(try onThread("free") { Self.status("Cpus_allowed_list") } == allowed)
  }

  @Test func cpusThatDoNotExistDoNotStopIt() throws {
    let allowed = Self.status("Cpus_allowed_list")
    #expect(try onThread("nowhere", cpus: [-1, Int32.max]) { Self.status("Cpus_allowed_list") } == allowed)
  }

  @Test func leavesSignalsToTheProcessButThoseOfFaults() throws {
    let blocked = try onThread("signals") { () -> [Int32] in
      var mask = sigset_t()
      pthread_sigmask(SIG_BLOCK, nil, &mask)
      return (1..<32).filter { sigismember(&mask, $0) == 1 }
    }
    let never = [SIGKILL, SIGSTOP, SIGBUS, SIGSEGV, SIGFPE, SIGILL, SIGABRT, SIGTRAP]
    #expect(blocked == (1..<32).filter { !never.contains($0) })
  }

  @Test func joinWaitsForTheEndAndNothingIsKept() throws {
    final class Held: Sendable {}
    weak var kept: Held?
    let gate = try EventFD()
    let number = gate.rawValue
    let ended = Atomic<Bool>(false)
    try withExtendedLifetime(gate) {
      let thread: Thread
      do {
        let held = Held()
        kept = held
        thread = try withUnsafePointer(to: ended) { pointer in
          nonisolated(unsafe) let ended = pointer
          return try Thread(name: "waits") {
            var entry = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
            withExtendedLifetime(held) { _ = poll(&entry, 1, 60_000) }
            ended.pointee.store(true, ordering: .releasing)
          }
        }
      }
      #expect(kept != nil, "the thread holds what its body captured")
      EventFD.signal(rawValue: number)
      thread.join()
    }
    #expect(ended.load(ordering: .acquiring) == true)
    #expect(kept == nil)
  }
}
