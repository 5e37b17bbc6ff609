/// ONCS: the optional I/O commands and features (NVMe base 2.0, 5.17.2).
@frozen public struct OptionalNVMCommands: OptionSet, Sendable {
  /// The bits.
  public let rawValue: UInt16

  /// Wraps the bits.
  @inlinable public init(rawValue: UInt16) { self.rawValue = rawValue }

  /// Compare.
  @inlinable public static var compare: Self { Self(rawValue: 1 << 0) }

  /// Write Uncorrectable.
  @inlinable public static var writeUncorrectable: Self { Self(rawValue: 1 << 1) }

  /// Dataset Management.
  @inlinable public static var datasetManagement: Self { Self(rawValue: 1 << 2) }

  /// Write Zeroes.
  @inlinable public static var writeZeroes: Self { Self(rawValue: 1 << 3) }

  /// Features can be saved, and Get Features heeds SEL.
  @inlinable public static var saveAndSelect: Self { Self(rawValue: 1 << 4) }

  /// Reservations.
  @inlinable public static var reservations: Self { Self(rawValue: 1 << 5) }

  /// The timestamp feature.
  @inlinable public static var timestamp: Self { Self(rawValue: 1 << 6) }

  /// Verify.
  @inlinable public static var verify: Self { Self(rawValue: 1 << 7) }

  /// Copy.
  @inlinable public static var copy: Self { Self(rawValue: 1 << 8) }
}

/// FUSES: the fused operations (NVMe base 2.0, 5.17.2).
@frozen public struct FusedOperations: OptionSet, Sendable {
  /// The bits.
  public let rawValue: UInt16

  /// Wraps the bits.
  @inlinable public init(rawValue: UInt16) { self.rawValue = rawValue }

  /// Compare and Write.
  @inlinable public static var compareAndWrite: Self { Self(rawValue: 1 << 0) }
}

/// VWC: whether there is a volatile write cache, and what Flush does for all namespaces (NVMe base 2.0, 5.17.2).
@frozen public struct VolatileWriteCacheAttributes: OptionSet, Sendable {
  /// The bits.
  public let rawValue: UInt8

  /// Wraps the bits.
  @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// There is a volatile write cache.
  @inlinable public static var present: Self { Self(rawValue: 1 << 0) }

  /// Flush with a namespace identifier of FFFFFFFFh fails.
  @inlinable public static var flushAllNotSupported: Self { Self(rawValue: 0b10 << 1) }

  /// Flush with a namespace identifier of FFFFFFFFh flushes all namespaces.
  @inlinable public static var flushAllSupported: Self { Self(rawValue: 0b11 << 1) }
}

/// SGLS: whether I/O commands may use SGLs, and which (NVMe base 2.0, 5.17.2).
@frozen public struct SGLSupport: OptionSet, Sendable {
  /// The bits.
  public let rawValue: UInt32

  /// Wraps the bits.
  @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// SGLs are supported, without alignment or granularity.
  @inlinable public static var supported: Self { Self(rawValue: 1 << 0) }

  /// SGLs are supported, with a dword alignment and granularity; instead of ``supported``.
  @inlinable public static var supportedDwordAligned: Self { Self(rawValue: 1 << 1) }

  /// Keyed data block descriptors.
  @inlinable public static var keyedDataBlock: Self { Self(rawValue: 1 << 2) }

  /// Bit bucket descriptors.
  @inlinable public static var bitBucket: Self { Self(rawValue: 1 << 16) }

  /// MPTR may hold the byte aligned address of contiguous metadata.
  @inlinable public static var metadataContiguousByteAligned: Self { Self(rawValue: 1 << 17) }

  /// An SGL may be longer than the data.
  @inlinable public static var oversized: Self { Self(rawValue: 1 << 18) }

  /// MPTR may hold the address of one SGL descriptor.
  @inlinable public static var metadataSGL: Self { Self(rawValue: 1 << 19) }

  /// The address of a data block, segment or last segment may be an offset.
  @inlinable public static var offset: Self { Self(rawValue: 1 << 20) }

  /// Transport data block descriptors.
  @inlinable public static var transportDataBlock: Self { Self(rawValue: 1 << 21) }
}
