/// CRTO: how long the controller may take to become ready (NVMe base 2.0, 3.1.3.21).
@frozen public struct ControllerReadyTimeouts: RawRepresentable, Equatable, Sendable {
  /// The register.
  public var rawValue: UInt32

  /// Wraps the register.
  @inlinable public init(rawValue: UInt32 = 0) { self.rawValue = rawValue }

  /// CRWMT: the time to become ready with the media, in units of 500 ms.
  @inlinable public var readyWithMedia: UInt16 {
    get { UInt16(truncatingIfNeeded: rawValue) }
    set { rawValue.setField(at: 0, width: 16, to: UInt32(newValue)) }
  }

  /// CRIMT: the time to become ready independent of the media, in units of 500 ms.
  @inlinable public var readyIndependentOfMedia: UInt16 {
    get { UInt16(truncatingIfNeeded: rawValue &>> 16) }
    set { rawValue.setField(at: 16, width: 16, to: UInt32(newValue)) }
  }
}
