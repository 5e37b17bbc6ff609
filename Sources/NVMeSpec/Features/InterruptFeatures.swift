/// Interrupt Coalescing, feature 08h (NVMe base 2.0, 5.27.1).
@frozen public struct InterruptCoalescingFeature: RawRepresentable, Equatable, Sendable {
  /// Command dword 11 of Set Features, and dword 0 of the completion of Get Features.
  public var rawValue: UInt32

  /// Wraps the value.
  @inlinable public init(rawValue: UInt32 = 0) { self.rawValue = rawValue }

  /// THR: the completions that an interrupt should wait for, less one.
  @inlinable public var aggregationThreshold: UInt8 {
    get { UInt8(truncatingIfNeeded: rawValue.field(at: 0, width: 8)) }
    set { rawValue.setField(at: 0, width: 8, to: UInt32(newValue)) }
  }

  /// TIME: how long an interrupt may be delayed, in units of 100 microseconds; 0 for no delay.
  @inlinable public var aggregationTime: UInt8 {
    get { UInt8(truncatingIfNeeded: rawValue.field(at: 8, width: 8)) }
    set { rawValue.setField(at: 8, width: 8, to: UInt32(newValue)) }
  }
}

/// Interrupt Vector Configuration, feature 09h (NVMe base 2.0, 5.27.1).
@frozen public struct InterruptVectorConfigurationFeature: RawRepresentable, Equatable, Sendable {
  /// Command dword 11 of Set Features, and dword 0 of the completion of Get Features.
  public var rawValue: UInt32

  /// Wraps the value.
  @inlinable public init(rawValue: UInt32 = 0) { self.rawValue = rawValue }

  /// IV: the vector.
  @inlinable public var interruptVector: UInt16 {
    get { UInt16(truncatingIfNeeded: rawValue.field(at: 0, width: 16)) }
    set { rawValue.setField(at: 0, width: 16, to: UInt32(newValue)) }
  }

  /// CD: whether the vector is exempt from coalescing.
  @inlinable public var coalescingDisable: Bool {
    get { rawValue.bit(16) }
    set { rawValue.setBit(16, to: newValue) }
  }
}
