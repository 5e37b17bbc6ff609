/// Create I/O Submission Queue, admin command 01h (NVMe base 2.0, 5.5).
@frozen public struct CreateIOSubmissionQueueCommand: Sendable, Equatable {
  /// The command itself.
  public var entry: SubmissionQueueEntry

  /// Views `entry` as this command.
  @inlinable public init(_ entry: SubmissionQueueEntry) { self.entry = entry }

  /// QID: the queue to create.
  @inlinable public var queueIdentifier: UInt16 {
    get { UInt16(truncatingIfNeeded: entry.cdw10) }
    set { entry.cdw10.setField(at: 0, width: 16, to: UInt32(newValue)) }
  }

  /// QSIZE: the entries of the queue, 1 to 65536; 1 is not allowed by the standard.
  @inlinable public var size: Int {
    get { Int(entry.cdw10 &>> 16) &+ 1 }
    set { entry.cdw10.setField(at: 16, width: 16, to: UInt32(truncatingIfNeeded: newValue &- 1)) }
  }

  /// PC: whether PRP entry 1 is the queue's address, or else that of a list of its pages.
  @inlinable public var physicallyContiguous: Bool {
    get { entry.cdw11.bit(0) }
    set { entry.cdw11.setBit(0, to: newValue) }
  }

  /// QPRIO: 0 urgent, 1 high, 2 medium, 3 low; only for weighted round robin.
  @inlinable public var priority: UInt8 {
    get { UInt8(truncatingIfNeeded: entry.cdw11.field(at: 1, width: 2)) }
    set { entry.cdw11.setField(at: 1, width: 2, to: UInt32(newValue)) }
  }

  /// CQID: the completion queue to use.
  @inlinable public var completionQueueIdentifier: UInt16 {
    get { UInt16(truncatingIfNeeded: entry.cdw11 &>> 16) }
    set { entry.cdw11.setField(at: 16, width: 16, to: UInt32(newValue)) }
  }

  /// NVMSETID: the NVM set that the queue is for; 0 for none.
  @inlinable public var nvmSetIdentifier: UInt16 {
    get { UInt16(truncatingIfNeeded: entry.cdw12) }
    set { entry.cdw12.setField(at: 0, width: 16, to: UInt32(newValue)) }
  }

  /// PRP entry 1: the queue's address or that of its PRP list.
  @inlinable public var prp1: UInt64 {
    get { entry.prp1 }
    set { entry.prp1 = newValue }
  }
}

/// Create I/O Completion Queue, admin command 05h (NVMe base 2.0, 5.4).
@frozen public struct CreateIOCompletionQueueCommand: Sendable, Equatable {
  /// The command itself.
  public var entry: SubmissionQueueEntry

  /// Views `entry` as this command.
  @inlinable public init(_ entry: SubmissionQueueEntry) { self.entry = entry }

  /// QID: the queue to create.
  @inlinable public var queueIdentifier: UInt16 {
    get { UInt16(truncatingIfNeeded: entry.cdw10) }
    set { entry.cdw10.setField(at: 0, width: 16, to: UInt32(newValue)) }
  }

  /// QSIZE: the entries of the queue, 1 to 65536; 1 is not allowed by the standard.
  @inlinable public var size: Int {
    get { Int(entry.cdw10 &>> 16) &+ 1 }
    set { entry.cdw10.setField(at: 16, width: 16, to: UInt32(truncatingIfNeeded: newValue &- 1)) }
  }

  /// PC: whether PRP entry 1 is the queue's address, or else that of a list of its pages.
  @inlinable public var physicallyContiguous: Bool {
    get { entry.cdw11.bit(0) }
    set { entry.cdw11.setBit(0, to: newValue) }
  }

  /// IEN: whether the queue interrupts.
  @inlinable public var interruptsEnabled: Bool {
    get { entry.cdw11.bit(1) }
    set { entry.cdw11.setBit(1, to: newValue) }
  }

  /// IV: the interrupt vector.
  @inlinable public var interruptVector: UInt16 {
    get { UInt16(truncatingIfNeeded: entry.cdw11 &>> 16) }
    set { entry.cdw11.setField(at: 16, width: 16, to: UInt32(newValue)) }
  }

  /// PRP entry 1: the queue's address or that of its PRP list.
  @inlinable public var prp1: UInt64 {
    get { entry.prp1 }
    set { entry.prp1 = newValue }
  }
}

/// Delete I/O Submission Queue, 00h, and Delete I/O Completion Queue, 04h (NVMe base 2.0, 5.7 and 5.6).
@frozen public struct DeleteIOQueueCommand: Sendable, Equatable {
  /// The command itself.
  public var entry: SubmissionQueueEntry

  /// Views `entry` as this command.
  @inlinable public init(_ entry: SubmissionQueueEntry) { self.entry = entry }

  /// QID: the queue to delete.
  @inlinable public var queueIdentifier: UInt16 {
    get { UInt16(truncatingIfNeeded: entry.cdw10) }
    set { entry.cdw10.setField(at: 0, width: 16, to: UInt32(newValue)) }
  }
}
