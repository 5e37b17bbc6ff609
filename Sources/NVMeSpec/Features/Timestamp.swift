/// Timestamp, feature 0Eh: 8 bytes of data (NVMe base 2.0, 5.27.1).
public struct Timestamp: Equatable, Sendable {
  /// The size of the data in bytes.
  public static let byteCount = 8

  /// Where the value comes from.
  @frozen public enum Origin: UInt8, Sendable {
    /// Cleared by a reset: it counts since then.
    case clearedByReset = 0b000
    /// Set by a host: it goes on from there.
    case setByHost = 0b001
  }

  /// Milliseconds, of 48 bits: since 1 January 1970 UTC if a host set them, without leap seconds.
  public var milliseconds: UInt64
  /// SYNCH: whether the controller may have stopped counting, as in a low power state.
  public var mayHaveStopped: Bool
  /// Timestamp Origin; nil for a reserved value.
  public var origin: Origin?

  /// Makes a timestamp; `milliseconds` are cut to 48 bits.
  public init(milliseconds: UInt64, origin: Origin = .setByHost, mayHaveStopped: Bool = false) {
    self.milliseconds = milliseconds & 0xFFFF_FFFF_FFFF
    self.origin = origin
    self.mayHaveStopped = mayHaveStopped
  }

  /// Reads a timestamp; nil if `bytes` are fewer than ``byteCount``.
  public init?(decoding bytes: some Collection<UInt8>) {
    guard let image = ByteImage(decoding: bytes, byteCount: Self.byteCount) else { return nil }
    let word: UInt64 = image[0]
    milliseconds = word.field(at: 0, width: 48)
    mayHaveStopped = word.bit(48)
    origin = Origin(rawValue: UInt8(truncatingIfNeeded: word.field(at: 49, width: 3)))
  }

  /// The 8 bytes that Get Features returns.
  public func encode() -> [UInt8] {
    var word = milliseconds & 0xFFFF_FFFF_FFFF
    word.setBit(48, to: mayHaveStopped)
    word.setField(at: 49, width: 3, to: UInt64(origin?.rawValue ?? 0))
    var image = ByteImage(byteCount: Self.byteCount)
    image[0] = word
    return image.bytes
  }
}
