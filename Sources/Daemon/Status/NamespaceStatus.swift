/// A namespace of a controller.
public struct NamespaceStatus: Codable, Sendable, Equatable {
  /// Namespace identifier.
  public var nsid: UInt32
  /// What it is made of.
  public var backend: NamespaceBackend
  /// The path of its image, or what it was called when it was handed over; nil where there is no image.
  public var image: String?
  /// Bytes.
  public var size: UInt64
  /// Bytes of a logical block.
  public var blockSize: Int
  /// Whether writes are refused.
  public var isReadOnly: Bool
  /// Whether deallocated blocks are given back to the host.
  public var discards: Bool
  /// Whether a flush has failed, after which every flush fails: what the guest believes safe may be lost.
  public var writeCacheFailed: Bool
  /// Namespace UUID, in its usual form.
  public var uuid: String
  /// Namespace Globally Unique Identifier, 32 hexadecimal digits; nil where there is none.
  public var nguid: String?
  /// IEEE Extended Unique Identifier, 16 hexadecimal digits; nil where there is none.
  public var eui64: String?
}
