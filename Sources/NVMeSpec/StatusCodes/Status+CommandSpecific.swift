// Command specific status (NVMe base 2.0, 3.3.3.2.1.2; from 80h on of the NVM and Zoned Namespace command sets).

extension Status {
  /// Completion Queue Invalid (1/00).
  @inlinable public static var completionQueueInvalid: Status { Status(rawValue: 0x4100) }

  /// Invalid Queue Identifier (1/01).
  @inlinable public static var invalidQueueIdentifier: Status { Status(rawValue: 0x4101) }

  /// Invalid Queue Size (1/02).
  @inlinable public static var invalidQueueSize: Status { Status(rawValue: 0x4102) }

  /// Abort Command Limit Exceeded (1/03).
  @inlinable public static var abortCommandLimitExceeded: Status { Status(rawValue: 0x4103) }

  /// Asynchronous Event Request Limit Exceeded (1/05).
  @inlinable public static var asynchronousEventRequestLimitExceeded: Status { Status(rawValue: 0x4105) }

  /// Invalid Firmware Slot (1/06).
  @inlinable public static var invalidFirmwareSlot: Status { Status(rawValue: 0x4106) }

  /// Invalid Firmware Image (1/07).
  @inlinable public static var invalidFirmwareImage: Status { Status(rawValue: 0x4107) }

  /// Invalid Interrupt Vector (1/08).
  @inlinable public static var invalidInterruptVector: Status { Status(rawValue: 0x4108) }

  /// Invalid Log Page (1/09).
  @inlinable public static var invalidLogPage: Status { Status(rawValue: 0x4109) }

  /// Invalid Format (1/0A).
  @inlinable public static var invalidFormat: Status { Status(rawValue: 0x410A) }

  /// Firmware Activation Requires Conventional Reset (1/0B).
  @inlinable public static var firmwareActivationRequiresConventionalReset: Status { Status(rawValue: 0x410B) }

  /// Invalid Queue Deletion (1/0C).
  @inlinable public static var invalidQueueDeletion: Status { Status(rawValue: 0x410C) }

  /// Feature Identifier Not Saveable (1/0D).
  @inlinable public static var featureNotSaveable: Status { Status(rawValue: 0x410D) }

  /// Feature Not Changeable (1/0E).
  @inlinable public static var featureNotChangeable: Status { Status(rawValue: 0x410E) }

  /// Feature Not Namespace Specific (1/0F).
  @inlinable public static var featureNotNamespaceSpecific: Status { Status(rawValue: 0x410F) }

  /// Firmware Activation Requires NVM Subsystem Reset (1/10).
  @inlinable public static var firmwareActivationRequiresSubsystemReset: Status { Status(rawValue: 0x4110) }

  /// Firmware Activation Requires Controller Level Reset (1/11).
  @inlinable public static var firmwareActivationRequiresControllerReset: Status { Status(rawValue: 0x4111) }

  /// Firmware Activation Requires Maximum Time Violation (1/12).
  @inlinable public static var firmwareActivationRequiresMaximumTimeViolation: Status { Status(rawValue: 0x4112) }

  /// Firmware Activation Prohibited (1/13).
  @inlinable public static var firmwareActivationProhibited: Status { Status(rawValue: 0x4113) }

  /// Overlapping Range (1/14).
  @inlinable public static var overlappingRange: Status { Status(rawValue: 0x4114) }

  /// Namespace Insufficient Capacity (1/15).
  @inlinable public static var namespaceInsufficientCapacity: Status { Status(rawValue: 0x4115) }

  /// Namespace Identifier Unavailable (1/16).
  @inlinable public static var namespaceIdentifierUnavailable: Status { Status(rawValue: 0x4116) }

  /// Namespace Already Attached (1/18).
  @inlinable public static var namespaceAlreadyAttached: Status { Status(rawValue: 0x4118) }

  /// Namespace Is Private (1/19).
  @inlinable public static var namespaceIsPrivate: Status { Status(rawValue: 0x4119) }

  /// Namespace Not Attached (1/1A).
  @inlinable public static var namespaceNotAttached: Status { Status(rawValue: 0x411A) }

  /// Thin Provisioning Not Supported (1/1B).
  @inlinable public static var thinProvisioningNotSupported: Status { Status(rawValue: 0x411B) }

  /// Controller List Invalid (1/1C).
  @inlinable public static var controllerListInvalid: Status { Status(rawValue: 0x411C) }

