/// Identify Namespace of the NVM command set, CNS 00h: 4096 bytes (NVM command set 1.0, 4.1.5).
public struct IdentifyNamespace: Equatable, Sendable {
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

  /// NSZE: the size in logical blocks.
  public var size: UInt64 {
    get { image[0] }
    set { image[0] = newValue }
  }

  /// NCAP: the most logical blocks that may be allocated.
  public var capacity: UInt64 {
    get { image[8] }
    set { image[8] = newValue }
  }

  /// NUSE: the logical blocks that are allocated.
  public var utilization: UInt64 {
    get { image[16] }
    set { image[16] = newValue }
  }

  /// NSFEAT: what the namespace can do.
  public var features: NamespaceFeatures {
    get { image[options: 24] }
    set { image[options: 24] = newValue }
  }

  /// NLBAF: the LBA formats, less one; 0 to 63.
  public var numberOfLBAFormats: UInt8 {
    get { image[25] }
    set { image[25] = newValue }
  }

  /// FLBAS: bits 3:0 and 6:5 the index of the format, bit 4 metadata follows each block's data.
  public var formattedLBASize: UInt8 {
    get { image[26] }
    set { image[26] = newValue }
  }

  /// MC: bit 0 metadata may follow each block's data, bit 1 it may be separate.
  public var metadataCapabilities: UInt8 {
    get { image[27] }
    set { image[27] = newValue }
  }

  /// DPC: bits 2:0 types 1 to 3, bit 3 first bytes, bit 4 last bytes of metadata.
  public var endToEndDataProtectionCapabilities: UInt8 {
    get { image[28] }
    set { image[28] = newValue }
  }

  /// DPS: bits 2:0 the type, bit 3 the first bytes of metadata.
  public var endToEndDataProtectionTypeSettings: UInt8 {
    get { image[29] }
    set { image[29] = newValue }
  }

  /// NMIC: bit 0 more than one controller may attach the namespace.
  public var multipathCapabilities: UInt8 {
    get { image[30] }
    set { image[30] = newValue }
  }

  /// RESCAP: the reservation types.
  public var reservationCapabilities: ReservationCapabilities {
    get { image[options: 31] }
    set { image[options: 31] = newValue }
  }

  /// FPI: bits 6:0 percent left of a format, bit 7 the indicator is supported.
  public var formatProgressIndicator: UInt8 {
    get { image[32] }
    set { image[32] = newValue }
  }

  /// DLFEAT: what deallocated blocks read as.
  public var deallocateFeatures: DeallocateFeatures {
    get { image[options: 33] }
    set { image[options: 33] = newValue }
  }

  /// NAWUN: like AWUN, of this namespace.
  public var atomicWriteUnitNormal: UInt16 {
    get { image[34] }
    set { image[34] = newValue }
  }

  /// NAWUPF: like AWUPF, of this namespace.
  public var atomicWriteUnitPowerFail: UInt16 {
    get { image[36] }
    set { image[36] = newValue }
  }

  /// NACWU: like ACWU, of this namespace.
  public var atomicCompareAndWriteUnit: UInt16 {
    get { image[38] }
    set { image[38] = newValue }
  }

  /// NABSN: in logical blocks, less one.
  public var atomicBoundarySizeNormal: UInt16 {
    get { image[40] }
    set { image[40] = newValue }
  }

  /// NABO: the first block of the first atomic boundary.
  public var atomicBoundaryOffset: UInt16 {
    get { image[42] }
    set { image[42] = newValue }
  }

  /// NABSPF: in logical blocks, less one.
  public var atomicBoundarySizePowerFail: UInt16 {
    get { image[44] }
    set { image[44] = newValue }
  }

  /// NOIOB: commands should not cross a multiple of this many blocks; 0 for no information.
  public var optimalIOBoundary: UInt16 {
    get { image[46] }
    set { image[46] = newValue }
  }

