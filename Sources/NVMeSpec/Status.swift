/// The outcome of a command: the status field of a completion without its phase tag (NVMe base 2.0, 3.3.3.2.1).
///
/// The constants carry Do Not Retry where the same command would fail again. It is clear on what passes by itself: an
/// abort, a loss of power, an interruption, a namespace that is not ready, an operation in progress, a path or
/// transport error, an internal error, and an error of the medium.
@frozen public struct Status: RawRepresentable, Equatable, Hashable, Sendable, Error {
  /// SC in bits 7:0, SCT in bits 10:8, CRD in bits 12:11, More in bit 13, DNR in bit 14.
  public let rawValue: UInt16

  /// Wraps a status field; bit 15 is dropped.
  @inlinable public init(rawValue: UInt16) { self.rawValue = rawValue & 0x7FFF }

  /// Makes a status of its type and code.
  @inlinable public init(type: StatusCodeType, code: UInt8, doNotRetry: Bool) {
    rawValue = UInt16(code) | UInt16(type.rawValue) &<< 8 | (doNotRetry ? 0x4000 : 0)
  }

  /// SC: what happened, within its type.
  @inlinable public var statusCode: UInt8 { UInt8(truncatingIfNeeded: rawValue) }

  /// SCT: which table ``statusCode`` is of.
  @inlinable public var statusCodeType: StatusCodeType { StatusCodeType(bits: rawValue &>> 8) }

  /// DNR: whether the same command would fail again.
  @inlinable public var doNotRetry: Bool { rawValue & 0x4000 != 0 }

  /// M: whether the error information log tells more.
  @inlinable public var more: Bool { rawValue & 0x2000 != 0 }

  /// CRD: which of the controller's retry delays applies, 0 for none.
  @inlinable public var commandRetryDelay: UInt8 { UInt8(truncatingIfNeeded: rawValue.field(at: 11, width: 2)) }

  /// Whether the command succeeded.
  @inlinable public var isSuccess: Bool { rawValue & 0x07FF == 0 }

  /// The same status with Do Not Retry clear.
  @inlinable public func retryable() -> Status { Status(rawValue: rawValue & ~0x4000) }

  /// The same status with Do Not Retry set.
  @inlinable public func notRetryable() -> Status { Status(rawValue: rawValue | 0x4000) }

  /// The same status with More set or clear.
  @inlinable public func withMore(_ more: Bool) -> Status {
    Status(rawValue: more ? rawValue | 0x2000 : rawValue & ~0x2000)
  }

  /// Whether type and code are those of `other`, whatever the flags.
  @inlinable public func isSameCode(as other: Status) -> Bool { (rawValue ^ other.rawValue) & 0x07FF == 0 }
}

/// The tables of status codes (NVMe base 2.0, 3.3.3.2.1, Status Code Type).
@frozen public enum StatusCodeType: UInt8, Sendable {
  /// Generic command status: for any command.
  case generic = 0
  /// Command specific status.
  case commandSpecific = 1
  /// Media and data integrity errors.
  case mediaError = 2
  /// Path related status.
  case path = 3
  /// Reserved.
  case reserved4 = 4
  /// Reserved.
  case reserved5 = 5
  /// Reserved.
  case reserved6 = 6
  /// Defined by the vendor.
  case vendorSpecific = 7

  @inlinable init(bits: UInt16) {
    switch bits & 7 {
    case 0: self = .generic
    case 1: self = .commandSpecific
    case 2: self = .mediaError
    case 3: self = .path
    case 4: self = .reserved4
    case 5: self = .reserved5
    case 6: self = .reserved6
    default: self = .vendorSpecific
    }
  }
}
