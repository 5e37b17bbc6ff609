/// An entry of Error Information, log page 01h: 64 bytes (NVMe base 2.0, 5.16.1). The newest entry comes first.
public struct ErrorInformationLogEntry: Equatable, Sendable {
  /// The size of the structure in bytes.
  public static let byteCount = 64

  var image: ByteImage

  /// Makes a structure of zeros.
  public init() { image = ByteImage(byteCount: Self.byteCount) }

  /// Reads a structure; nil if `bytes` are fewer than ``byteCount``.
  public init?(decoding bytes: some Collection<UInt8>) {
    guard let image = ByteImage(decoding: bytes, byteCount: Self.byteCount) else { return nil }
    self.image = image
  }

  /// The structure's 64 bytes.
  public func encode() -> [UInt8] { image.bytes }

  /// Error Count: the error's number, from 1; 0 for an entry without an error.
  public var errorCount: UInt64 {
    get { image[0] }
    set { image[0] = newValue }
  }

  /// Submission Queue ID: FFFFh if no command is concerned.
  public var submissionQueueIdentifier: UInt16 {
    get { image[8] }
    set { image[8] = newValue }
  }

  /// Command ID: FFFFh if no command is concerned.
  public var commandIdentifier: UInt16 {
    get { image[10] }
    set { image[10] = newValue }
  }

  /// Status Field in bits 15:1, and the phase tag in bit 0.
  public var statusAndPhase: UInt16 {
    get { image[12] }
    set { image[12] = newValue }
  }

  /// Parameter Error Location: the byte of the command in bits 7:0, the bit in bits 10:8; FFFFh for none.
  public var parameterErrorLocation: UInt16 {
    get { image[14] }
    set { image[14] = newValue }
  }

  /// LBA: the first block that is concerned.
  public var lba: UInt64 {
    get { image[16] }
    set { image[16] = newValue }
  }

  /// Namespace: the namespace that is concerned.
  public var namespaceIdentifier: UInt32 {
    get { image[24] }
    set { image[24] = newValue }
  }

  /// Vendor Specific Information Available: the log page that tells more, or 0.
  public var vendorSpecificInformationAvailable: UInt8 {
    get { image[28] }
    set { image[28] = newValue }
  }

  /// TRTYPE: the transport, if it is concerned.
  public var transportType: UInt8 {
    get { image[29] }
    set { image[29] = newValue }
  }

  /// Command Specific Information.
  public var commandSpecificInformation: UInt64 {
    get { image[32] }
    set { image[32] = newValue }
  }

  /// Transport Type Specific Information.
  public var transportTypeSpecificInformation: UInt16 {
    get { image[40] }
    set { image[40] = newValue }
  }

  /// The most entries of the log page: those that ELPE can tell of.
  public static let maximumCount = 256

  /// The status in ``statusAndPhase``; setting it clears the phase tag.
  public var status: Status {
    get { Status(rawValue: statusAndPhase >> 1) }
    set { statusAndPhase = newValue.rawValue << 1 }
  }

  /// The log page of `entryCount` entries, 64 bytes each: `entries`, the newest first, and empty ones after them.
  public static func encode(_ entries: [ErrorInformationLogEntry], entryCount: Int) -> [UInt8] {
    let entryCount = min(max(entryCount, 0), maximumCount)
    let page = entries.prefix(entryCount).flatMap { $0.encode() }
    return page + [UInt8](repeating: 0, count: entryCount * byteCount - page.count)
  }

  /// The entries of a log page that tell of an error; a part of an entry at the end is left out.
  public static func decode(_ page: [UInt8]) -> [ErrorInformationLogEntry] {
    stride(from: 0, to: page.count, by: byteCount).compactMap { start in
      guard let entry = ErrorInformationLogEntry(decoding: page[start...]) else { return nil }
      return entry.errorCount == 0 ? nil : entry
    }
  }
}
