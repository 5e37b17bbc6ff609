/// Arbitration, feature 01h (NVMe base 2.0, 5.27.1).
@frozen public struct ArbitrationFeature: RawRepresentable, Equatable, Sendable {
  /// Command dword 11 of Set Features, and dword 0 of the completion of Get Features.
  public var rawValue: UInt32

  /// Wraps the value.
  @inlinable public init(rawValue: UInt32 = 0) { self.rawValue = rawValue }

  /// AB: at most 2^n commands of a queue at once; 7 for no limit.
  @inlinable public var arbitrationBurst: UInt8 {
    get { UInt8(truncatingIfNeeded: rawValue.field(at: 0, width: 3)) }
    set { rawValue.setField(at: 0, width: 3, to: UInt32(newValue)) }
  }

  /// LPW: the commands of low priority in a round, less one.
  @inlinable public var lowPriorityWeight: UInt8 {
    get { UInt8(truncatingIfNeeded: rawValue.field(at: 8, width: 8)) }
    set { rawValue.setField(at: 8, width: 8, to: UInt32(newValue)) }
  }

  /// MPW: the commands of medium priority in a round, less one.
  @inlinable public var mediumPriorityWeight: UInt8 {
    get { UInt8(truncatingIfNeeded: rawValue.field(at: 16, width: 8)) }
    set { rawValue.setField(at: 16, width: 8, to: UInt32(newValue)) }
  }

  /// HPW: the commands of high priority in a round, less one.
  @inlinable public var highPriorityWeight: UInt8 {
    get { UInt8(truncatingIfNeeded: rawValue.field(at: 24, width: 8)) }
    set { rawValue.setField(at: 24, width: 8, to: UInt32(newValue)) }
  }
}

/// Number of Queues, feature 07h (NVMe base 2.0, 5.27.1).
@frozen public struct NumberOfQueuesFeature: RawRepresentable, Equatable, Sendable {
  /// Command dword 11 of Set Features, and dword 0 of the completion of Get Features.
  public var rawValue: UInt32

  /// Wraps the value.
  @inlinable public init(rawValue: UInt32 = 0) { self.rawValue = rawValue }

  /// NSQR or NSQA: the I/O submission queues asked for or allocated, less one; FFFFh is not allowed.
  @inlinable public var zeroBasedSubmissionQueues: UInt16 {
    get { UInt16(truncatingIfNeeded: rawValue.field(at: 0, width: 16)) }
    set { rawValue.setField(at: 0, width: 16, to: UInt32(newValue)) }
  }

  /// NCQR or NCQA: the I/O completion queues asked for or allocated, less one; FFFFh is not allowed.
  @inlinable public var zeroBasedCompletionQueues: UInt16 {
    get { UInt16(truncatingIfNeeded: rawValue.field(at: 16, width: 16)) }
    set { rawValue.setField(at: 16, width: 16, to: UInt32(newValue)) }
  }

  /// Makes a value of the numbers of I/O queues, 1 to 65535 each.
  @inlinable public init(submissionQueueCount: Int, completionQueueCount: Int) {
    self.init()
    self.submissionQueueCount = submissionQueueCount
    self.completionQueueCount = completionQueueCount
  }

  /// The I/O submission queues asked for or allocated, 1 to 65536; 65536 is not allowed by the standard.
  @inlinable public var submissionQueueCount: Int {
    get { Int(zeroBasedSubmissionQueues) &+ 1 }
    set { zeroBasedSubmissionQueues = UInt16(truncatingIfNeeded: newValue &- 1) }
  }

  /// The I/O completion queues asked for or allocated, 1 to 65536; 65536 is not allowed by the standard.
  @inlinable public var completionQueueCount: Int {
    get { Int(zeroBasedCompletionQueues) &+ 1 }
    set { zeroBasedCompletionQueues = UInt16(truncatingIfNeeded: newValue &- 1) }
  }
}
