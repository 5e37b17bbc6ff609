/// Firmware Slot Information, log page 03h: 512 bytes (NVMe base 2.0, 5.16.1).
public struct FirmwareSlotLog: Equatable, Sendable {
  /// The size of the structure in bytes.
  public static let byteCount = 512

  var image: ByteImage

  /// Makes a structure of zeros.
  public init() { image = ByteImage(byteCount: Self.byteCount) }

  /// Reads a structure; nil if `bytes` are fewer than ``byteCount``.
  public init?(decoding bytes: some Collection<UInt8>) {
    guard let image = ByteImage(decoding: bytes, byteCount: Self.byteCount) else { return nil }
    self.image = image
  }

  /// The structure's 512 bytes.
  public func encode() -> [UInt8] { image.bytes }

  /// AFI: the slot in use in bits 2:0, the slot after the next reset in bits 6:4, 0 for the same.
  public var activeFirmwareInformation: UInt8 {
    get { image[0] }
    set { image[0] = newValue }
  }

  /// FRS1 to FRS7: the firmware revision in `slot`, 1 to 7, at most 8 ASCII characters; empty for none, nil beyond.
  public subscript(revisionInSlot slot: Int) -> String? {
    get { (1...7).contains(slot) ? image[asciiAt: 8 * slot, count: 8] : nil }
    set {
      guard (1...7).contains(slot), let newValue else { return }
      image[asciiAt: 8 * slot, count: 8] = newValue
    }
  }
}
