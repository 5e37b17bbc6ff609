/// SMART / Health Information, log page 02h: 512 bytes (NVMe base 2.0, 5.16.1).
public struct SMARTHealthLog: Equatable, Sendable {
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

  /// Critical Warning: what is wrong now.
  public var criticalWarning: CriticalWarning {
    get { image[options: 0] }
    set { image[options: 0] = newValue }
  }

  /// Composite Temperature: in kelvins.
  public var compositeTemperature: UInt16 {
    get { image[1] }
    set { image[1] = newValue }
  }

  /// Available Spare: percent left.
  public var availableSpare: UInt8 {
    get { image[3] }
    set { image[3] = newValue }
  }

  /// Available Spare Threshold: in percent.
  public var availableSpareThreshold: UInt8 {
    get { image[4] }
    set { image[4] = newValue }
  }

  /// Percentage Used: an estimate of the life used, up to 255.
  public var percentageUsed: UInt8 {
    get { image[5] }
    set { image[5] = newValue }
  }

  /// Endurance Group Critical Warning Summary.
  public var enduranceGroupCriticalWarningSummary: UInt8 {
    get { image[6] }
    set { image[6] = newValue }
  }

  /// Data Units Read: in thousands of 512 bytes, rounded up.
  public var dataUnitsRead: UInt128 {
    get { image[32] }
    set { image[32] = newValue }
  }

  /// Data Units Written: in thousands of 512 bytes, rounded up.
  public var dataUnitsWritten: UInt128 {
    get { image[48] }
    set { image[48] = newValue }
  }

  /// Host Read Commands: Read and Compare.
  public var hostReadCommands: UInt128 {
    get { image[64] }
    set { image[64] = newValue }
  }

  /// Host Write Commands.
  public var hostWriteCommands: UInt128 {
    get { image[80] }
    set { image[80] = newValue }
  }

  /// Controller Busy Time: in minutes.
  public var controllerBusyTime: UInt128 {
    get { image[96] }
    set { image[96] = newValue }
  }

  /// Power Cycles.
  public var powerCycles: UInt128 {
    get { image[112] }
    set { image[112] = newValue }
  }

  /// Power On Hours.
  public var powerOnHours: UInt128 {
    get { image[128] }
    set { image[128] = newValue }
  }

  /// Unsafe Shutdowns: losses of power without a shutdown.
  public var unsafeShutdowns: UInt128 {
    get { image[144] }
    set { image[144] = newValue }
  }

  /// Media and Data Integrity Errors.
  public var mediaAndDataIntegrityErrors: UInt128 {
    get { image[160] }
    set { image[160] = newValue }
  }

  /// Number of Error Information Log Entries, over the life of the controller.
  public var numberOfErrorInformationLogEntries: UInt128 {
    get { image[176] }
    set { image[176] = newValue }
  }

  /// Warning Composite Temperature Time: in minutes.
  public var warningCompositeTemperatureTime: UInt32 {
    get { image[192] }
    set { image[192] = newValue }
  }

  /// Critical Composite Temperature Time: in minutes.
  public var criticalCompositeTemperatureTime: UInt32 {
    get { image[196] }
    set { image[196] = newValue }
  }

  /// Thermal Management Temperature 1 Transition Count.
  public var thermalManagementTemperature1TransitionCount: UInt32 {
    get { image[216] }
    set { image[216] = newValue }
  }

  /// Thermal Management Temperature 2 Transition Count.
  public var thermalManagementTemperature2TransitionCount: UInt32 {
    get { image[220] }
    set { image[220] = newValue }
  }

  /// Total Time For Thermal Management Temperature 1: in seconds.
  public var totalTimeForThermalManagementTemperature1: UInt32 {
    get { image[224] }
    set { image[224] = newValue }
  }

  /// Total Time For Thermal Management Temperature 2: in seconds.
  public var totalTimeForThermalManagementTemperature2: UInt32 {
    get { image[228] }
    set { image[228] = newValue }
  }

  /// Temperature Sensor 1 to 8: the temperature of `sensor`, 1 to 8, in kelvins; 0 if there is none; nil beyond.
  public subscript(temperatureSensor sensor: Int) -> UInt16? {
    get { (1...8).contains(sensor) ? image[198 + 2 * sensor] : nil }
    set {
      guard (1...8).contains(sensor), let newValue else { return }
      image[198 + 2 * sensor] = newValue
    }
  }

  /// The data units that `byteCount` bytes make: thousands of 512 bytes, rounded up.
  public static func dataUnits(ofByteCount byteCount: UInt128) -> UInt128 {
    byteCount / 512_000 + (byteCount % 512_000 == 0 ? 0 : 1)
  }
}

/// Critical Warning of the SMART / Health Information log (NVMe base 2.0, 5.16.1).
@frozen public struct CriticalWarning: OptionSet, Sendable {
  /// The bits.
  public let rawValue: UInt8

  /// Wraps the bits.
  @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// The available spare is below its threshold.
  @inlinable public static var spareBelowThreshold: Self { Self(rawValue: 1 << 0) }

  /// A temperature is beyond a threshold.
  @inlinable public static var temperature: Self { Self(rawValue: 1 << 1) }

  /// The reliability is degraded.
  @inlinable public static var reliabilityDegraded: Self { Self(rawValue: 1 << 2) }

  /// All media are read only.
  @inlinable public static var readOnly: Self { Self(rawValue: 1 << 3) }

  /// The backup of volatile memory failed.
  @inlinable public static var volatileMemoryBackupFailed: Self { Self(rawValue: 1 << 4) }

  /// The persistent memory region is read only or unreliable.
  @inlinable public static var persistentMemoryRegionUnreliable: Self { Self(rawValue: 1 << 5) }
}
