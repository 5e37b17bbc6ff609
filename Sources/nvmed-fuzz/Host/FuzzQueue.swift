import Glibc
import NVMeSpec

/// A queue pair as the host sees it. Whatever the controller does to it that it may not ends the process.
struct FuzzQueue {
  /// Entries of each queue.
  static let entries = 32

  let identifier: UInt16
  /// Pages of the guest's memory.
  let submission: Int
  let completion: Int
  private(set) var tail = 0
  private(set) var head = 0
  private var phase = true
  /// Commands not completed yet: a host may use an identifier twice, to its own confusion.
  private var outstanding: [UInt16] = []
  /// The controller may complete what was not given: the input wrote to the queue's doorbell.
  var isOrderly = true

  /// A queue pair in the two pages that belong to its identifier.
  init(identifier: UInt16) {
    self.identifier = identifier
    submission = Int(identifier) * 2
    completion = submission + 1
    memset(FuzzMemory.page(submission), 0, 2 * FuzzMemory.pageSize)
    outstanding.reserveCapacity(FuzzQueue.entries)
  }

  var tailDoorbell: UInt64 { DoorbellRegister.submissionQueueTail(identifier) }
  var headDoorbell: UInt64 { DoorbellRegister.completionQueueHead(identifier) }

  var inFlight: Int { outstanding.count }
  var isFull: Bool { inFlight >= FuzzQueue.entries - 1 }

  /// Whether a command of that identifier was not completed.
  func isOutstanding(_ identifier: UInt16) -> Bool { outstanding.contains(identifier) }

  /// Puts a command behind those that are there.
  mutating func push(_ entry: SubmissionQueueEntry) {
    (FuzzMemory.page(submission) + tail * 64).storeBytes(of: entry, as: SubmissionQueueEntry.self)
    tail = tail + 1 == FuzzQueue.entries ? 0 : tail + 1
    outstanding.append(entry.commandIdentifier)
  }

  private var next: CompletionQueueEntry {
    let place = FuzzMemory.page(completion) + head * 16
    return CompletionQueueEntry(place.load(as: UInt64.self), (place + 8).load(as: UInt64.self))
  }

  /// Whether the next completion is there.
  var hasCompletion: Bool { next.phaseTag == phase }

  /// Takes the next completion.
  mutating func pop() -> CompletionQueueEntry? {
    let entry = next
    guard entry.phaseTag == phase else { return nil }
    head += 1
    if head == FuzzQueue.entries {
      head = 0
      phase.toggle()
    }
    let index = outstanding.firstIndex(of: entry.commandIdentifier)
    if isOrderly {
      require(entry.sqIdentifier == identifier, "a completion of another queue")
      require(Int(entry.sqHead) < FuzzQueue.entries, "a head beyond the queue")
      require(index != nil, "command \(entry.commandIdentifier) completes and was not given, or completes twice")
    }
    if let index { outstanding.remove(at: index) }
    return entry
  }
}
