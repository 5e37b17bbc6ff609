import NVMeSpec
import Testing

/// A submission queue from the host's side.
final class SubmissionRing {
  let identifier: UInt16
  let size: Int
  let iova: UInt64
  private let ram: GuestRAM
  /// Where the next entry goes.
  private(set) var tail = 0
  /// The head, as far as completions have told.
  fileprivate(set) var head = 0
  private var nextCommand: UInt16 = 0

  /// A ring at fresh pages of `ram`.
  init(identifier: UInt16, size: Int, ram: GuestRAM) {
    self.identifier = identifier
    self.size = size
    self.ram = ram
    iova = ram.allocate(bytes: size * SubmissionQueueEntry.byteCount)
  }

  /// Entries that may be put before completions make room.
  var room: Int { (head - tail - 1 + size) % size }

  /// Writes an entry with an identifier of its own, and gives it back.
  @discardableResult
  func put(_ command: SubmissionQueueEntry) -> UInt16 {
    precondition(room > 0, "the test's submission queue \(identifier) is full")
    var command = command
    command.commandIdentifier = nextCommand
    nextCommand &+= 1
    putUnchecked(command)
    return command.commandIdentifier
  }

  /// Writes an entry as it is, whether or not there is room.
  func putUnchecked(_ command: SubmissionQueueEntry) {
    let address = iova + UInt64(tail * SubmissionQueueEntry.byteCount)
    withUnsafeBytes(of: command) { bytes in
      for (index, word) in bytes.bindMemory(to: UInt64.self).enumerated() {
        ram.word(address + UInt64(index * 8)).pointee.store(word, ordering: .relaxed)
      }
    }
    tail = (tail + 1) % size
  }

  /// Begins again as a new queue in the same memory, whose entries stay.
  func restart() {
    tail = 0
    head = 0
  }
}

/// A completion queue from the host's side.
final class CompletionRing {
  let identifier: UInt16
  let size: Int
  let iova: UInt64
  private let ram: GuestRAM
  /// The next entry to look at.
  private(set) var head = 0
  private(set) var phaseTag = true
  private var sources: [UInt16: SubmissionRing] = [:]
  /// Whether the host consumes entries as soon as it finds them.
  var consumes = true
  /// Entries found, in order.
  private(set) var entries: [CompletionQueueEntry] = []

  /// A ring at fresh pages of `ram`, zeroed as a host does.
  init(identifier: UInt16, size: Int, ram: GuestRAM) {
    self.identifier = identifier
    self.size = size
    self.ram = ram
    iova = ram.allocate(bytes: size * CompletionQueueEntry.byteCount)
  }

  /// A submission queue whose head completions tell.
  func serve(_ ring: SubmissionRing) { sources[ring.identifier] = ring }

  /// The entry at a place, as it is.
  func entry(at index: Int) -> CompletionQueueEntry {
    let address = ram.host(iova + UInt64(index * CompletionQueueEntry.byteCount))
    // The half with the phase tag first: the device stores it last.
    let word1 = address.load(fromByteOffset: 8, as: UInt64.self)
    return CompletionQueueEntry(address.load(as: UInt64.self), word1)
  }

  /// Takes new entries, at most `limit`.
  ///
  /// - Returns: how many there were.
  @discardableResult
  func reap(limit: Int = Int.max) -> Int {
    var count = 0
    while count < limit {
      let next = entry(at: head)
      guard next.phaseTag == phaseTag else { break }
      entries.append(next)
      if let source = sources[next.sqIdentifier] {
        #expect(Int(next.sqHead) < source.size)
        source.head = Int(next.sqHead)
      }
      head += 1
      if head == size {
        head = 0
        phaseTag.toggle()
      }
      count += 1
    }
    return count
  }

  /// Takes out the entry of a command.
  func take(_ command: UInt16, from queue: UInt16) -> CompletionQueueEntry? {
    guard let index = entries.firstIndex(where: { $0.commandIdentifier == command && $0.sqIdentifier == queue }) else {
      return nil
    }
    return entries.remove(at: index)
  }

  /// Takes out all entries found so far.
  func takeAll() -> [CompletionQueueEntry] {
    defer { entries = [] }
    return entries
  }

  /// Begins again as a new queue, in zeroed memory.
  func restart() {
    ram.fill(iova, size * CompletionQueueEntry.byteCount, 0)
    head = 0
    phaseTag = true
    entries = []
  }
}
