/// Get Features, admin command 0Ah (NVMe base 2.0, 5.15).
@frozen public struct GetFeaturesCommand: Sendable, Equatable {
  /// The command itself.
  public var entry: SubmissionQueueEntry

  /// Views `entry` as this command.
  @inlinable public init(_ entry: SubmissionQueueEntry) { self.entry = entry }

  /// FID: the feature, a ``FeatureIdentifier`` if it is a known one.
  @inlinable public var fid: UInt8 {
    get { UInt8(truncatingIfNeeded: entry.cdw10) }
    set { entry.cdw10.setField(at: 0, width: 8, to: UInt32(newValue)) }
  }

  /// SEL: which value is asked for, 0 to 7; a ``FeatureSelect`` if it is a known one.
  @inlinable public var select: UInt8 {
    get { UInt8(truncatingIfNeeded: entry.cdw10.field(at: 8, width: 3)) }
    set { entry.cdw10.setField(at: 8, width: 3, to: UInt32(newValue)) }
  }

  /// Command dword 11: specific to the feature.
  @inlinable public var cdw11: UInt32 {
    get { entry.cdw11 }
    set { entry.cdw11 = newValue }
  }

  /// NSID: the namespace, for features that are kept for each.
  @inlinable public var nsid: UInt32 {
    get { entry.namespaceIdentifier }
    set { entry.namespaceIdentifier = newValue }
  }
}

/// SEL of Get Features: which value is asked for.
@frozen public enum FeatureSelect: UInt8, Sendable {
  /// The value in effect.
  case current = 0
  /// The value after a factory reset.
  case `default` = 1
  /// The value that a reset restores.
  case saved = 2
  /// What can be done with the feature: ``FeatureCapabilities``.
  case supportedCapabilities = 3
}

/// Set Features, admin command 09h (NVMe base 2.0, 5.27).
@frozen public struct SetFeaturesCommand: Sendable, Equatable {
  /// The command itself.
  public var entry: SubmissionQueueEntry

  /// Views `entry` as this command.
  @inlinable public init(_ entry: SubmissionQueueEntry) { self.entry = entry }

  /// FID: the feature, a ``FeatureIdentifier`` if it is a known one.
  @inlinable public var fid: UInt8 {
    get { UInt8(truncatingIfNeeded: entry.cdw10) }
    set { entry.cdw10.setField(at: 0, width: 8, to: UInt32(newValue)) }
  }

  /// SV: whether the value outlives a reset.
  @inlinable public var save: Bool {
    get { entry.cdw10.bit(31) }
    set { entry.cdw10.setBit(31, to: newValue) }
  }

  /// Command dword 11: specific to the feature.
  @inlinable public var cdw11: UInt32 {
    get { entry.cdw11 }
    set { entry.cdw11 = newValue }
  }

  /// Command dword 12: specific to the feature.
  @inlinable public var cdw12: UInt32 {
    get { entry.cdw12 }
    set { entry.cdw12 = newValue }
  }

  /// Command dword 13: specific to the feature.
  @inlinable public var cdw13: UInt32 {
    get { entry.cdw13 }
    set { entry.cdw13 = newValue }
  }

  /// Command dword 15: specific to the feature.
  @inlinable public var cdw15: UInt32 {
    get { entry.cdw15 }
    set { entry.cdw15 = newValue }
  }

  /// NSID: the namespace, for features that are kept for each.
  @inlinable public var nsid: UInt32 {
    get { entry.namespaceIdentifier }
    set { entry.namespaceIdentifier = newValue }
  }
}
