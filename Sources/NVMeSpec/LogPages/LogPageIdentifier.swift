/// LID: the log pages (NVMe base 2.0, 5.16.1; NVM command set 1.0, 4.1.4).
@frozen public enum LogPageIdentifier: UInt8, Sendable, CaseIterable {
  /// ``SupportedLogPagesLog``.
  case supportedLogPages = 0x00
  /// ``ErrorInformationLogEntry``.
  case errorInformation = 0x01
  /// ``SMARTHealthLog``.
  case smartHealthInformation = 0x02
  /// ``FirmwareSlotLog``.
  case firmwareSlotInformation = 0x03
  /// ``ChangedNamespaceListLog``.
  case changedNamespaceList = 0x04
  /// ``CommandsSupportedAndEffectsLog``.
  case commandsSupportedAndEffects = 0x05
  /// Device Self-test.
  case deviceSelfTest = 0x06
  /// Telemetry Host-Initiated.
  case telemetryHostInitiated = 0x07
  /// Telemetry Controller-Initiated.
  case telemetryControllerInitiated = 0x08
  /// Endurance Group Information.
  case enduranceGroupInformation = 0x09
  /// Predictable Latency Per NVM Set.
  case predictableLatencyPerNVMSet = 0x0A
  /// Predictable Latency Event Aggregate.
  case predictableLatencyEventAggregate = 0x0B
  /// Asymmetric Namespace Access.
  case asymmetricNamespaceAccess = 0x0C
  /// Persistent Event Log.
  case persistentEvent = 0x0D
  /// LBA Status Information.
  case lbaStatusInformation = 0x0E
  /// Endurance Group Event Aggregate.
  case enduranceGroupEventAggregate = 0x0F
  /// Media Unit Status.
  case mediaUnitStatus = 0x10
  /// Supported Capacity Configuration List.
  case supportedCapacityConfigurationList = 0x11
  /// Feature Identifiers Supported and Effects.
  case featureIdentifiersSupportedAndEffects = 0x12
  /// NVMe-MI Commands Supported and Effects.
  case nvmeMICommandsSupportedAndEffects = 0x13
  /// Command and Feature Lockdown.
  case commandAndFeatureLockdown = 0x14
  /// Boot Partition.
  case bootPartition = 0x15
  /// Rotational Media Information.
  case rotationalMediaInformation = 0x16
  /// FDP Configurations.
  case fdpConfigurations = 0x20
  /// Reclaim Unit Handle Usage.
  case reclaimUnitHandleUsage = 0x21
  /// FDP Statistics.
  case fdpStatistics = 0x22
  /// FDP Events.
  case fdpEvents = 0x23
  /// Discovery.
  case discovery = 0x70
  /// Reservation Notification.
  case reservationNotification = 0x80
  /// Sanitize Status.
  case sanitizeStatus = 0x81
  /// Changed Zone List.
  case changedZoneList = 0xBF
}
