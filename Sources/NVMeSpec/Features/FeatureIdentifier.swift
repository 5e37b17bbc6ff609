/// FID: the features (NVMe base 2.0, 5.27.1; NVM command set 1.0, 4.1.3).
@frozen public enum FeatureIdentifier: UInt8, Sendable, CaseIterable {
  /// ``ArbitrationFeature``.
  case arbitration = 0x01
  /// ``PowerManagementFeature``.
  case powerManagement = 0x02
  /// LBA Range Type.
  case lbaRangeType = 0x03
  /// ``TemperatureThresholdFeature``.
  case temperatureThreshold = 0x04
  /// ``ErrorRecoveryFeature``.
  case errorRecovery = 0x05
  /// ``VolatileWriteCacheFeature``.
  case volatileWriteCache = 0x06
  /// ``NumberOfQueuesFeature``.
  case numberOfQueues = 0x07
  /// ``InterruptCoalescingFeature``.
  case interruptCoalescing = 0x08
  /// ``InterruptVectorConfigurationFeature``.
  case interruptVectorConfiguration = 0x09
  /// ``WriteAtomicityFeature``.
  case writeAtomicityNormal = 0x0A
  /// ``AsynchronousEventConfiguration``.
  case asynchronousEventConfiguration = 0x0B
  /// Autonomous Power State Transition.
  case autonomousPowerStateTransition = 0x0C
  /// Host Memory Buffer.
  case hostMemoryBuffer = 0x0D
  /// ``Timestamp``.
  case timestamp = 0x0E
  /// Keep Alive Timer.
  case keepAliveTimer = 0x0F
  /// Host Controlled Thermal Management.
  case hostControlledThermalManagement = 0x10
  /// Non-Operational Power State Config.
  case nonOperationalPowerStateConfig = 0x11
  /// Read Recovery Level Config.
  case readRecoveryLevelConfig = 0x12
  /// Predictable Latency Mode Config.
  case predictableLatencyModeConfig = 0x13
  /// Predictable Latency Mode Window.
  case predictableLatencyModeWindow = 0x14
  /// LBA Status Information Report Interval.
  case lbaStatusInformationReportInterval = 0x15
  /// ``HostBehaviorSupport``.
  case hostBehaviorSupport = 0x16
  /// Sanitize Config.
  case sanitizeConfig = 0x17
  /// Endurance Group Event Configuration.
  case enduranceGroupEventConfiguration = 0x18
  /// I/O Command Set Profile.
  case ioCommandSetProfile = 0x19
  /// Spinup Control.
  case spinupControl = 0x1A
  /// Flexible Data Placement.
  case flexibleDataPlacement = 0x1D
  /// Flexible Data Placement Events.
  case flexibleDataPlacementEvents = 0x1E
  /// Enhanced Controller Metadata.
  case enhancedControllerMetadata = 0x7D
  /// Controller Metadata.
  case controllerMetadata = 0x7E
  /// Namespace Metadata.
  case namespaceMetadata = 0x7F
  /// Software Progress Marker.
  case softwareProgressMarker = 0x80
  /// Host Identifier.
  case hostIdentifier = 0x81
  /// Reservation Notification Mask.
  case reservationNotificationMask = 0x82
  /// Reservation Persistence.
  case reservationPersistence = 0x83
  /// ``NamespaceWriteProtectionState``.
  case namespaceWriteProtectionConfig = 0x84
}

/// What can be done with a feature: dword 0 of Get Features with SEL 3 (NVMe base 2.0, 5.15).
@frozen public struct FeatureCapabilities: OptionSet, Sendable {
  /// The bits.
  public let rawValue: UInt32

  /// Wraps the bits.
  @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// The value can be saved.
  @inlinable public static var saveable: Self { Self(rawValue: 1 << 0) }
  /// The value is kept for each namespace.
  @inlinable public static var namespaceSpecific: Self { Self(rawValue: 1 << 1) }
  /// The value can be changed.
  @inlinable public static var changeable: Self { Self(rawValue: 1 << 2) }
}
