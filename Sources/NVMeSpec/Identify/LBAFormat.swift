/// An LBA format: 4 bytes of Identify Namespace (NVM command set 1.0, 4.1.5, LBA Format Data Structure).
@frozen public struct LBAFormat: RawRepresentable, Equatable, Sendable {
  /// MS in bits 15:0, LBADS in bits 23:16, RP in bits 25:24.
  public var rawValue: UInt32

  /// Wraps a format.
  @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// Makes a format of blocks of 2^`dataSize` bytes; `relativePerformance` is 0 for the best to 3 for a degraded one.
  @inlinable public init(metadataSize: UInt16 = 0, dataSize: UInt8, relativePerformance: UInt8 = 0) {
    rawValue = UInt32(metadataSize) | UInt32(dataSize) << 16 | UInt32(relativePerformance & 3) << 24
  }

  /// MS: the metadata of a block in bytes.
  @inlinable public var metadataSize: UInt16 { UInt16(truncatingIfNeeded: rawValue) }

  /// LBADS: a block is 2^n bytes; 0 for a format that is not available.
  @inlinable public var dataSize: UInt8 { UInt8(truncatingIfNeeded: rawValue &>> 16) }

  /// RP: 0 for the best performance to 3 for a degraded one.
  @inlinable public var relativePerformance: UInt8 { UInt8(truncatingIfNeeded: rawValue.field(at: 24, width: 2)) }

  /// The size of a block in bytes; nil if it is less than 512 bytes, as the standard forbids, or more than 1 GiB.
  @inlinable public var logicalBlockByteCount: Int? { (9...30).contains(dataSize) ? 1 << Int(dataSize) : nil }
}
