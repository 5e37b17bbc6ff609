import LinuxIO

/// DEVICE_GET_IRQ_INFO and its reply (`struct vfio_irq_info` of `linux/vfio.h`).
public struct IRQInfo: Equatable, Sendable {
  /// Bytes of the struct.
  public static let size = 16

  /// How the interrupts behave.
  public struct Flags: OptionSet, Sendable {
    /// The word as it is on the wire.
    public let rawValue: UInt32
    /// Wraps the word as it is on the wire.
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    /// They are signalled by eventfds.
    public static let eventFD = Flags(rawValue: 1)
    /// They can be masked.
    public static let maskable = Flags(rawValue: 2)
    /// One that fires is masked until it is unmasked.
    public static let automasked = Flags(rawValue: 4)
    /// The set can only be changed as a whole.
    public static let noResize = Flags(rawValue: 8)
  }

  /// The interrupt index.
  public var index: IRQIndex
  /// How the interrupts behave.
  public var flags: Flags
  /// How many there are; 0: the device has none of the kind.
  public var count: UInt32

  /// What is said about an interrupt index.
  public init(index: IRQIndex, flags: Flags, count: UInt32) {
    self.index = index
    self.flags = flags
    self.count = count
  }

  /// The index that a request asks about.
  ///
  /// - Throws: `EINVAL` for a short payload or `argsz`, or an index that no PCI device has.
  static func query(decoding payload: Span<UInt8>) throws(Errno) -> IRQIndex {
    guard payload.count >= size, try payload.integer(at: 0, as: UInt32.self) >= size else { throw .invalidArgument }
    return try IRQIndex(decoding: try payload.integer(at: 8))
  }

  /// Appends a request.
  static func encodeQuery(_ index: IRQIndex, to bytes: inout [UInt8]) {
    IRQInfo(index: index, flags: [], count: 0).encode(to: &bytes)
  }

  /// Reads a reply.
  ///
  /// - Throws: `EINVAL` for a short payload, or an index that no PCI device has.
  init(decoding payload: Span<UInt8>) throws(Errno) {
    flags = Flags(rawValue: try payload.integer(at: 4))
    index = try IRQIndex(decoding: try payload.integer(at: 8))
    count = try payload.integer(at: 12)
  }

  /// Appends the struct.
  func encode(to bytes: inout [UInt8]) {
    bytes.append(integer: UInt32(IRQInfo.size))
    bytes.append(integer: flags.rawValue)
    bytes.append(integer: index.rawValue)
    bytes.append(integer: count)
  }
}
