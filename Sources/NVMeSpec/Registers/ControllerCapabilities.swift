/// CAP: what the controller can do; read only for the host (NVMe base 2.0, 3.1.3.1).
@frozen public struct ControllerCapabilities: RawRepresentable, Equatable, Sendable {
  /// The register.
  public var rawValue: UInt64

  /// Wraps the register.
  @inlinable public init(rawValue: UInt64 = 0) { self.rawValue = rawValue }

  /// MQES: the most entries of an I/O queue, less one.
  @inlinable public var maximumQueueEntriesSupported: UInt16 {
    get { UInt16(truncatingIfNeeded: rawValue) }
    set { rawValue.setField(at: 0, width: 16, to: UInt64(newValue)) }
  }

  /// CQR: whether I/O queues must be physically contiguous.
  @inlinable public var contiguousQueuesRequired: Bool {
    get { rawValue.bit(16) }
    set { rawValue.setBit(16, to: newValue) }
  }

  /// AMS: bit 0 for weighted round robin with urgent class, bit 1 for a vendor's arbitration.
  @inlinable public var arbitrationMechanismsSupported: UInt8 {
    get { UInt8(truncatingIfNeeded: rawValue.field(at: 17, width: 2)) }
    set { rawValue.setField(at: 17, width: 2, to: UInt64(newValue)) }
  }

  /// TO: how long the host waits for CSTS.RDY to follow CC.EN, in units of 500 ms.
  @inlinable public var timeout: UInt8 {
    get { UInt8(truncatingIfNeeded: rawValue.field(at: 24, width: 8)) }
    set { rawValue.setField(at: 24, width: 8, to: UInt64(newValue)) }
  }

  /// DSTRD: doorbells lie 2^(2 + n) bytes apart.
  @inlinable public var doorbellStride: UInt8 {
    get { UInt8(truncatingIfNeeded: rawValue.field(at: 32, width: 4)) }
    set { rawValue.setField(at: 32, width: 4, to: UInt64(newValue)) }
  }

  /// NSSRS: whether the NSSR register works.
  @inlinable public var subsystemResetSupported: Bool {
    get { rawValue.bit(36) }
    set { rawValue.setBit(36, to: newValue) }
  }

  /// CSS: bit 0 for the NVM command set, bit 6 for any number of I/O command sets, bit 7 for none.
  @inlinable public var commandSetsSupported: UInt8 {
    get { UInt8(truncatingIfNeeded: rawValue.field(at: 37, width: 8)) }
    set { rawValue.setField(at: 37, width: 8, to: UInt64(newValue)) }
  }

  /// BPS: whether there are boot partitions.
  @inlinable public var bootPartitionSupport: Bool {
    get { rawValue.bit(45) }
    set { rawValue.setBit(45, to: newValue) }
  }

  /// CPS: what a power scope covers: 0 not reported, 1 controller, 2 domain, 3 subsystem.
  @inlinable public var controllerPowerScope: UInt8 {
    get { UInt8(truncatingIfNeeded: rawValue.field(at: 46, width: 2)) }
    set { rawValue.setField(at: 46, width: 2, to: UInt64(newValue)) }
  }

  /// MPSMIN: the smallest page is 2^(12 + n) bytes.
  @inlinable public var memoryPageSizeMinimum: UInt8 {
    get { UInt8(truncatingIfNeeded: rawValue.field(at: 48, width: 4)) }
    set { rawValue.setField(at: 48, width: 4, to: UInt64(newValue)) }
  }

  /// MPSMAX: the largest page is 2^(12 + n) bytes.
  @inlinable public var memoryPageSizeMaximum: UInt8 {
    get { UInt8(truncatingIfNeeded: rawValue.field(at: 52, width: 4)) }
    set { rawValue.setField(at: 52, width: 4, to: UInt64(newValue)) }
  }

  /// PMRS: whether there is a persistent memory region.
  @inlinable public var persistentMemoryRegionSupported: Bool {
    get { rawValue.bit(56) }
    set { rawValue.setBit(56, to: newValue) }
  }

  /// CMBS: whether there is a controller memory buffer.
  @inlinable public var controllerMemoryBufferSupported: Bool {
    get { rawValue.bit(57) }
    set { rawValue.setBit(57, to: newValue) }
  }

  /// NSSS: whether the NSSD register works.
  @inlinable public var subsystemShutdownSupported: Bool {
    get { rawValue.bit(58) }
    set { rawValue.setBit(58, to: newValue) }
  }

  /// CRMS, bit 0: whether the controller can become ready with its media (CRWMS).
  @inlinable public var readyWithMediaSupported: Bool {
    get { rawValue.bit(59) }
    set { rawValue.setBit(59, to: newValue) }
  }

  /// CRMS, bit 1: whether the controller can become ready before its media (CRIMS).
  @inlinable public var readyIndependentOfMediaSupported: Bool {
    get { rawValue.bit(60) }
    set { rawValue.setBit(60, to: newValue) }
  }
}

/// The bits of ``ControllerCapabilities/commandSetsSupported``.
public enum CommandSetsSupported {
  /// The NVM command set.
  @inlinable public static var nvm: UInt8 { 1 << 0 }
  /// Any number of I/O command sets, as Identify tells.
  @inlinable public static var ioCommandSets: UInt8 { 1 << 6 }
  /// No I/O command set.
  @inlinable public static var adminOnly: UInt8 { 1 << 7 }
}