  /// Device Self-test In Progress (1/1D); may be retried.
  @inlinable public static var deviceSelfTestInProgress: Status { Status(rawValue: 0x011D) }

  /// Boot Partition Write Prohibited (1/1E).
  @inlinable public static var bootPartitionWriteProhibited: Status { Status(rawValue: 0x411E) }

  /// Invalid Controller Identifier (1/1F).
  @inlinable public static var invalidControllerIdentifier: Status { Status(rawValue: 0x411F) }

  /// Invalid Secondary Controller State (1/20).
  @inlinable public static var invalidSecondaryControllerState: Status { Status(rawValue: 0x4120) }

  /// Invalid Number of Controller Resources (1/21).
  @inlinable public static var invalidNumberOfControllerResources: Status { Status(rawValue: 0x4121) }

  /// Invalid Resource Identifier (1/22).
  @inlinable public static var invalidResourceIdentifier: Status { Status(rawValue: 0x4122) }

  /// Sanitize Prohibited While Persistent Memory Region is Enabled (1/23).
  @inlinable public static var sanitizeProhibitedWhilePMREnabled: Status { Status(rawValue: 0x4123) }

  /// ANA Group Identifier Invalid (1/24).
  @inlinable public static var anaGroupIdentifierInvalid: Status { Status(rawValue: 0x4124) }

  /// ANA Attach Failed (1/25).
  @inlinable public static var anaAttachFailed: Status { Status(rawValue: 0x4125) }

  /// Insufficient Capacity (1/26).
  @inlinable public static var insufficientCapacity: Status { Status(rawValue: 0x4126) }

  /// Namespace Attachment Limit Exceeded (1/27).
  @inlinable public static var namespaceAttachmentLimitExceeded: Status { Status(rawValue: 0x4127) }

  /// Prohibition of Command Execution Not Supported (1/28).
  @inlinable public static var prohibitionOfCommandExecutionNotSupported: Status { Status(rawValue: 0x4128) }

  /// I/O Command Set Not Supported (1/29).
  @inlinable public static var ioCommandSetNotSupported: Status { Status(rawValue: 0x4129) }

  /// I/O Command Set Not Enabled (1/2A).
  @inlinable public static var ioCommandSetNotEnabled: Status { Status(rawValue: 0x412A) }

  /// I/O Command Set Combination Rejected (1/2B).
  @inlinable public static var ioCommandSetCombinationRejected: Status { Status(rawValue: 0x412B) }

  /// Invalid I/O Command Set (1/2C).
  @inlinable public static var invalidIOCommandSet: Status { Status(rawValue: 0x412C) }

  /// Identifier Unavailable (1/2D).
  @inlinable public static var identifierUnavailable: Status { Status(rawValue: 0x412D) }

  /// Conflicting Attributes (1/80).
  @inlinable public static var conflictingAttributes: Status { Status(rawValue: 0x4180) }

  /// Invalid Protection Information (1/81).
  @inlinable public static var invalidProtectionInformation: Status { Status(rawValue: 0x4181) }

  /// Attempted Write to Read Only Range (1/82).
  @inlinable public static var attemptedWriteToReadOnlyRange: Status { Status(rawValue: 0x4182) }

  /// Command Size Limit Exceeded (1/83).
  @inlinable public static var commandSizeLimitExceeded: Status { Status(rawValue: 0x4183) }

  /// Zone Boundary Error (1/B8).
  @inlinable public static var zoneBoundaryError: Status { Status(rawValue: 0x41B8) }

  /// Zone Is Full (1/B9).
  @inlinable public static var zoneIsFull: Status { Status(rawValue: 0x41B9) }

  /// Zone Is Read Only (1/BA).
  @inlinable public static var zoneIsReadOnly: Status { Status(rawValue: 0x41BA) }

  /// Zone Is Offline (1/BB).
  @inlinable public static var zoneIsOffline: Status { Status(rawValue: 0x41BB) }

  /// Zone Invalid Write (1/BC).
  @inlinable public static var zoneInvalidWrite: Status { Status(rawValue: 0x41BC) }

  /// Too Many Active Zones (1/BD).
  @inlinable public static var tooManyActiveZones: Status { Status(rawValue: 0x41BD) }

  /// Too Many Open Zones (1/BE).
  @inlinable public static var tooManyOpenZones: Status { Status(rawValue: 0x41BE) }

  /// Invalid Zone State Transition (1/BF).
  @inlinable public static var invalidZoneStateTransition: Status { Status(rawValue: 0x41BF) }
}
