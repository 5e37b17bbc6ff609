/// CC: how the host sets the controller up (NVMe base 2.0, 3.1.3.5).
@frozen public struct ControllerConfiguration: RawRepresentable, Equatable, Sendable {
  /// The register.
  public var rawValue: UInt32

  /// Wraps the register.
  @inlinable public init(rawValue: UInt32 = 0) { self.rawValue = rawValue }

  /// EN: 0 to 1 enables the controller, 1 to 0 resets it.
  @inlinable public var enable: Bool {
    get { rawValue.bit(0) }
    set { rawValue.setBit(0, to: newValue) }
  }

  /// CSS: 0 for the NVM command set, 6 for all supported sets, 7 for the admin queue only.
  @inlinable public var commandSetSelected: UInt8 {
    get { UInt8(truncatingIfNeeded: rawValue.field(at: 4, width: 3)) }
    set { rawValue.setField(at: 4, width: 3, to: UInt32(newValue)) }
  }

  /// MPS: the page is 2^(12 + n) bytes, n of 0 to 15.
  @inlinable public var memoryPageSize: UInt8 {
    get { UInt8(truncatingIfNeeded: rawValue.field(at: 7, width: 4)) }
    set { rawValue.setField(at: 7, width: 4, to: UInt32(newValue)) }
  }

  /// The page size that ``memoryPageSize`` tells, in bytes: 4 KiB to 128 MiB.
  @inlinable public var memoryPageByteCount: Int { 1 &<< (12 &+ Int(memoryPageSize)) }

  /// AMS: 0 for round robin, 1 for weighted round robin with urgent class, 7 for a vendor's.
  @inlinable public var arbitrationMechanism: UInt8 {
    get { UInt8(truncatingIfNeeded: rawValue.field(at: 11, width: 3)) }
    set { rawValue.setField(at: 11, width: 3, to: UInt32(newValue)) }
  }

  /// SHN: the host's wish to shut down.
  @inlinable public var shutdownNotification: ShutdownNotification {
    get { ShutdownNotification(bits: rawValue &>> 14) }
    set { rawValue.setField(at: 14, width: 2, to: UInt32(newValue.rawValue)) }
  }

  /// IOSQES: an I/O submission queue entry is 2^n bytes; 6 for the NVM command set.
  @inlinable public var ioSubmissionQueueEntrySize: UInt8 {
    get { UInt8(truncatingIfNeeded: rawValue.field(at: 16, width: 4)) }
    set { rawValue.setField(at: 16, width: 4, to: UInt32(newValue)) }
  }

  /// IOCQES: an I/O completion queue entry is 2^n bytes; 4 for the NVM command set.
  @inlinable public var ioCompletionQueueEntrySize: UInt8 {
    get { UInt8(truncatingIfNeeded: rawValue.field(at: 20, width: 4)) }
    set { rawValue.setField(at: 20, width: 4, to: UInt32(newValue)) }
  }

  /// CRIME: whether the controller may become ready independent of its media.
  @inlinable public var crime: Bool {
    get { rawValue.bit(24) }
    set { rawValue.setBit(24, to: newValue) }
  }

  /// CSS for the NVM command set alone.
  @inlinable public static var nvmCommandSet: UInt8 { 0 }
  /// CSS for every I/O command set that the controller supports.
  @inlinable public static var allSupportedIOCommandSets: UInt8 { 6 }
  /// CSS for the admin queue only.
  @inlinable public static var adminCommandSetOnly: UInt8 { 7 }
}

/// CC.SHN: what kind of shutdown the host asks for.
@frozen public enum ShutdownNotification: UInt8, Sendable {
  /// No shutdown.
  case none = 0
  /// A normal one: commands complete and caches reach the medium.
  case normal = 1
  /// An abrupt one: power goes soon.
  case abrupt = 2
  /// Reserved.
  case reserved = 3

  @inlinable init(bits: UInt32) {
    switch bits & 3 {
    case 0: self = .none
    case 1: self = .normal
    case 2: self = .abrupt
    default: self = .reserved
    }
  }
}
