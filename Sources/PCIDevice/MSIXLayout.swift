/// Where the MSI-X table and the pending bits lie in BAR4 (PCI Express Base Specification, 7.7.2).
///
/// The table starts at offset 0, the Pending Bit Array on the first 4 KiB boundary after it, so that a VMM can trap
/// either by page. BAR4 is the smallest power of two that holds both.
public struct MSIXLayout: Sendable, Equatable {
  /// How many vectors an MSI-X table can have.
  public static let vectorCounts = 1...2048
  /// Bytes of one table entry.
  public static let entrySize = 16
  /// Offset of the table in BAR4.
  public static let tableOffset: UInt64 = 0

  /// The BAR Indicator Register value: both structures are in BAR4.
  static let barIndicator: UInt32 = 4
  private static let pageSize: UInt64 = 4096

  /// Number of vectors.
  public let vectorCount: Int

  /// The layout for `vectorCount` vectors; `nil` outside of `vectorCounts`.
  ///
  /// Up to 65 vectors are safe with every guest. Windows Server 2025 does not start with 512.
  public init?(vectorCount: Int) {
    guard Self.vectorCounts.contains(vectorCount) else { return nil }
    self.vectorCount = vectorCount
  }

  /// Size of the table in bytes.
  public var tableSize: UInt64 { UInt64(vectorCount * Self.entrySize) }

  /// Offset of the Pending Bit Array in BAR4.
  public var pendingBitsOffset: UInt64 { (tableSize + Self.pageSize - 1) & ~(Self.pageSize - 1) }

  /// Size of the Pending Bit Array in bytes: one bit per vector in whole qwords.
  public var pendingBitsSize: UInt64 { UInt64((vectorCount + 63) / 64 * 8) }

  /// Size of BAR4 in bytes, a power of two.
  public var size: UInt64 {
    let end = pendingBitsOffset + Self.pageSize
    return 1 << UInt64(UInt64.bitWidth - (end - 1).leadingZeroBitCount)
  }
}
