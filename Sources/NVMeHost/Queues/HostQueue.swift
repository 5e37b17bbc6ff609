import LinuxIO
import NVMeSpec

/// A completion queue and the submission queues that feed it: mostly one.
///
/// Submitting and reaping cost neither a system call, but for the doorbell, nor an allocation. One thread at a time; it
/// may be given to another thread.
public struct HostQueue: ~Copyable, Sendable {
  /// The completion queue.
  public var completionQueue: HostCompletionQueue
  /// The submission queues.
  public var submissionQueues: FixedTable<HostSubmissionQueue>
  /// How long a completion is awaited by the calls that wait, in ns.
  public var timeout: UInt64
  /// Completions that were seen while another one was awaited, in order.
  public var unclaimed: [CompletionQueueEntry] = []
  /// Completions that cannot be: of no submission queue of this completion queue, with a head outside of it, or with
  /// a command identifier that is not in use.
  @inlinable public var violations: Int { violationCount }
  @usableFromInline var violationCount = 0

  init(
    completionQueue: consuming HostCompletionQueue, submissionQueues: consuming FixedTable<HostSubmissionQueue>,
    timeout: UInt64
  ) {
    self.completionQueue = completionQueue
    self.submissionQueues = submissionQueues
    self.timeout = timeout
  }

  /// The identifier of the completion queue, and of the first submission queue where both were made together.
  public var identifier: UInt16 { completionQueue.identifier }

  /// The memory of the queues.
  public var memory: HostQueueMemory {
    var submissions: [HostBuffer] = []
    for index in 0..<submissionQueues.count { submissions.append(submissionQueues[index].memory) }
    return HostQueueMemory(completionQueue: completionQueue.memory, submissionQueues: submissions)
  }

  /// Writes a command into a submission queue. The controller learns of it by `ring()`.
  ///
  /// - Parameters:
  ///   - entry: the command; its identifier is set here.
  ///   - index: which of the submission queues.
  /// - Returns: its command identifier, which is the number of a slot below the commands that the queue allows in
  ///   flight; nil where all are in use or the queue is full.
  @inlinable @inline(__always)
  public mutating func submit(_ entry: SubmissionQueueEntry, to index: Int = 0) -> UInt16? {
    submissionQueues[index].submit(entry)
  }

  /// Writes the tail doorbell of every submission queue that got commands since the last call.
  @inlinable @inline(__always)
  public mutating func ring() {
    var index = 0
    while index < submissionQueues.count {
      submissionQueues[index].ring()
      index &+= 1
    }
  }

  /// Takes the next completion, if it has been posted: never waits.
  ///
  /// The controller may use its entry again only after `acknowledge()`; a host that acknowledges late makes it wait.
  @inlinable @inline(__always)
  public mutating func nextCompletion() -> CompletionQueueEntry? {
    guard let entry = completionQueue.next() else { return nil }
    var index = 0
    while index < submissionQueues.count, submissionQueues[index].identifier != entry.sqIdentifier { index &+= 1 }
    if index == submissionQueues.count || !submissionQueues[index].complete(entry) { violationCount &+= 1 }
    return entry
  }

  /// Takes at most `limit` completions that have been posted, and appends them to `entries`: never waits.
  public mutating func poll(into entries: inout [CompletionQueueEntry], limit: Int = .max) {
    var count = 0
    while count < limit, let entry = nextCompletion() {
      entries.append(entry)
      count += 1
    }
  }

  /// Writes the head doorbell of the completion queue, once for all completions since the last call.
  @inlinable @inline(__always)
  public mutating func acknowledge() { completionQueue.ring() }

  // MARK: Waiting

  /// Submits a command, rings, and waits for its completion.
  ///
  /// - Throws: `queueFull`, `timedOut`, `interruptMissing`. After a time-out the command is still in flight.
  public mutating func execute(_ entry: SubmissionQueueEntry, on index: Int = 0) throws(HostError)
    -> CompletionQueueEntry
  {
    guard let identifier = submit(entry, to: index) else { throw .queueFull }
    ring()
    return try awaitCompletion(of: identifier, on: index)
  }

  /// Waits for the completion of a command. Others that come before it go to `unclaimed`; every one is acknowledged.
  ///
  /// - Throws: `timedOut`, `interruptMissing`.
  public mutating func awaitCompletion(of identifier: UInt16, on index: Int = 0) throws(HostError)
    -> CompletionQueueEntry
  {
    let queue = submissionQueues[index].identifier
    func matches(_ entry: CompletionQueueEntry) -> Bool {
      entry.commandIdentifier == identifier && entry.sqIdentifier == queue
    }
    if let position = unclaimed.firstIndex(where: matches) { return unclaimed.remove(at: position) }
    let deadline = Clock.monotonic &+ timeout
    while true {
      let entry = try awaitCompletion(until: deadline)
      if matches(entry) { return entry }
      unclaimed.append(entry)
    }
  }

  /// Waits for the next completion, and acknowledges it.
  ///
  /// - Parameter deadline: of `Clock.monotonic`; nil: `timeout` from now.
  /// - Throws: `timedOut`, `interruptMissing`.
  public mutating func awaitCompletion(until deadline: UInt64? = nil) throws(HostError) -> CompletionQueueEntry {
    let deadline = deadline ?? Clock.monotonic &+ timeout
    while true {
      try completionQueue.waitForEntry(until: deadline)
      if let entry = nextCompletion() {
        acknowledge()
        return entry
      }
    }
  }
}
