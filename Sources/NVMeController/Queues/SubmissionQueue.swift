import Doorbells
import GuestMemory
import NVMeSpec

/// A submission queue: NVMe base specification 2.0, section 3.3.1. Its thread alone touches it.
struct SubmissionQueue: ~Copyable {
  /// Queue identifier.
  let identifier: UInt16
  /// The completion queue that its commands complete on.
  let completionQueue: Int
  /// Entries, 2 to 65,536; 0 where there is no queue.
  let size: Int
  /// The next entry to fetch.
  private(set) var head = 0
  /// The end of what the host has submitted, checked.
  private(set) var tail = 0
  /// Commands fetched and not completed.
  var inFlight = 0
  /// The acknowledgement that its deletion waits for; no command is fetched any more.
  var deletion: UInt64?
  /// A command to abort instead of executing it, by an Abort command that found it not yet fetched.
  var abortedCommand: UInt16?
  /// Where the tail is read; nil while it lies in memory that is not mapped.
  private var doorbell: QueueDoorbell?
  /// Where it lies in guest memory, if it does (Doorbell Buffer Config).
  private var shadow: ShadowDoorbell?
  /// The tail after which the host was asked to write the register.
  private var askedTail: Int?
  private var lastInvalidTail: UInt32?
  var memory: QueueMemory

  /// No queue.
  init() {
    identifier = 0
    completionQueue = 0
    size = 0
    doorbell = nil
    memory = QueueMemory()
  }

  /// A queue that begins empty.
  init(_ description: SubmissionQueueDescription) {
    identifier = description.identifier
    completionQueue = Int(description.completionQueue)
    size = description.size
    doorbell = description.doorbell
    memory = QueueMemory(
      iova: description.iova, entries: description.size, entrySize: MemoryLayout<SubmissionQueueEntry>.size,
      access: .read)
  }

  /// Whether there is a queue.
  var isLive: Bool { size > 0 }

  /// What a look at the doorbell showed.
  enum DoorbellState { case nothingNew, commands, invalid(UInt32) }

  /// Reads the tail doorbell once.
  ///
  /// - Returns: `.invalid` for a value that is no entry of the queue, once as long as it stays; the queue ignores it.
  @inline(__always)
  mutating func look() -> DoorbellState {
    guard let value = doorbell?.load() else { return .nothingNew }
    guard value < UInt32(truncatingIfNeeded: size) else {
      if lastInvalidTail == value { return head == tail ? .nothingNew : .commands }
      lastInvalidTail = value
      return .invalid(value)
    }
    lastInvalidTail = nil
    tail = Int(value)
    return head == tail ? .nothingNew : .commands
  }

  /// Reads the tail from a shadow doorbell buffer from now on; nil while its pages are not mapped.
  ///
  /// - Parameter isRunning: whether the host may have rung before, so that the buffer takes over the tail.
  mutating func useShadow(_ shadow: ShadowDoorbell?, isRunning: Bool) {
    if isRunning {
      _ = look()
      shadow?.begin(at: tail)
    }
    self.shadow = shadow
    doorbell = shadow?.value
    askedTail = nil
  }

  /// Has the host announce its next command by the register: before the thread sleeps.
  ///
  /// - Returns: whether there is one already, which it does not announce.
  mutating func askForDoorbell() -> Bool {
    guard let shadow, isLive, askedTail != tail else { return false }
    shadow.ask(after: tail)
    askedTail = tail
    let value = shadow.value.load()
    return value != UInt32(truncatingIfNeeded: tail) && value != lastInvalidTail
  }

  /// Whether submitted entries wait.
  var hasCommands: Bool { head != tail }

  /// Copies the next entry, once, and moves the head behind it; nil where the queue's memory is not mapped.
  @inline(__always)
  mutating func fetch() -> SubmissionQueueEntry? {
    guard let address = unsafe memory.address(head &* MemoryLayout<SubmissionQueueEntry>.size) else { return nil }
    let entry = unsafe SubmissionQueueEntry(fetchedFrom: address)
    moveHead()
    return entry
  }

  /// As `fetch`, of the words that the I/O commands have; the others are 0.
  @inline(__always)
  mutating func fetchIOCommand() -> SubmissionQueueEntry? {
    guard let address = unsafe memory.address(head &* MemoryLayout<SubmissionQueueEntry>.size) else { return nil }
    let entry = unsafe SubmissionQueueEntry(ioCommandFetchedFrom: address)
    moveHead()
    return entry
  }

  @inline(__always)
  private mutating func moveHead() {
    let next = head &+ 1
    head = next == size ? 0 : next
  }

  /// Takes the last fetch back: the entry is fetched again later.
  mutating func unfetch() { head = head == 0 ? size - 1 : head - 1 }

  /// Whether a command with this identifier waits to be fetched.
  func waits(_ command: UInt16) -> Bool {
    var index = head
    while index != tail {
      guard let address = unsafe memory.address(index * MemoryLayout<SubmissionQueueEntry>.size) else { return false }
      let cdw0 = unsafe GuestWord.load32(address)
      if UInt16(truncatingIfNeeded: cdw0 >> 16) == command { return true }
      index = index + 1 == size ? 0 : index + 1
    }
    return false
  }
}

extension SubmissionQueueEntry {
  /// Copies an entry out of guest memory: each of its words is loaded once, also those that nobody may ask for.
  ///
  /// An entry has the layout of its words; to take them apart here would cost ten instructions.
  fileprivate init(fetchedFrom address: UnsafeRawPointer) {
    let words = unsafe (
      GuestWord.load(address), GuestWord.load(address, byteOffset: 8), GuestWord.load(address, byteOffset: 16),
      GuestWord.load(address, byteOffset: 24), GuestWord.load(address, byteOffset: 32),
      GuestWord.load(address, byteOffset: 40), GuestWord.load(address, byteOffset: 48),
      GuestWord.load(address, byteOffset: 56)
    )
    self = unsafe unsafeBitCast(words, to: SubmissionQueueEntry.self)
  }

  /// As the one above, without dwords 2, 3, 14 and 15 and the metadata pointer: no I/O command that is supported has
  /// them, and an atomic load is done also where nobody uses its value.
  @inline(__always)
  fileprivate init(ioCommandFetchedFrom address: UnsafeRawPointer) {
    let words = unsafe (
      GuestWord.load(address), UInt64(0), UInt64(0), GuestWord.load(address, byteOffset: 24),
      GuestWord.load(address, byteOffset: 32), GuestWord.load(address, byteOffset: 40),
      GuestWord.load(address, byteOffset: 48), UInt64(0)
    )
    self = unsafe unsafeBitCast(words, to: SubmissionQueueEntry.self)
  }
}
