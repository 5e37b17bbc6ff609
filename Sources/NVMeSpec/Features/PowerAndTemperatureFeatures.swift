/// Power Management, feature 02h (NVMe base 2.0, 5.27.1).
@frozen public struct PowerManagementFeature: RawRepresentable, Equatable, Sendable {
  /// Command dword 11 of Set Features, and dword 0 of the completion of Get Features.
  public var rawValue: UInt32

  /// Wraps the value.
  @inlinable public init(rawValue: UInt32 = 0) { self.rawValue = rawValue }

  /// PS: the power state to be in.
  @inlinable public var powerState: UInt8 {
    get { UInt8(truncatingIfNeeded: rawValue.field(at: 0, width: 5)) }
    set { rawValue.setField(at: 0, width: 5, to: UInt32(newValue)) }
  }

  /// WH: the kind of workload that is expected; 0 for none.
  @inlinable public var workloadHint: UInt8 {
    get { UInt8(truncatingIfNeeded: rawValue.field(at: 5, width: 3)) }
    set { rawValue.setField(at: 5, width: 3, to: UInt32(newValue)) }
  }
}

/// Temperature Threshold, feature 04h (NVMe base 2.0, 5.27.1).
@frozen public struct TemperatureThresholdFeature: RawRepresentable, Equatable, Sendable {
  /// Command dword 11 of Set Features, and dword 0 of the completion of Get Features.
  public var rawValue: UInt32

  /// Wraps the value.
  @inlinable public init(rawValue: UInt32 = 0) { self.rawValue = rawValue }

  /// TMPTH: the threshold in kelvins.
  @inlinable public var threshold: UInt16 {
    get { UInt16(truncatingIfNeeded: rawValue.field(at: 0, width: 16)) }
    set { rawValue.setField(at: 0, width: 16, to: UInt32(newValue)) }
  }

  /// TMPSEL: 0 the composite temperature, 1 to 8 a sensor, Fh all of them (Set Features only).
  @inlinable public var sensor: UInt8 {
    get { UInt8(truncatingIfNeeded: rawValue.field(at: 16, width: 4)) }
    set { rawValue.setField(at: 16, width: 4, to: UInt32(newValue)) }
  }

  /// THSEL: 0 for over, 1 for under temperature; others are reserved.
  @inlinable public var type: UInt8 {
    get { UInt8(truncatingIfNeeded: rawValue.field(at: 20, width: 2)) }
    set { rawValue.setField(at: 20, width: 2, to: UInt32(newValue)) }
  }

  /// TMPSEL for all thresholds.
  @inlinable public static var allSensors: UInt8 { 0xF }
  /// THSEL for an over temperature threshold.
  @inlinable public static var overTemperature: UInt8 { 0 }
  /// THSEL for an under temperature threshold.
  @inlinable public static var underTemperature: UInt8 { 1 }
}
