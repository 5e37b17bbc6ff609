/// A namespace, as far as I/O needs it.
public struct HostNamespace: Equatable, Sendable {
  /// NSID.
  public let identifier: UInt32
  /// NSZE: logical blocks.
  public let blockCount: UInt64
  /// Bytes of a logical block.
  public let blockByteCount: Int
}
