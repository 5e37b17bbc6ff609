/// A list of controller identifiers in increasing order, CNS 12h and 13h: 4096 bytes (NVMe base 2.0, 4, List Data
/// Structures).
public struct ControllerList: Equatable, Sendable {
  /// The size of the list in bytes.
  public static let byteCount = 4096
  /// The most identifiers of a list.
  public static let maximumCount = 2047

  /// The identifiers.
  public var identifiers: [UInt16]

  /// Makes a list of `identifiers`.
  public init(_ identifiers: [UInt16] = []) { self.identifiers = identifiers }

  /// Makes the list that Identify returns for a controller identifier of `first`: the first 2047 of `identifiers` that
  /// are not less, in increasing order.
  public init(_ identifiers: some Sequence<UInt16>, from first: UInt16) {
    self.identifiers = [UInt16](identifiers.filter { $0 >= first }.sorted().prefix(Self.maximumCount))
  }

  /// Reads a list; nil if `bytes` are fewer than ``byteCount`` or tell of more than ``maximumCount`` identifiers.
  public init?(decoding bytes: some Collection<UInt8>) {
    guard let image = ByteImage(decoding: bytes, byteCount: Self.byteCount) else { return nil }
    let count: UInt16 = image[0]
    guard count <= Self.maximumCount else { return nil }
    identifiers = (0..<Int(count)).map { image[2 + 2 * $0] }
  }

  /// The list's 4096 bytes: the count, at most 2047 identifiers, and zeros after them.
  public func encode() -> [UInt8] {
    var image = ByteImage(byteCount: Self.byteCount)
    let listed = identifiers.prefix(Self.maximumCount)
    image[0] = UInt16(truncatingIfNeeded: listed.count)
    for (index, identifier) in listed.enumerated() { image[2 + 2 * index] = identifier }
    return image.bytes
  }
}
