/// The size of a logical block (LBA) that a namespace shows.
public enum LogicalBlockSize: Int, Sendable, CaseIterable {
  /// LBADS 9.
  case bytes512 = 512
  /// LBADS 12.
  case bytes4096 = 4096

  /// Its binary logarithm: LBADS of the LBA format (NVM Command Set specification, LBA Format data structure).
  @inlinable public var shift: Int { self == .bytes512 ? 9 : 12 }
}
