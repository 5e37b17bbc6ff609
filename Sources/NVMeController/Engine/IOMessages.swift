import Doorbells
import GuestMemory
import LinuxIO

/// What a controller asks of an I/O thread, in order. Each `token` comes back in an `IOEvent.acknowledged`.
enum IOCommand: Sendable {
  /// A controller begins to use the thread, at a free place of its table.
  case attach(port: Int, PortDescription)
  /// The controller goes; acknowledged when nothing of it is in flight.
  case detach(port: Int, token: UInt64)
  case createCompletionQueue(port: Int, CompletionQueueDescription)
  case createSubmissionQueue(port: Int, SubmissionQueueDescription)
  /// The tail doorbell of a queue on another thread is announced to this one: tell that one.
  case forward(port: Int, to: IOThreadHandle, place: Int)
  /// A doorbell was announced to another thread.
  case kick(port: Int, PendingKick)
  /// Acknowledged when all its fetched commands have completed.
  case deleteSubmissionQueue(port: Int, UInt16, token: UInt64)
  case deleteCompletionQueue(port: Int, UInt16, token: UInt64)
  /// All queues vanish and commands in flight complete silently; acknowledged when there are none left.
  case quiesce(port: Int, token: UInt64)
  /// No command is fetched and no completion posted until `resume`; acknowledged when no DMA is in flight.
  case pause(port: Int, token: UInt64)
  case resume(port: Int)
  /// Acknowledged when commands may use the range: the host rings a doorbell as soon as it has the answer.
  case map(port: Int, MemoryRegion, token: UInt64)
  /// Acknowledged when no command in flight touches the range any more.
  case unmap(port: Int, iova: UInt64, size: UInt64, token: UInt64)
  /// The eventfd of an interrupt vector, -1 for none; the old one is not used after the acknowledgement.
  case setVector(port: Int, vector: Int, descriptor: Int32, token: UInt64)
  /// A namespace is there, or has another size; acknowledged when commands may use it.
  case setNamespace(port: Int, index: Int, Namespace, token: UInt64)
  /// Acknowledged when no command in flight uses the namespace any more; none is begun from now on.
  case removeNamespace(port: Int, index: Int, token: UInt64)
  /// Whether the controller's rate limits are to be asked.
  case setLimited(port: Int, Bool)
  /// Answered by `IOEvent.inspected`.
  case inspect(port: Int, token: UInt64)
  /// Commands fetched from now on obey it. Off: acknowledged when those fetched before have ended.
  case setWriteCache(port: Int, enabled: Bool, token: UInt64)
  /// Doorbells lie in guest memory; acknowledged when they are read there.
  case setDoorbellBuffers(port: Int, DoorbellBuffers, token: UInt64)
  /// Features 08h and 09h; acknowledged when interrupts obey them.
  case setCoalescing(port: Int, InterruptCoalescing, token: UInt64)
  /// Answered by `IOEvent.aborted`.
  case abort(port: Int, submissionQueue: UInt16, command: UInt16, token: UInt64)
  /// Called by the thread: it is alive.
  case ping(@Sendable () -> Void)
  /// The thread ends.
  case stop
}

/// What an I/O thread tells a controller.
public enum IOEvent: Sendable {
  /// What the token stood for is done.
  case acknowledged(token: UInt64)
  /// Whether the command was aborted.
  case aborted(token: UInt64, Bool)
  /// What the thread has of the controller.
  case inspected(token: UInt64, PortSnapshot)
  /// A command failed; it is in the error log.
  case commandFailed(ErrorLog.Entry)
  /// The thread cannot serve the controller.
  case failed(Errno)
  /// A doorbell was rung without a value, by a host that keeps none in its memory.
  case doorbellWithoutValue
  /// The write to an eventfd of the client has waited.
  case interruptStalled
  /// A doorbell got a value that it cannot have, or belongs to no queue.
  case invalidDoorbell(queue: UInt16, isUnknown: Bool)
}

/// What an I/O thread must know of a controller, and shares with it.
final class PortDescription: Sendable {
  let slots: DoorbellSlots
  let events: DoorbellEvents
  /// Announces the admin queue's doorbells to the control thread.
  let adminEvent: EventFD
  /// Whether the client stores doorbells into the slots and signals nothing.
  let isPolled: Bool
  let mailbox: Mailbox<IOEvent>
  let counters: PortCounters
  let errorLog: ErrorLog
  let interest: CompletionInterest
  let limiter: RateLimiter
  /// Which I/O thread of how many this is.
  let lane: Int
  let laneCount: Int
  /// The thread of queue identifier 1.
  let firstLane: Int
  /// Bytes: MDTS.
  let maximumTransfer: UInt64
  /// I/O queue pairs.
  let queueCount: Int
  /// Interrupt vectors.
  let vectorCount: Int
  /// Namespaces that there may be.
  let namespaceCount: Int

  init(
    slots: DoorbellSlots, events: DoorbellEvents, adminEvent: consuming EventFD, isPolled: Bool,
    mailbox: Mailbox<IOEvent>, counters: PortCounters,
    errorLog: ErrorLog, interest: CompletionInterest, limiter: RateLimiter = RateLimiter(), lane: Int, laneCount: Int,
    firstLane: Int,
    maximumTransfer: UInt64, queueCount: Int, vectorCount: Int,
    namespaceCount: Int
  ) {
    self.slots = slots
    self.events = events
    self.adminEvent = adminEvent
    self.isPolled = isPolled
    self.mailbox = mailbox
    self.counters = counters
    self.errorLog = errorLog
    self.interest = interest
    self.limiter = limiter
    self.lane = lane
    self.laneCount = laneCount
    self.firstLane = firstLane
    self.maximumTransfer = maximumTransfer
    self.queueCount = queueCount
    self.vectorCount = vectorCount
    self.namespaceCount = namespaceCount
  }

  /// Whether the doorbells of a queue identifier are announced to this thread.
  func announces(queue: Int) -> Bool { (queue - 1 + firstLane) % laneCount == lane }

  /// Logs a failed command, and tells the control thread, which has words for it.
  func noteFailure(_ entry: ErrorLog.Entry) {
    mailbox.post(.commandFailed(errorLog.append(entry)), limit: 16)
  }
}

/// A description for the length of a call of the port that owns it: taking and giving it counts no references.
@safe struct BorrowedDescription {
  private let reference: Unmanaged<PortDescription>

  /// The caller sees to it that the description stays as long as this.
  @unsafe init?(_ description: PortDescription?) {
    guard let description else { return nil }
    unsafe reference = Unmanaged.passUnretained(description)
  }

  /// The description.
  var object: PortDescription { unsafe reference.takeUnretainedValue() }
}
