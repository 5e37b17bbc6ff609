/// NSFEAT of Identify Namespace (NVM command set 1.0, 4.1.5).
@frozen public struct NamespaceFeatures: OptionSet, Sendable {
  /// The bits.
  public let rawValue: UInt8

  /// Wraps the bits.
  @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// The capacity may be less than the size (THINP).
  @inlinable public static var thinProvisioning: Self { Self(rawValue: 1 << 0) }

  /// NAWUN, NAWUPF and NACWU are those of the namespace (NSABP).
  @inlinable public static var atomicWriteUnits: Self { Self(rawValue: 1 << 1) }

  /// Reading a deallocated block may be made an error (DAE).
  @inlinable public static var deallocatedError: Self { Self(rawValue: 1 << 2) }

  /// NGUID and EUI64 are never used for another namespace (UIDREUSE).
  @inlinable public static var identifiersNotReused: Self { Self(rawValue: 1 << 3) }

  /// NPWG, NPWA, NPDG, NPDA and NOWS are set (OPTPERF).
  @inlinable public static var optimalPerformance: Self { Self(rawValue: 1 << 4) }
}

/// DLFEAT of Identify Namespace (NVM command set 1.0, 4.1.5).
@frozen public struct DeallocateFeatures: OptionSet, Sendable {
  /// The bits.
  public let rawValue: UInt8

  /// Wraps the bits.
  @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// Deallocated blocks read as zeros.
  @inlinable public static var readsZeros: Self { Self(rawValue: 1 << 0) }

  /// Deallocated blocks read as FFh bytes; instead of ``readsZeros``.
  @inlinable public static var readsOnes: Self { Self(rawValue: 1 << 1) }

  /// Write Zeroes heeds its Deallocate bit.
  @inlinable public static var writeZeroesDeallocate: Self { Self(rawValue: 1 << 3) }

  /// The guard of a deallocated block is the CRC of what it reads as.
  @inlinable public static var guardIsCRC: Self { Self(rawValue: 1 << 4) }
}

/// NSATTR of Identify Namespace (NVM command set 1.0, 4.1.5).
@frozen public struct NamespaceAttributes: OptionSet, Sendable {
  /// The bits.
  public let rawValue: UInt8

  /// Wraps the bits.
  @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// The namespace is write protected.
  @inlinable public static var writeProtected: Self { Self(rawValue: 1 << 0) }
}

/// RESCAP of Identify Namespace (NVM command set 1.0, 4.1.5).
@frozen public struct ReservationCapabilities: OptionSet, Sendable {
  /// The bits.
  public let rawValue: UInt8

  /// Wraps the bits.
  @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// Reservations can persist through a loss of power.
  @inlinable public static var persistThroughPowerLoss: Self { Self(rawValue: 1 << 0) }

  /// Write Exclusive.
  @inlinable public static var writeExclusive: Self { Self(rawValue: 1 << 1) }

  /// Exclusive Access.
  @inlinable public static var exclusiveAccess: Self { Self(rawValue: 1 << 2) }

  /// Write Exclusive - Registrants Only.
  @inlinable public static var writeExclusiveRegistrantsOnly: Self { Self(rawValue: 1 << 3) }

  /// Exclusive Access - Registrants Only.
  @inlinable public static var exclusiveAccessRegistrantsOnly: Self { Self(rawValue: 1 << 4) }

  /// Write Exclusive - All Registrants.
  @inlinable public static var writeExclusiveAllRegistrants: Self { Self(rawValue: 1 << 5) }

  /// Exclusive Access - All Registrants.
  @inlinable public static var exclusiveAccessAllRegistrants: Self { Self(rawValue: 1 << 6) }

  /// Ignore Existing Key is that of NVMe 1.3 and later.
  @inlinable public static var ignoreExistingKey: Self { Self(rawValue: 1 << 7) }
}