  /// NVMCAP: in bytes; for namespace management.
  public var nvmCapacity: UInt128 {
    get { image[48] }
    set { image[48] = newValue }
  }

  /// NPWG: in logical blocks, less one.
  public var preferredWriteGranularity: UInt16 {
    get { image[64] }
    set { image[64] = newValue }
  }

  /// NPWA: in logical blocks, less one.
  public var preferredWriteAlignment: UInt16 {
    get { image[66] }
    set { image[66] = newValue }
  }

  /// NPDG: in logical blocks, less one.
  public var preferredDeallocateGranularity: UInt16 {
    get { image[68] }
    set { image[68] = newValue }
  }

  /// NPDA: in logical blocks, less one.
  public var preferredDeallocateAlignment: UInt16 {
    get { image[70] }
    set { image[70] = newValue }
  }

  /// NOWS: in logical blocks, less one.
  public var optimalWriteSize: UInt16 {
    get { image[72] }
    set { image[72] = newValue }
  }

  /// MSSRL: the most logical blocks of a range of Copy.
  public var maximumSingleSourceRangeLength: UInt16 {
    get { image[74] }
    set { image[74] = newValue }
  }

  /// MCL: the most logical blocks of a Copy.
  public var maximumCopyLength: UInt32 {
    get { image[76] }
    set { image[76] = newValue }
  }

  /// MSRC: the most ranges of a Copy, less one.
  public var maximumSourceRangeCount: UInt8 {
    get { image[80] }
    set { image[80] = newValue }
  }

  /// ANAGRPID: the ANA group; 0 for none.
  public var anaGroupIdentifier: UInt32 {
    get { image[92] }
    set { image[92] = newValue }
  }

  /// NSATTR: attributes of the namespace.
  public var attributes: NamespaceAttributes {
    get { image[options: 99] }
    set { image[options: 99] = newValue }
  }

  /// NVMSETID: the NVM set; 0 for none.
  public var nvmSetIdentifier: UInt16 {
    get { image[100] }
    set { image[100] = newValue }
  }

  /// ENDGID: the endurance group; 0 for none.
  public var enduranceGroupIdentifier: UInt16 {
    get { image[102] }
    set { image[102] = newValue }
  }

  /// NGUID: the globally unique identifier, 16 bytes, the most significant first; zeros for none.
  public var nguid: [UInt8] {
    get { image[bytesAt: 104, count: 16] }
    set { image[bytesAt: 104, count: 16] = newValue }
  }

  /// EUI64: the IEEE extended unique identifier, 8 bytes, the most significant first; zeros for none.
  public var eui64: [UInt8] {
    get { image[bytesAt: 120, count: 8] }
    set { image[bytesAt: 120, count: 8] = newValue }
  }

  /// LBAF0 to LBAF63: the LBA format `index`, 0 to 63; nil beyond.
  public subscript(lbaFormat index: Int) -> LBAFormat? {
    get {
      guard (0..<64).contains(index) else { return nil }
      return LBAFormat(rawValue: image[128 + 4 * index])
    }
    set {
      guard (0..<64).contains(index), let newValue else { return }
      image[128 + 4 * index] = newValue.rawValue
    }
  }

  /// The index of the format in use: bits 3:0 of FLBAS, and bits 6:5 above them if there are more than 16 formats.
  public var formattedLBAFormatIndex: Int {
    let low = Int(formattedLBASize & 0xF)
    return numberOfLBAFormats > 15 ? low | Int(formattedLBASize & 0x60) >> 1 : low
  }

  /// The size of a logical block in bytes, from the format in use; nil if that is less than 512 bytes or more than 1
  /// GiB.
  public var logicalBlockByteCount: Int? { self[lbaFormat: formattedLBAFormatIndex]?.logicalBlockByteCount }

  /// Bytes 384 to 4095, which are the vendor's.
  public var vendorSpecific: [UInt8] {
    get { image[bytesAt: 384, count: 3712] }
    set { image[bytesAt: 384, count: 3712] = newValue }
  }
}
