/// A list of namespace identifiers in increasing order, CNS 02h, 07h and 10h: 4096 bytes (NVMe base 2.0, 4, List Data
/// Structures).
public struct NamespaceList: Equatable, Sendable {
  /// The size of the list in bytes.
  public static let byteCount = 4096
  /// The most identifiers of a list.
  public static let maximumCount = 1024

  /// The identifiers.
  public var identifiers: [UInt32]

  /// Makes a list of `identifiers`.
  public init(_ identifiers: [UInt32] = []) { self.identifiers = identifiers }

  /// Makes the list that Identify returns for a namespace identifier of `previous`: the first 1024 of `identifiers`
  /// that are greater, in increasing order.
  public init(_ identifiers: some Sequence<UInt32>, greaterThan previous: UInt32) {
    self.identifiers = [UInt32](identifiers.filter { $0 > previous }.sorted().prefix(Self.maximumCount))
  }

  /// Reads a list up to its first 0; nil if `bytes` are fewer than ``byteCount``.
  public init?(decoding bytes: some Collection<UInt8>) {
    guard let image = ByteImage(decoding: bytes, byteCount: Self.byteCount) else { return nil }
    identifiers = []
    for index in 0..<Self.maximumCount {
      let identifier: UInt32 = image[4 * index]
      guard identifier != 0 else { break }
      identifiers.append(identifier)
    }
  }

  /// The list's 4096 bytes: at most 1024 identifiers, and zeros after them.
  public func encode() -> [UInt8] {
    var image = ByteImage(byteCount: Self.byteCount)
    for (index, identifier) in identifiers.prefix(Self.maximumCount).enumerated() { image[4 * index] = identifier }
    return image.bytes
  }
}
