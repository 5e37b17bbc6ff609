/// Asynchronous Event Configuration, feature 0Bh, and OAES of Identify Controller (NVMe base 2.0, 5.27.1).
///
/// The events of bits 7:0 are always supported, so OAES has only the others.
@frozen public struct AsynchronousEventConfiguration: OptionSet, Sendable {
  /// The bits.
  public let rawValue: UInt32

  /// Wraps the bits.
  @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// An event when the available spare falls below its threshold.
  @inlinable public static var spareBelowThreshold: Self { Self(rawValue: 1 << 0) }
  /// An event when a temperature passes a threshold.
  @inlinable public static var temperature: Self { Self(rawValue: 1 << 1) }
  /// An event when the reliability is degraded.
  @inlinable public static var reliabilityDegraded: Self { Self(rawValue: 1 << 2) }
  /// An event when the media become read only.
  @inlinable public static var readOnly: Self { Self(rawValue: 1 << 3) }
  /// An event when the backup of volatile memory fails.
  @inlinable public static var volatileMemoryBackupFailed: Self { Self(rawValue: 1 << 4) }
  /// An event when the persistent memory region becomes read only or unreliable.
  @inlinable public static var persistentMemoryRegionUnreliable: Self { Self(rawValue: 1 << 5) }
  /// Namespace Attribute Notices.
  @inlinable public static var namespaceAttributeNotices: Self { Self(rawValue: 1 << 8) }
  /// Firmware Activation Notices.
  @inlinable public static var firmwareActivationNotices: Self { Self(rawValue: 1 << 9) }
  /// Telemetry Log Notices; in OAES, LPA tells of them.
  @inlinable public static var telemetryLogNotices: Self { Self(rawValue: 1 << 10) }
  /// Asymmetric Namespace Access Change Notices.
  @inlinable public static var asymmetricNamespaceAccessChangeNotices: Self { Self(rawValue: 1 << 11) }
  /// Predictable Latency Event Aggregate Log Change Notices.
  @inlinable public static var predictableLatencyEventAggregateLogChangeNotices: Self { Self(rawValue: 1 << 12) }
  /// LBA Status Information Notices.
  @inlinable public static var lbaStatusInformationNotices: Self { Self(rawValue: 1 << 13) }
  /// Endurance Group Event Aggregate Log Change Notices.
  @inlinable public static var enduranceGroupEventAggregateLogChangeNotices: Self { Self(rawValue: 1 << 14) }
  /// Normal NVM Subsystem Shutdown.
  @inlinable public static var normalSubsystemShutdown: Self { Self(rawValue: 1 << 15) }
  /// Zone Descriptor Changed Notices.
  @inlinable public static var zoneDescriptorChangedNotices: Self { Self(rawValue: 1 << 27) }
  /// Discovery Log Page Change Notification.
  @inlinable public static var discoveryLogPageChange: Self { Self(rawValue: 1 << 31) }

  /// Bits 7:0, which are those of ``CriticalWarning`` in the SMART / health log.
  @inlinable public var criticalWarnings: CriticalWarning {
    CriticalWarning(rawValue: UInt8(truncatingIfNeeded: rawValue))
  }
}
