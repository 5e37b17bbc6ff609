/// AQA: the sizes of the admin queues (NVMe base 2.0, 3.1.3.8).
@frozen public struct AdminQueueAttributes: RawRepresentable, Equatable, Sendable {
  /// The register; it holds both sizes less one.
  public var rawValue: UInt32

  /// Wraps the register.
  @inlinable public init(rawValue: UInt32 = 0) { self.rawValue = rawValue }

  /// Makes a register of two sizes, 2 to 4096 entries.
  @inlinable public init(submissionQueueSize: Int, completionQueueSize: Int) {
    self.init()
    self.submissionQueueSize = submissionQueueSize
    self.completionQueueSize = completionQueueSize
  }

  /// ASQS: the entries of the admin submission queue, 1 to 4096; 1 is not allowed by the standard.
  @inlinable public var submissionQueueSize: Int {
    get { Int(rawValue.field(at: 0, width: 12)) &+ 1 }
    set { rawValue.setField(at: 0, width: 12, to: UInt32(truncatingIfNeeded: newValue &- 1)) }
  }

  /// ACQS: the entries of the admin completion queue, 1 to 4096; 1 is not allowed by the standard.
  @inlinable public var completionQueueSize: Int {
    get { Int(rawValue.field(at: 16, width: 12)) &+ 1 }
    set { rawValue.setField(at: 16, width: 12, to: UInt32(truncatingIfNeeded: newValue &- 1)) }
  }
}
