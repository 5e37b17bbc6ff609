import Doorbells

/// What a submission queue is made of: the Create I/O Submission Queue command or AQA/ASQ, checked.
public struct SubmissionQueueDescription: Sendable {
  /// Queue identifier.
  public let identifier: UInt16
  /// The completion queue's identifier.
  public let completionQueue: UInt16
  /// Entries, 2 to 65,536.
  public let size: Int
  /// First byte, a multiple of 4 KiB.
  public let iova: UInt64
  /// Its tail doorbell.
  public let doorbell: QueueDoorbell

  init(identifier: UInt16, completionQueue: UInt16, size: Int, iova: UInt64, doorbell: QueueDoorbell) {
    self.identifier = identifier
    self.completionQueue = completionQueue
    self.size = size
    self.iova = iova
    self.doorbell = doorbell
  }
}

/// What a completion queue is made of: the Create I/O Completion Queue command or AQA/ACQ, checked.
public struct CompletionQueueDescription: Sendable {
  /// Queue identifier.
  public let identifier: UInt16
  /// Entries, 2 to 65,536.
  public let size: Int
  /// First byte, a multiple of 4 KiB.
  public let iova: UInt64
  /// Interrupt vector, or nil where interrupts are disabled.
  public let interruptVector: UInt16?
  /// Its head doorbell.
  public let doorbell: QueueDoorbell

  init(identifier: UInt16, size: Int, iova: UInt64, interruptVector: UInt16?, doorbell: QueueDoorbell) {
    self.identifier = identifier
    self.size = size
    self.iova = iova
    self.interruptVector = interruptVector
    self.doorbell = doorbell
  }
}
