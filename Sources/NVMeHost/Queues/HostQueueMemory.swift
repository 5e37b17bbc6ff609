/// The memory of a completion queue and of the submission queues that feed it.
public struct HostQueueMemory: Sendable {
  /// The completion queue.
  public var completionQueue: HostBuffer
  /// The submission queues.
  public var submissionQueues: [HostBuffer]

  /// Memory for queues.
  public init(completionQueue: HostBuffer, submissionQueues: [HostBuffer]) {
    self.completionQueue = completionQueue
    self.submissionQueues = submissionQueues
  }
}
