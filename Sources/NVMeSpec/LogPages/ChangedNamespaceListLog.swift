/// Changed Namespace List, log page 04h: 4096 bytes (NVMe base 2.0, 5.16.1).
public struct ChangedNamespaceListLog: Equatable, Sendable {
  /// The size of the page in bytes.
  public static let byteCount = 4096
  /// The most identifiers of the page.
  public static let maximumCount = 1024

  /// The namespaces that changed since the page was last read; nil if they are more than ``maximumCount``.
  public var identifiers: [UInt32]?

  /// Makes a page of the namespaces that changed, in any order; if they are more than ``maximumCount``, it says only
  /// that.
  public init(_ identifiers: some Sequence<UInt32>) {
    let sorted = identifiers.sorted()
    self.identifiers = sorted.count > Self.maximumCount ? nil : sorted
  }

  /// Reads a page; nil if `bytes` are fewer than ``byteCount``.
  public init?(decoding bytes: some Collection<UInt8>) {
    guard let list = NamespaceList(decoding: bytes) else { return nil }
    identifiers = list.identifiers.first == 0xFFFF_FFFF ? nil : list.identifiers
  }

  /// The page's 4096 bytes: the identifiers and zeros after them, or FFFFFFFFh and zeros if they are too many.
  public func encode() -> [UInt8] {
    guard let identifiers, identifiers.count <= Self.maximumCount else { return NamespaceList([0xFFFF_FFFF]).encode() }
    return NamespaceList(identifiers).encode()
  }
}
