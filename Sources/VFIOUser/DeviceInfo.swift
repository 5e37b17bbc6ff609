import LinuxIO

/// The reply to DEVICE_GET_INFO: what kind of device it is (`struct vfio_device_info` of `linux/vfio.h`).
public struct DeviceInfo: Equatable, Sendable {
  /// Bytes of the struct.
  public static let size = 16

  /// What the device is and can do.
  public struct Flags: OptionSet, Sendable {
    /// The word as it is on the wire.
    public let rawValue: UInt32
    /// Wraps the word as it is on the wire.
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    /// It takes DEVICE_RESET.
    public static let reset = Flags(rawValue: 1)
    /// It is a PCI device.
    public static let pci = Flags(rawValue: 2)
  }

  /// What the device is and can do.
  public var flags: Flags
  /// How many regions it has.
  public var regionCount: UInt32
  /// How many interrupt indices it has.
  public var irqCount: UInt32

  /// A PCI device that can be reset.
  public init(
    flags: Flags = [.reset, .pci], regionCount: UInt32 = RegionIndex.count, irqCount: UInt32 = IRQIndex.count
  ) {
    self.flags = flags
    self.regionCount = regionCount
    self.irqCount = irqCount
  }

  /// Checks a request. cloud-hypervisor's `argsz` is 32, as it counts the header.
  ///
  /// - Throws: `EINVAL` for a short payload or `argsz`.
  static func checkQuery(_ payload: Span<UInt8>) throws(Errno) {
    guard payload.count >= size, try payload.integer(at: 0, as: UInt32.self) >= size else { throw .invalidArgument }
  }

  /// Appends a request.
  static func encodeQuery(to bytes: inout [UInt8]) {
    DeviceInfo(flags: [], regionCount: 0, irqCount: 0).encode(to: &bytes)
  }

  /// Reads a reply.
  ///
  /// - Throws: `EINVAL` for a short payload.
  init(decoding payload: Span<UInt8>) throws(Errno) {
    flags = Flags(rawValue: try payload.integer(at: 4))
    regionCount = try payload.integer(at: 8)
    irqCount = try payload.integer(at: 12)
  }

  /// Appends the struct.
  func encode(to bytes: inout [UInt8]) {
    bytes.append(integer: UInt32(DeviceInfo.size))
    bytes.append(integer: flags.rawValue)
    bytes.append(integer: regionCount)
    bytes.append(integer: irqCount)
  }
}
