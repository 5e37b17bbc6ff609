import Glibc
import LinuxIO
import Synchronization

/// A disk with a volatile cache that notes in which order it was asked for what, so that its power can be cut at any
/// point of that order afterwards.
final class RecordedDisk: FUSEFileContent {
  /// What it was asked for, and did.
  enum Event: Sendable {
    /// Durable at once where `isForced`; else with the next sync.
    case write(offset: Int, bytes: [UInt8], isForced: Bool)
    /// Zeros: durable with the next sync.
    case clear(Range<Int>)
    /// All before it is durable.
    case sync
  }

  private struct State {
    var events: [Event] = []
    var failingSync: Errno?
  }

  let byteCount: Int
  private let bytes: MemoryMapping
  private let state = Mutex(State())
  private let count = Atomic(0)

  /// A disk of zeros.
  init(byteCount: Int) throws(Errno) {
    self.byteCount = byteCount
    bytes = try MemoryMapping(anonymous: byteCount)
  }

  /// How many events there are: what was acknowledged before this was asked is due to these.
  var position: Int { count.load(ordering: .acquiring) }

  /// The events so far.
  var events: [Event] { state.withLock { $0.events } }

  /// From now on no sync succeeds, and none makes anything durable.
  func failSyncs(_ error: Errno) { state.withLock { $0.failingSync = error } }

  func read(_ range: Range<Int>) -> [UInt8] {
    state.withLock { _ in [UInt8](UnsafeRawBufferPointer(start: bytes.base + range.lowerBound, count: range.count)) }
  }

  func write(_ data: ArraySlice<UInt8>, at offset: Int, isForced: Bool) {
    note(.write(offset: offset, bytes: Array(data), isForced: isForced))
  }

  func sync() throws(Errno) {
    let error = state.withLock { $0.failingSync }
    if let error { throw error }
    note(.sync)
  }

  func clear(_ range: Range<Int>, deallocates: Bool) { note(.clear(range)) }

  private func note(_ event: Event) {
    state.withLock { state in
      event.apply(to: bytes.base)
      state.events.append(event)
      count.store(state.events.count, ordering: .releasing)
    }
  }
}

extension RecordedDisk.Event {
  /// Does it to a disk in memory.
  func apply(to disk: UnsafeMutableRawPointer) {
    switch self {
    case .write(let offset, let bytes, _): memcpy(disk + offset, bytes, bytes.count)
    case .clear(let range): memset(disk + range.lowerBound, 0, range.count)
    case .sync: break
    }
  }
}
