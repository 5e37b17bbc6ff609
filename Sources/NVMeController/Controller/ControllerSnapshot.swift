/// What a controller is at one moment, or nearly so: the I/O threads tell of their queues one after the other.
public struct ControllerSnapshot: Sendable {
  /// CC.
  public var configuration: UInt32
  /// CSTS.
  public var status: UInt32
  /// The admin queue, if the controller is enabled, and the I/O queues by identifier.
  public var queues: [QueueSnapshot]
  /// Whether doorbell values lie in guest memory (Doorbell Buffer Config).
  public var usesShadowDoorbells: Bool
  /// Whether commands wait for the rate limits.
  public var isLimited: Bool
}

/// A submission or completion queue at one moment.
public struct QueueSnapshot: Sendable, Equatable {
  /// What is known of one kind of queue alone.
  public enum Kind: Sendable, Equatable {
    /// A submission queue, with its completion queue and the commands that were fetched and have not completed.
    case submission(completionQueue: UInt16, inFlight: Int)
    /// A completion queue, with its interrupt vector unless interrupts are disabled.
    case completion(interruptVector: Int?)
  }

  /// Which kind.
  public var kind: Kind
  /// Queue identifier.
  public var identifier: UInt16
  /// Entries.
  public var size: Int
  /// The next entry to be consumed, as of the last look.
  public var head: Int
  /// The end of what was produced, as of the last look.
  public var tail: Int
  /// The I/O thread that processes it, in the order of those that serve the controller; nil for the admin queue.
  public var thread: Int?
}

/// What one I/O thread has of a controller.
public struct PortSnapshot: Sendable {
  var queues: [QueueSnapshot] = []
  var isLimited = false
}

extension ControllerPort {
  /// Tells the control thread what the thread has of the controller.
  func inspect(token: UInt64) {
    guard let description else { return }
    var snapshot = PortSnapshot()
    for index in 1..<submissionQueues.count {
      if submissionQueues[index].isLive { snapshot.queues.append(submissionQueues[index].snapshot(description.lane)) }
      if completionQueues[index].isLive { snapshot.queues.append(completionQueues[index].snapshot(description.lane)) }
    }
    snapshot.isLimited = restsUntil != UInt64.max
    description.mailbox.post(.inspected(token: token, snapshot))
  }
}

extension SubmissionQueue {
  /// What it is now.
  func snapshot(_ thread: Int?) -> QueueSnapshot {
    QueueSnapshot(
      kind: .submission(completionQueue: UInt16(truncatingIfNeeded: completionQueue), inFlight: inFlight),
      identifier: identifier, size: size, head: head, tail: tail, thread: thread)
  }
}

extension CompletionQueue {
  /// What it is now.
  func snapshot(_ thread: Int?) -> QueueSnapshot {
    QueueSnapshot(
      kind: .completion(interruptVector: interruptVector), identifier: identifier, size: size, head: head, tail: tail,
      thread: thread)
  }
}
