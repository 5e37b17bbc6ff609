import LinuxIO
import NVMeSpec

/// A submission queue as the host sees it (NVMe base 2.0, 3.3.1). One thread at a time.
@safe public struct HostSubmissionQueue: ~Copyable, @unchecked Sendable {
  /// Queue identifier.
  public let identifier: UInt16
  /// Entries, 2 to 65,536.
  public let size: Int
  /// The memory of the entries.
  public let memory: HostBuffer
  /// The tail doorbell.
  public let doorbell: HostDoorbell
  @usableFromInline let base: UnsafeMutableRawPointer
  /// The next entry to write.
  @inlinable public var tail: Int { nextTail }
  @usableFromInline var nextTail = 0
  /// The first entry that the controller may not have fetched, as of the last completion (SQHD).
  @inlinable public var head: Int { knownHead }
  @usableFromInline var knownHead = 0
  @usableFromInline var rungTail = 0
  @usableFromInline var identifiers: CommandIdentifiers

  /// A queue that begins empty.
  ///
  /// - Parameter commands: the most commands in flight, 1 to 65,536; more than `size` - 1 are of use where the controller
  ///   fetches commands before it completes those before them.
  init(identifier: UInt16, size: Int, memory: HostBuffer, doorbell: HostDoorbell, commands: Int) {
    precondition(size >= 2 && memory.count >= size * SubmissionQueueEntry.byteCount)
    self.identifier = identifier
    self.size = size
    self.memory = memory
    self.doorbell = doorbell
    unsafe base = memory.base
    identifiers = CommandIdentifiers(count: min(max(commands, 1), 1 << 16))
  }

  /// Whether no entry can be written without overtaking the controller.
  @inlinable public var isFull: Bool { (nextTail &+ 1 == size ? 0 : nextTail &+ 1) == knownHead }

  /// Commands submitted by `submit` whose completion has not been seen.
  @inlinable public var inFlight: Int { identifiers.inUseCount }

  /// Writes a command with a free command identifier. The controller learns of it by `ring()`.
  ///
  /// - Returns: the identifier; nil where none is free or the queue is full.
  @inlinable @inline(__always)
  public mutating func submit(_ entry: SubmissionQueueEntry) -> UInt16? {
    guard let identifier = reserve() else { return nil }
    var entry = entry
    entry.commandIdentifier = identifier
    write(entry)
    return identifier
  }

  /// Takes a free command identifier for an entry that is written next: for a host that has one prepared for each.
  ///
  /// - Returns: the one that came free last; nil where none is free or the queue is full.
  @inlinable @inline(__always)
  public mutating func reserve() -> UInt16? {
    guard !isFull else { return nil }
    return identifiers.take()
  }

  /// Writes an entry as it is, whatever its command identifier and however full the queue.
  @inlinable @inline(__always)
  public mutating func write(_ entry: SubmissionQueueEntry) {
    unsafe (base + nextTail &* SubmissionQueueEntry.byteCount).storeBytes(of: entry, as: SubmissionQueueEntry.self)
    nextTail = nextTail &+ 1 == size ? 0 : nextTail &+ 1
  }

  /// Goes on at another entry, as a host that has lost count; entries written before stay as they are.
  public mutating func move(toTail tail: Int) {
    precondition(tail >= 0 && tail < size)
    nextTail = tail
  }

  /// Writes the tail doorbell, once for all commands since the last call.
  @inlinable @inline(__always)
  public mutating func ring() {
    guard rungTail != nextTail else { return }
    rungTail = nextTail
    doorbell.ring(UInt32(truncatingIfNeeded: nextTail))
  }

  /// Notes a completion: what it says of the head, and that its command identifier is free again.
  ///
  /// - Returns: false where it says what cannot be.
  @inlinable @inline(__always)
  mutating func complete(_ entry: CompletionQueueEntry) -> Bool {
    guard Int(entry.sqHead) < size, identifiers.give(back: entry.commandIdentifier) else { return false }
    knownHead = Int(entry.sqHead)
    return true
  }
}
