import LinuxIO

/// DMA_MAP: a range of guest memory that the device may access from now on. The reply is a header alone.
///
/// Without a descriptor the memory can be reached by DMA_READ and DMA_WRITE only; such maps must be accepted, as a VMM
/// sends them for ROMs and for the BARs of other devices.
public struct DMAMap: Equatable, Sendable {
  /// Bytes of the struct.
  public static let size = 32

  /// What the device may do.
  public struct Flags: OptionSet, Sendable {
    /// The word as it is on the wire.
    public let rawValue: UInt32
    /// Wraps the word as it is on the wire.
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    /// The device may read.
    public static let read = Flags(rawValue: 1)
    /// The device may write.
    public static let write = Flags(rawValue: 2)
  }

  /// What the device may do.
  public var flags: Flags
  /// Where in the file behind the descriptor the memory begins.
  public var fileOffset: UInt64
  /// The address that the device uses for the first byte (IOVA).
  public var address: UInt64
  /// Bytes.
  public var length: UInt64

  /// A range of guest memory.
  public init(flags: Flags, fileOffset: UInt64, address: UInt64, length: UInt64) {
    self.flags = flags
    self.fileOffset = fileOffset
    self.address = address
    self.length = length
  }

  /// Reads a request. A tail after the struct is ignored.
  ///
  /// - Throws: `EINVAL` for a short payload or `argsz`, unknown flags, more than one descriptor, a length of 0, a range
  ///   that is not aligned to 4 KiB, a range or a range in the file that passes 2^64.
  init(decoding payload: Span<UInt8>, descriptorCount: Int) throws(Errno) {
    let argumentSize: UInt32 = try payload.integer(at: 0)
    let flags = Flags(rawValue: try payload.integer(at: 4))
    fileOffset = try payload.integer(at: 8)
    address = try payload.integer(at: 16)
    length = try payload.integer(at: 24)
    self.flags = flags
    guard argumentSize >= DMAMap.size, flags.isSubset(of: [.read, .write]), descriptorCount <= 1,
      length > 0, (address | length) % DMAMap.granularity == 0,
      !address.addingReportingOverflow(length - 1).overflow, !fileOffset.addingReportingOverflow(length - 1).overflow
    else { throw .invalidArgument }
  }

  /// What we announce as `pgsizes`.
  static let granularity: UInt64 = 4096

  /// Appends the struct.
  func encode(to bytes: inout [UInt8]) {
    bytes.append(integer: UInt32(DMAMap.size))
    bytes.append(integer: flags.rawValue)
    bytes.append(integer: fileOffset)
    bytes.append(integer: address)
    bytes.append(integer: length)
  }
}
