/// Error Recovery, feature 05h (NVM command set 1.0, 4.1.3).
@frozen public struct ErrorRecoveryFeature: RawRepresentable, Equatable, Sendable {
  /// Command dword 11 of Set Features, and dword 0 of the completion of Get Features.
  public var rawValue: UInt32

  /// Wraps the value.
  @inlinable public init(rawValue: UInt32 = 0) { self.rawValue = rawValue }

  /// TLER: how long to try to recover an error, in units of 100 ms; 0 for no limit.
  @inlinable public var timeLimitedErrorRecovery: UInt16 {
    get { UInt16(truncatingIfNeeded: rawValue.field(at: 0, width: 16)) }
    set { rawValue.setField(at: 0, width: 16, to: UInt32(newValue)) }
  }

  /// DULBE: whether reading a deallocated block is an error.
  @inlinable public var deallocatedOrUnwrittenErrorEnable: Bool {
    get { rawValue.bit(16) }
    set { rawValue.setBit(16, to: newValue) }
  }
}

/// Volatile Write Cache, feature 06h (NVMe base 2.0, 5.27.1).
@frozen public struct VolatileWriteCacheFeature: RawRepresentable, Equatable, Sendable {
  /// Command dword 11 of Set Features, and dword 0 of the completion of Get Features.
  public var rawValue: UInt32

  /// Wraps the value.
  @inlinable public init(rawValue: UInt32 = 0) { self.rawValue = rawValue }

  /// WCE: whether the volatile write cache is in use.
  @inlinable public var enabled: Bool {
    get { rawValue.bit(0) }
    set { rawValue.setBit(0, to: newValue) }
  }
}

/// Write Atomicity Normal, feature 0Ah (NVM command set 1.0, 4.1.3).
@frozen public struct WriteAtomicityFeature: RawRepresentable, Equatable, Sendable {
  /// Command dword 11 of Set Features, and dword 0 of the completion of Get Features.
  public var rawValue: UInt32

  /// Wraps the value.
  @inlinable public init(rawValue: UInt32 = 0) { self.rawValue = rawValue }

  /// DN: whether AWUN and NAWUN need not be heeded, only AWUPF and NAWUPF.
  @inlinable public var disableNormal: Bool {
    get { rawValue.bit(0) }
    set { rawValue.setBit(0, to: newValue) }
  }
}

/// Namespace Write Protection Config, feature 84h, in bits 2:0 (NVMe base 2.0, 8, Namespace Write Protection).
@frozen public enum NamespaceWriteProtectionState: UInt8, Sendable {
  /// The namespace may be written.
  case noWriteProtect = 0
  /// The namespace is write protected.
  case writeProtect = 1
  /// The namespace is write protected until the next power cycle.
  case writeProtectUntilPowerCycle = 2
  /// The namespace is write protected for ever.
  case permanentWriteProtect = 3
}
