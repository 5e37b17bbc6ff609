/// I/O Command Set specific Identify Controller of the NVM command set, CNS 06h with CSI 00h: 4096 bytes (NVM command
/// set 1.0, 4.1.5).
public struct IdentifyNVMController: Equatable, Sendable {
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

  /// VSL: Verify takes at most 2^n of the smallest pages (CAP.MPSMIN); 0 for no limit.
  public var verifySizeLimit: UInt8 {
    get { image[0] }
    set { image[0] = newValue }
  }

  /// WZSL: Write Zeroes takes at most 2^n of the smallest pages (CAP.MPSMIN); 0 for no limit.
  public var writeZeroesSizeLimit: UInt8 {
    get { image[1] }
    set { image[1] = newValue }
  }

  /// WUSL: Write Uncorrectable takes at most 2^n of the smallest pages (CAP.MPSMIN); 0 for no limit.
  public var writeUncorrectableSizeLimit: UInt8 {
    get { image[2] }
    set { image[2] = newValue }
  }

  /// DMRL: the most ranges of a Dataset Management command; 0 for no limit.
  public var datasetManagementRangesLimit: UInt8 {
    get { image[3] }
    set { image[3] = newValue }
  }

  /// DMRSL: the most logical blocks of one range; 0 for no limit.
  public var datasetManagementRangeSizeLimit: UInt32 {
    get { image[4] }
    set { image[4] = newValue }
  }

  /// DMSL: the most logical blocks of all ranges together; 0 for no limit.
  public var datasetManagementSizeLimit: UInt64 {
    get { image[8] }
    set { image[8] = newValue }
  }
}
