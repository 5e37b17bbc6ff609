/// A number of bytes as people write it on the command line: "512KiB", "1GiB", "10GB".
public struct ByteSize: Sendable, Equatable {
  /// The bytes.
  public let byteCount: UInt64

  /// Reads a whole number with a unit; nil where it is none, or is above 2^64 bytes.
  public init?(text: String) {
    guard let bytes = try? SizeText.parse(text) else { return nil }
    byteCount = bytes
  }
}
