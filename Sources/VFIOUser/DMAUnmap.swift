import LinuxIO

/// DMA_UNMAP: the device must not access a range of guest memory any more once the reply is sent. The reply repeats it.
///
/// The range is not judged here: a VMM with a vIOMMU unmaps ranges that were never mapped, that span many maps, and that
/// reach up to 2^64.
public struct DMAUnmap: Equatable, Sendable {
  /// Bytes of the struct.
  public static let size = 24

  /// How the range is meant.
  public struct Flags: OptionSet, Sendable {
    /// The word as it is on the wire.
    public let rawValue: UInt32
    /// Wraps the word as it is on the wire.
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    /// The reply is to carry a bitmap of dirty pages: specification 0.9.1, not supported here.
    public static let dirtyBitmap = Flags(rawValue: 1)
    /// Everything that is mapped; address and length are 0.
    public static let all = Flags(rawValue: 2)
  }

  /// How the range is meant: `all` or nothing.
  public var flags: Flags
  /// The first address (IOVA).
  public var address: UInt64
  /// Bytes.
  public var length: UInt64

  /// One range of guest memory.
  public init(address: UInt64, length: UInt64) {
    flags = []
    self.address = address
    self.length = length
  }

  /// All guest memory.
  public static var all: DMAUnmap {
    var unmap = DMAUnmap(address: 0, length: 0)
    unmap.flags = .all
    return unmap
  }

  /// Reads a request, or the reply to one. A tail after the struct is ignored.
  ///
  /// - Throws: `EINVAL` for a short payload or `argsz`, unknown flags, or a range together with `all`; `ENOTSUP` where a
  ///   bitmap of dirty pages is asked for.
  init(decoding payload: Span<UInt8>) throws(Errno) {
    let argumentSize: UInt32 = try payload.integer(at: 0)
    flags = Flags(rawValue: try payload.integer(at: 4))
    address = try payload.integer(at: 8)
    length = try payload.integer(at: 16)
    guard argumentSize >= DMAUnmap.size, flags.isSubset(of: [.dirtyBitmap, .all]) else { throw .invalidArgument }
    if flags.contains(.all) {
      guard flags == .all, address == 0, length == 0 else { throw .invalidArgument }
    }
    if flags.contains(.dirtyBitmap) { throw .notSupported }
  }

  /// Appends the struct.
  func encode(to bytes: inout [UInt8]) {
    bytes.append(integer: UInt32(DMAUnmap.size))
    bytes.append(integer: flags.rawValue)
    bytes.append(integer: address)
    bytes.append(integer: length)
  }
}
