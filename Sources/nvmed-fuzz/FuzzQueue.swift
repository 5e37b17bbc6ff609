import Glibc
import NVMeSpec

/// A queue pair as the host sees it. Whatever the controller does to it that it may not ends the process.
struct FuzzQueue {
  let identifier: UInt16
  let entries: Int
  /// Offsets in guest memory.
  let submission: Int
  let completion: Int
  private(set) var tail = 0
  private(set) var head = 0
  private var phase = true
  /// Commands not completed yet, by command identifier: a host may use one twice, to its own confusion.
  private(set) var outstanding: [UInt16: Int] = [:]
  /// Tail and head were used as the specification asks: what completes can be told.
  var isOrderly = true

  init(identifier: UInt16, entries: Int, submission: Int, completion: Int) {
    self.identifier = identifier
    self.entries = entries
    self.submission = submission
    self.completion = completion
  }

  var tailDoorbell: UInt64 { DoorbellRegister.submissionQueueTail(identifier) }
  var headDoorbell: UInt64 { DoorbellRegister.completionQueueHead(identifier) }

  var inFlight: Int { outstanding.values.reduce(0, +) }
  var isFull: Bool { inFlight >= entries - 1 }

  /// Puts a command behind those that are there.
  mutating func push(_ entry: SubmissionQueueEntry, _ host: FuzzHost) {
    unsafe host.address(submission + tail * 64).storeBytes(of: entry, as: SubmissionQueueEntry.self)
    tail = tail + 1 == entries ? 0 : tail + 1
    outstanding[entry.commandIdentifier, default: 0] += 1
  }

  /// Takes the next completion.
  mutating func pop(_ host: FuzzHost) -> CompletionQueueEntry? {
    let place = unsafe host.address(completion + head * 16)
    let entry = unsafe CompletionQueueEntry(
      place.load(as: UInt64.self), (place + 8).load(as: UInt64.self))
    guard entry.phaseTag == phase else { return nil }
    head += 1
    if head == entries {
      head = 0
      phase.toggle()
    }
    guard isOrderly else { return entry }
    precondition(entry.sqIdentifier == identifier, "a completion of another queue")
    precondition(Int(entry.sqHead) < entries, "a head beyond the queue")
    guard let count = outstanding[entry.commandIdentifier] else {
      fatalError("command \(entry.commandIdentifier) completes and was not given, or completes twice")
    }
    outstanding[entry.commandIdentifier] = count == 1 ? nil : count - 1
    return entry
  }
}
