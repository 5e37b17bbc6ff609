/// A power state descriptor: 32 bytes of Identify Controller (NVMe base 2.0, 5.17.2, Power State Descriptor Data
/// Structure).
public struct PowerStateDescriptor: Equatable, Sendable {
  /// The size of the structure in bytes.
  public static let byteCount = 32

  var image: ByteImage

  /// Makes a structure of zeros.
  public init() { image = ByteImage(byteCount: Self.byteCount) }

  /// Reads a structure; nil if `bytes` are fewer than ``byteCount``.
  public init?(decoding bytes: some Collection<UInt8>) {
    guard let image = ByteImage(decoding: bytes, byteCount: Self.byteCount) else { return nil }
    self.image = image
  }

  /// The structure's 32 bytes.
  public func encode() -> [UInt8] { image.bytes }

  /// MP: the most power drawn, in units of 10 mW, or of 0.1 mW if ``PowerStateFlags/maximumPowerScale`` is set.
  public var maximumPower: UInt16 {
    get { image[0] }
    set { image[0] = newValue }
  }

  /// MXPS and NOPS.
  public var flags: PowerStateFlags {
    get { image[options: 3] }
    set { image[options: 3] = newValue }
  }

  /// ENLAT: the time to enter the state, in microseconds.
  public var entryLatency: UInt32 {
    get { image[4] }
    set { image[4] = newValue }
  }

  /// EXLAT: the time to leave the state, in microseconds.
  public var exitLatency: UInt32 {
    get { image[8] }
    set { image[8] = newValue }
  }

  /// RRT: the rank of the state, 0 for the best, less than the number of states.
  public var relativeReadThroughput: UInt8 {
    get { image[12] }
    set { image[12] = newValue }
  }

  /// RRL: the rank of the state, 0 for the best, less than the number of states.
  public var relativeReadLatency: UInt8 {
    get { image[13] }
    set { image[13] = newValue }
  }

  /// RWT: the rank of the state, 0 for the best, less than the number of states.
  public var relativeWriteThroughput: UInt8 {
    get { image[14] }
    set { image[14] = newValue }
  }

  /// RWL: the rank of the state, 0 for the best, less than the number of states.
  public var relativeWriteLatency: UInt8 {
    get { image[15] }
    set { image[15] = newValue }
  }

  /// IDLP: the power drawn when idle, in units of ``idlePowerScale``.
  public var idlePower: UInt16 {
    get { image[16] }
    set { image[16] = newValue }
  }

  /// IPS in bits 7:6: 0 not reported, 1 for 0.1 mW, 2 for 10 mW.
  public var idlePowerScale: UInt8 {
    get { image[18] }
    set { image[18] = newValue }
  }

  /// ACTP: the power drawn when active, in units of the scale in ``activePowerWorkloadAndScale``.
  public var activePower: UInt16 {
    get { image[20] }
    set { image[20] = newValue }
  }

  /// APW, the workload, in bits 2:0 and APS, the scale, in bits 7:6.
  public var activePowerWorkloadAndScale: UInt8 {
    get { image[22] }
    set { image[22] = newValue }
  }
}

/// Byte 3 of a power state descriptor.
@frozen public struct PowerStateFlags: OptionSet, Sendable {
  /// The bits.
  public let rawValue: UInt8

  /// Wraps the bits.
  @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// MXPS: the maximum power is in units of 0.1 mW.
  @inlinable public static var maximumPowerScale: Self { Self(rawValue: 1 << 0) }

  /// NOPS: no I/O commands are processed in this state.
  @inlinable public static var nonOperational: Self { Self(rawValue: 1 << 1) }
}
