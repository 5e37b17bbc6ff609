/// Supported Log Pages, log page 00h: 1024 bytes, one word for each log page (NVMe base 2.0, 5.16.1).
public struct SupportedLogPagesLog: Equatable, Sendable {
  /// The size of the structure in bytes.
  public static let byteCount = 1024

  var image: ByteImage

  /// Makes a structure of zeros.
  public init() { image = ByteImage(byteCount: Self.byteCount) }

  /// Reads a structure; nil if `bytes` are fewer than ``byteCount``.
  public init?(decoding bytes: some Collection<UInt8>) {
    guard let image = ByteImage(decoding: bytes, byteCount: Self.byteCount) else { return nil }
    self.image = image
  }

  /// The structure's 1024 bytes.
  public func encode() -> [UInt8] { image.bytes }

  /// Whether log page `identifier` is supported (LSUPP).
  public subscript(identifier: LogPageIdentifier) -> Bool {
    get { (image[4 * Int(identifier.rawValue)] as UInt32).bit(0) }
    set {
      var word: UInt32 = image[4 * Int(identifier.rawValue)]
      word.setBit(0, to: newValue)
      image[4 * Int(identifier.rawValue)] = word
    }
  }
}
