import LinuxIO
import Storage

@testable import Storage

/// Holds up the blocking work of an image (Write Zeroes, deallocation, syncs of a shutdown) until the test lets it
/// pass: commands that are in flight for as long as a test likes.
final class Gate: Sendable {
  /// A call that has arrived.
  enum Call: Equatable, Sendable {
    case allocate(offset: UInt64, count: UInt64)
    case dataSync
  }

  private struct State {
    var isOpen = false
    var calls: [Call] = []
    var finished = 0
    var failure: Errno?
  }

  private let state = Locked(State())
  private let permits = Storage.Semaphore()
  /// Signalled when a call arrives, and when one is done.
  let arrival: EventFD

  init() throws(Errno) { arrival = try EventFD() }

  /// What has arrived, in order.
  ///
  /// Made anew, under the lock: ThreadSanitizer does not see the counts of references, by which a thread that appends
  /// knows that nobody reads the array any more.
  var calls: [Call] { state.withLock { $0.calls.map { $0 } } }

  /// How many calls have passed and done what they should.
  var finished: Int { state.withLock { $0.finished } }

  /// Has every sync that has passed fail.
  func failSyncs(_ error: Errno) { state.withLock { $0.failure = error } }

  /// Lets one call pass.
  func admitOne() { permits.signal() }

  /// Lets pass what waits and whatever comes.
  func open() {
    state.withLock { $0.isOpen = true }
    // More than there are workers.
    for _ in 0..<16 { permits.signal() }
  }

  private func pass(_ call: Call) {
    let isOpen = state.withLock { state in
      state.calls.append(call)
      return state.isOpen
    }
    arrival.signal()
    if !isOpen { permits.wait() }
  }

  private func note() {
    state.withLock { $0.finished += 1 }
    arrival.signal()
  }

  /// The system calls of an image that go through the gate, and then do what they should.
  var systemCalls: StorageCalls {
    StorageCalls(
      allocate: { fd, mode, offset, count in
        self.pass(.allocate(offset: offset, count: count))
        defer { self.note() }
        return StorageCalls.system.allocate(fd, mode, offset, count)
      },
      discard: StorageCalls.system.discard,
      dataSync: { fd in
        self.pass(.dataSync)
        defer { self.note() }
        return self.state.withLock { $0.failure } ?? StorageCalls.system.dataSync(fd)
      })
  }
}
