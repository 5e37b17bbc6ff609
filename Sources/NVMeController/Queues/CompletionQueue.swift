import CLinux
import Doorbells
import GuestMemory
import LinuxIO
import NVMeSpec
import Synchronization

/// A completion queue: NVMe base specification 2.0, section 3.3.1.2. Its thread alone touches it.
///
/// An entry is reserved for a command before it is fetched, so that posting never waits.
struct CompletionQueue: ~Copyable {
  /// Queue identifier.
  let identifier: UInt16
  /// Entries, 2 to 65,536; 0 where there is no queue.
  let size: Int
  /// Interrupt vector, or nil where interrupts are disabled (IEN 0).
  let interruptVector: Int?
  /// Its place in a set of queues: bit n for identifier n + 1.
  let signalBit: UInt64
  /// The next entry to write.
  private(set) var tail = 0
  /// The first entry that the host has not consumed, as of the last look at the doorbell.
  private(set) var head = 0
  /// The phase tag of the next entry.
  private(set) var phaseTag = true
  /// Entries that are neither reserved for a command in flight nor waiting for the host, as of the last look at the
  /// doorbell; of all, one always stays empty.
  private var free = 0
  /// Whether entries were announced with `postNews` since `takeNews` was asked last.
  private var hasNews = false
  /// The tail as of the last `takeBatch`.
  private var batchStart = 0
  /// Where the head is read; nil while it lies in memory that is not mapped.
  private var doorbell: QueueDoorbell?
  /// Where it lies in guest memory, if it does (Doorbell Buffer Config).
  private var shadow: ShadowDoorbell?
  var memory: QueueMemory

  /// No queue.
  init() {
    identifier = 0
    size = 0
    interruptVector = nil
    signalBit = 0
    doorbell = nil
    memory = QueueMemory()
  }

  /// A queue that begins empty.
  init(_ description: CompletionQueueDescription) {
    identifier = description.identifier
    size = description.size
    free = description.size &- 1
    interruptVector = description.interruptVector.map(Int.init)
    signalBit = identifier > 0 ? 1 << UInt64(identifier - 1) : 0
    doorbell = description.doorbell
    memory = QueueMemory(
      iova: description.iova, entries: description.size, entrySize: MemoryLayout<CompletionQueueEntry>.size,
      access: .write)
  }

  /// Whether there is a queue.
  var isLive: Bool { size > 0 }

  /// Entries written and not yet consumed, as of the last look.
  @inline(__always)
  private var used: Int { tail >= head ? tail &- head : tail &+ size &- head }

  /// Whether the host has consumed all entries, as of a fresh look at the doorbell.
  mutating func isConsumed() -> Bool {
    _ = look()
    return head == tail
  }

  /// Reads the head from a shadow doorbell buffer from now on; nil while its pages are not mapped.
  ///
  /// - Parameter isRunning: whether the host may have rung before, so that the buffer takes over the head.
  mutating func useShadow(_ shadow: ShadowDoorbell?, isRunning: Bool) {
    if isRunning {
      _ = look()
      shadow?.begin(at: head)
    }
    self.shadow = shadow
    doorbell = shadow?.value
  }

  /// Reads the head doorbell; gives back a value that it cannot have: beyond the queue, or past the tail.
  mutating func look() -> UInt32? {
    guard let value = doorbell?.load() else { return nil }
    let new = Int(value)
    guard new < size else { return value }
    let consumed = new >= head ? new - head : new + size - head
    guard consumed <= used else { return value }
    head = new
    free &+= consumed
    return nil
  }

  /// What became of a reservation, and whether the head doorbell has a value that it cannot have.
  enum Reservation {
    case reserved
    case reservedSeeingInvalid
    case full
    case fullSeeingInvalid

    /// Whether an entry is reserved.
    var isReserved: Bool { self == .reserved || self == .reservedSeeingInvalid }
    /// Whether the doorbell has such a value.
    var sawInvalid: Bool { self == .reservedSeeingInvalid || self == .fullSeeingInvalid }
  }

  /// Reserves an entry; the head doorbell is read only where the queue looks full.
  @inline(__always)
  mutating func reserve() -> Reservation {
    guard free > 0 else { return findRoom() }
    free &-= 1
    return .reserved
  }

  @inline(never)
  private mutating func findRoom() -> Reservation {
    var isInvalid = look() != nil
    if free <= 0, let shadow {
      // The host is to announce the next entry that it consumes; one that it has consumed by now, it does not.
      shadow.ask(after: head)
      isInvalid = look() != nil
    }
    guard free > 0 else { return isInvalid ? .fullSeeingInvalid : .full }
    free &-= 1
    return isInvalid ? .reservedSeeingInvalid : .reserved
  }

  /// Gives a reserved entry back unused.
  @inline(__always)
  mutating func cancelReservation() { free &+= 1 }

  /// Whether entries were posted with `postNews` since the last call: the host is to be interrupted once for all.
  @inline(__always)
  mutating func takeNews() -> Bool {
    let news = hasNews
    hasNews = false
    return news
  }

  /// How many entries were posted since the last call.
  mutating func takeBatch() -> Int {
    defer { batchStart = tail }
    return tail >= batchStart ? tail &- batchStart : tail &+ size &- batchStart
  }

  /// Writes a completion into a reserved entry; false where the queue's memory is not mapped.
  ///
  /// The half that holds the phase tag is stored last, with release order.
  @inline(__always)
  mutating func post(
    _ status: Status, dw0: UInt32, dw1: UInt32 = 0, sqHead: Int, sqIdentifier: UInt16, command: UInt16
  ) -> Bool {
    guard let address = unsafe memory.address(tail &* MemoryLayout<CompletionQueueEntry>.size) else { return false }
    let word =
      UInt64(UInt16(truncatingIfNeeded: sqHead)) | UInt64(sqIdentifier) << 16 | UInt64(command) << 32
      | UInt64(status.rawValue << 1 | (phaseTag ? 1 : 0)) << 48
    // Atomic both: a guest may have laid another thread's queue over this one.
    let words = unsafe address.assumingMemoryBound(to: Atomic<UInt64>.self)
    unsafe words[0].store(UInt64(dw0) | UInt64(dw1) << 32, ordering: .relaxed)
    unsafe words[1].store(word, ordering: .releasing)
    clinux_trace_command_complete(word)
    tail &+= 1
    if tail == size {
      tail = 0
      phaseTag.toggle()
    }
    return true
  }

  /// Posts a completion, and remembers that the host is to be interrupted: for who does not keep account of it.
  mutating func postNews(_ status: Status, dw0: UInt32, sqHead: Int, sqIdentifier: UInt16, command: UInt16) {
    if post(status, dw0: dw0, sqHead: sqHead, sqIdentifier: sqIdentifier, command: command) { hasNews = true }
  }
}
