import LinuxIO
import NVMeSpec
import Synchronization

/// A completion queue as the host sees it (NVMe base 2.0, 3.3.1). One thread at a time.
@safe public struct HostCompletionQueue: ~Copyable, @unchecked Sendable {
  /// Queue identifier.
  public let identifier: UInt16
  /// Entries, 2 to 65,536.
  public let size: Int
  /// The memory of the entries.
  public let memory: HostBuffer
  /// The head doorbell.
  public let doorbell: HostDoorbell
  @usableFromInline let base: UnsafeMutableRawPointer
  /// The next entry to look at.
  @inlinable public var head: Int { nextHead }
  @usableFromInline var nextHead = 0
  @usableFromInline var rungHead = 0
  /// The phase tag that a new entry has, in the lowest bit.
  @usableFromInline var expectedPhase: UInt64 = 1
  /// How its interrupt is awaited; nil: there is none.
  private var waiter: InterruptWaiter?

  /// A queue that begins empty; its memory is zeros.
  init(
    identifier: UInt16, size: Int, memory: HostBuffer, doorbell: HostDoorbell, waiter: consuming InterruptWaiter?
  ) {
    precondition(size >= 2 && memory.count >= size * CompletionQueueEntry.byteCount)
    self.identifier = identifier
    self.size = size
    self.memory = memory
    self.doorbell = doorbell
    unsafe base = memory.base
    self.waiter = waiter
  }

  /// The phase tag that a new entry has.
  public var phaseTag: Bool { expectedPhase == 1 }

  /// Goes on at another entry, or with another phase tag, as a host that has lost count.
  public mutating func move(toHead head: Int, phaseTag: Bool) {
    precondition(head >= 0 && head < size)
    nextHead = head
    expectedPhase = phaseTag ? 1 : 0
  }

  @inlinable @inline(__always)
  func loadPhaseWord() -> UInt64 {
    // The half with the phase tag is written last and read first.
    let address = unsafe base + (nextHead &* CompletionQueueEntry.byteCount &+ 8)
    return unsafe address.assumingMemoryBound(to: Atomic<UInt64>.self).pointee.load(ordering: .acquiring)
  }

  /// Whether the next entry has been posted.
  @inlinable @inline(__always)
  public var hasEntry: Bool { loadPhaseWord() &>> 48 & 1 == expectedPhase }

  /// Takes the next entry, if it has been posted. The controller may use it again only after `ring()`.
  @inlinable @inline(__always)
  public mutating func next() -> CompletionQueueEntry? {
    let word1 = loadPhaseWord()
    guard word1 &>> 48 & 1 == expectedPhase else { return nil }
    let word0 = unsafe (base + nextHead &* CompletionQueueEntry.byteCount).load(as: UInt64.self)
    nextHead &+= 1
    if nextHead == size {
      nextHead = 0
      expectedPhase ^= 1
    }
    return CompletionQueueEntry(word0, word1)
  }

  /// Writes the head doorbell, once for all entries since the last call.
  @inlinable @inline(__always)
  public mutating func ring() {
    guard rungHead != nextHead else { return }
    rungHead = nextHead
    doorbell.ring(UInt32(truncatingIfNeeded: nextHead))
  }

  /// Waits for an interrupt that came since the last call, at most `milliseconds`. Without interrupts it only lets
  /// another thread run.
  public mutating func waitForInterrupt(milliseconds: Int32) {
    guard waiter?.wait(milliseconds: milliseconds) == nil else { return }
    yieldProcessor()
  }

  /// Whether it has an interrupt.
  public var interrupts: Bool { waiter != nil }

  /// Waits until the next entry has been posted: by interrupt where it has one, else by looking.
  ///
  /// - Parameter deadline: of `Clock.monotonic`.
  /// - Throws: `timedOut`; `interruptMissing` where the entry came without its interrupt.
  public mutating func waitForEntry(until deadline: UInt64) throws(HostError) {
    while !hasEntry {
      let now = Clock.monotonic
      if now >= deadline { throw .timedOut("a completion on queue \(identifier)") }
      let milliseconds = min((deadline - now) / 1_000_000 + 1, UInt64(Int32.max))
      waitForInterrupt(milliseconds: Int32(truncatingIfNeeded: milliseconds))
      if interrupts, Clock.monotonic >= deadline, hasEntry { throw .interruptMissing(queue: identifier) }
    }
  }
}
