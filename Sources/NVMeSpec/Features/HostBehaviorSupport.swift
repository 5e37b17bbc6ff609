/// Host Behavior Support, feature 16h: 512 bytes of data (NVMe base 2.0, 5.27.1).
public struct HostBehaviorSupport: Equatable, Sendable {
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

  /// ACRE: the host heeds Command Retry Delay; the byte is 1.
  public var advancedCommandRetryEnable: Bool {
    get { image[0] as UInt8 != 0 }
    set { image[0] = newValue ? UInt8(1) : 0 }
  }

  /// ETDAS: the host knows telemetry data area 4; the byte is 1.
  public var extendedTelemetryDataArea4Supported: Bool {
    get { image[1] as UInt8 != 0 }
    set { image[1] = newValue ? UInt8(1) : 0 }
  }

  /// LBAFEE: the host knows the extended LBA formats; the byte is 1.
  public var lbaFormatExtensionEnable: Bool {
    get { image[2] as UInt8 != 0 }
    set { image[2] = newValue ? UInt8(1) : 0 }
  }

  /// CDFE: bit n for format n of the Copy command's descriptors, for formats 2 and up.
  public var copyDescriptorFormatsEnable: UInt16 {
    get { image[4] }
    set { image[4] = newValue }
  }
}
