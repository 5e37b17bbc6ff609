/// Dataset Management, I/O command 09h (NVM command set 1.0, 3.2.3).
@frozen public struct DatasetManagementCommand: Sendable, Equatable {
  /// The command itself.
  public var entry: SubmissionQueueEntry

  /// Views `entry` as this command.
  @inlinable public init(_ entry: SubmissionQueueEntry) { self.entry = entry }

  /// NR: how many ``DatasetManagementRange``s the data holds, 1 to 256.
  @inlinable public var numberOfRanges: Int {
    get { Int(entry.cdw10 & 0xFF) &+ 1 }
    set { entry.cdw10.setField(at: 0, width: 8, to: UInt32(truncatingIfNeeded: newValue &- 1)) }
  }

  /// IDR: whether the ranges will be read as one.
  @inlinable public var integralDatasetForRead: Bool {
    get { entry.cdw11.bit(0) }
    set { entry.cdw11.setBit(0, to: newValue) }
  }

  /// IDW: whether the ranges will be written as one.
  @inlinable public var integralDatasetForWrite: Bool {
    get { entry.cdw11.bit(1) }
    set { entry.cdw11.setBit(1, to: newValue) }
  }

  /// AD: whether the controller may deallocate the ranges.
  @inlinable public var deallocate: Bool {
    get { entry.cdw11.bit(2) }
    set { entry.cdw11.setBit(2, to: newValue) }
  }
}

/// One range of Dataset Management: 16 bytes, in the wire's own layout (NVM command set 1.0, 3.2.3).
@frozen public struct DatasetManagementRange: Sendable, Equatable {
  /// The size of a range in bytes.
  @inlinable public static var byteCount: Int { 16 }
  /// The most ranges of one command.
  @inlinable public static var maximumCount: Int { 256 }

  /// Context attributes: hints of how the blocks will be used.
  public var attributes: UInt32
  /// The length in logical blocks; not less one.
  public var length: UInt32
  /// The first logical block.
  public var slba: UInt64

  /// Makes a range.
  @inlinable public init(attributes: UInt32 = 0, length: UInt32, slba: UInt64) {
    self.attributes = attributes
    self.length = length
    self.slba = slba
  }

  /// Makes a range of its two halves as they lie in memory.
  @inlinable public init(_ word0: UInt64, _ word1: UInt64) {
    attributes = UInt32(truncatingIfNeeded: word0)
    length = UInt32(truncatingIfNeeded: word0 &>> 32)
    slba = word1
  }
}
