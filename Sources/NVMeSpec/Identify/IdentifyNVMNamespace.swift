/// I/O Command Set specific Identify Namespace of the NVM command set, CNS 05h with CSI 00h: 4096 bytes (NVM command
/// set 1.0, 4.1.5).
public struct IdentifyNVMNamespace: Equatable, Sendable {
  /// The size of the structure in bytes.
  public static let byteCount = 4096

  var image: ByteImage

  /// Makes a structure of zeros.
  public init() { image = ByteImage(byteCount: Self.byteCount) }

  /// Reads a structure; nil if `bytes` are fewer than ``byteCount``.
  public init?(decoding bytes: some Collection<UInt8>) {
    guard let image = ByteImage(decoding: bytes, byteCount: Self.byteCount) else { return nil }
    self.image = image
  }

  /// The structure's 4096 bytes.
  public func encode() -> [UInt8] { image.bytes }

  /// LBSTM: the bits of the storage tag that are compared.
  public var logicalBlockStorageTagMask: UInt64 {
    get { image[0] }
    set { image[0] = newValue }
  }

  /// PIC: what protection information with storage tags can do.
  public var protectionInformationCapabilities: UInt8 {
    get { image[8] }
    set { image[8] = newValue }
  }

  /// ELBAF0 to ELBAF63: the extended LBA format `index`, 0 to 63: bits 6:0 the size of the storage tag in bits, bits
  /// 8:7 the protection information format; nil beyond.
  public subscript(extendedLBAFormat index: Int) -> UInt32? {
    get { (0..<64).contains(index) ? image[12 + 4 * index] : nil }
    set {
      guard (0..<64).contains(index), let newValue else { return }
      image[12 + 4 * index] = newValue
    }
  }
}
