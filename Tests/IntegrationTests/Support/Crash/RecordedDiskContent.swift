import Glibc
import LinuxIO
import NVMeHost
import Synchronization

/// The bytes of a `RecordedDisk`, and the order of the requests for them.
///
/// One thread serves it. A sync takes no time, and so none is under way when another request comes.
final class RecordedDiskContent: FUSEFileContent, FUSEFileHook {
  /// Which reads and writes are not answered at once.
  enum Holding {
    case none, some, all
  }

  /// How many are held at a time, at most, where some are.
  static let maximumHeld = 8

  private struct State {
    var events: [RecordedDisk.Event] = []
    /// Of each write that is not answered yet, its event.
    var arrivals: [UInt64: Int] = [:]
    var failingSync: Errno?
    var holding = Holding.none
    /// How many requests are still to come before it is answered.
    var held: [(identifier: UInt64, left: Int)] = []
    var released: [FUSEFileRelease] = []
    var random = XorShift(seed: 1)
  }

  let byteCount: Int
  private let mayHold: Bool
  private let bytes: MemoryMapping
  private let state = Mutex(State())
  private let count = Atomic(0)
  /// Signalled for each request that is held.
  private let held = TimedSemaphore()

  init(byteCount: Int, mayHold: Bool) throws(Errno) {
    self.byteCount = byteCount
    self.mayHold = mayHold
    bytes = try MemoryMapping(anonymous: byteCount)
  }

  var position: Int { count.load(ordering: .acquiring) }

  var events: [RecordedDisk.Event] { state.withLock { $0.events } }

  func failSyncs(_ error: Errno) { state.withLock { $0.failingSync = error } }

  func hold(_ holding: Holding) {
    guard mayHold else { return }
    state.withLock { state in
      state.holding = holding
      guard holding == .none else { return }
      state.held.shuffle(using: &state.random)
      state.released += state.held.map { FUSEFileRelease(identifier: $0.identifier) }
      state.held = []
    }
  }

  func awaitHeld(_ count: Int) throws {
    let deadline = deadline()
    while state.withLock({ $0.held.count }) < count {
      guard held.wait(until: deadline) else { throw TestFailure("\(count) requests should be held") }
    }
  }

  private func note(_ event: RecordedDisk.Event, _ state: inout State) {
    state.events.append(event)
    count.store(state.events.count, ordering: .releasing)
  }

  // MARK: FUSEFileHook

  func arrived(_ request: FUSEFileRequest) -> FUSEFileRequest.Effect {
    let isHeld = state.withLock { state in
      switch request.operation {
      case .write:
        state.arrivals[request.identifier] = state.events.count
        let bytes = Array(request.data)
        note(.write(offset: request.range.lowerBound, bytes: bytes, isForced: request.isForced), &state)
      case .allocate:
        state.arrivals[request.identifier] = state.events.count
        note(.clear(request.range.clamped(to: 0..<byteCount)), &state)
      case .read, .sync: break
      }
      return hold(request, &state)
    }
    if isHeld { held.signal() }
    return isHeld ? .hold : .perform
  }

  private func hold(_ request: FUSEFileRequest, _ state: inout State) -> Bool {
    if state.holding == .some {
      for index in state.held.indices { state.held[index].left -= 1 }
      state.released += state.held.filter { $0.left == 0 }.map { FUSEFileRelease(identifier: $0.identifier) }
      state.held.removeAll { $0.left == 0 }
    }
    // (While the kernel waits for a sync or a hole it lets nobody write.)
    guard request.operation == .read || request.operation == .write else { return false }
    switch state.holding {
    case .none: return false
    case .all: break
    case .some:
      guard state.held.count < Self.maximumHeld, state.random.next() % 3 == 0 else { return false }
    }
    state.held.append((request.identifier, Int(state.random.next() % 24) + 1))
    return true
  }

  func takeReleased() -> [FUSEFileRelease] {
    state.withLock { state in
      defer { state.released = [] }
      return state.released
    }
  }

  func answers(_ request: FUSEFileRequest) {
    state.withLock { state in
      if request.operation == .sync {
        note(.sync, &state)
      } else if let arrival = state.arrivals.removeValue(forKey: request.identifier) {
        note(.answer(arrival), &state)
      }
    }
  }

  // MARK: FUSEFileContent

  func read(_ range: Range<Int>) -> [UInt8] {
    state.withLock { _ in [UInt8](UnsafeRawBufferPointer(start: bytes.base + range.lowerBound, count: range.count)) }
  }

  func write(_ data: ArraySlice<UInt8>, at offset: Int, isForced: Bool) throws(Errno) {
    guard offset + data.count <= byteCount else { throw Errno(rawValue: ENOSPC) }
    state.withLock { _ in
      data.withUnsafeBytes { if let base = $0.baseAddress { memcpy(bytes.base + offset, base, $0.count) } }
    }
  }

  func sync() throws(Errno) {
    if let error = state.withLock({ $0.failingSync }) { throw error }
  }

  func clear(_ range: Range<Int>, deallocates: Bool) {
    state.withLock { _ in _ = memset(bytes.base + range.lowerBound, 0, range.count) }
  }
}
