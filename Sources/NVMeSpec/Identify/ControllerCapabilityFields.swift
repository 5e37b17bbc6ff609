/// CMIC: multi-path I/O and namespace sharing capabilities (NVMe base 2.0, 5.17.2).
@frozen public struct MultipathCapabilities: OptionSet, Sendable {
  /// The bits.
  public let rawValue: UInt8

  /// Wraps the bits.
  @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// The subsystem may have more than one port.
  @inlinable public static var multiplePorts: Self { Self(rawValue: 1 << 0) }

  /// The subsystem may have more than one controller.
  @inlinable public static var multipleControllers: Self { Self(rawValue: 1 << 1) }

  /// The controller is an SR-IOV virtual function.
  @inlinable public static var virtualFunction: Self { Self(rawValue: 1 << 2) }

  /// The subsystem reports asymmetric namespace access.
  @inlinable public static var asymmetricNamespaceAccessReporting: Self { Self(rawValue: 1 << 3) }
}

/// CTRATT: attributes of the controller (NVMe base 2.0, 5.17.2).
@frozen public struct ControllerAttributes: OptionSet, Sendable {
  /// The bits.
  public let rawValue: UInt32

  /// Wraps the bits.
  @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// 128-bit host identifiers (HIDS).
  @inlinable public static var extendedHostIdentifier: Self { Self(rawValue: 1 << 0) }

  /// Non-operational power state permissive mode (NOPSPM).
  @inlinable public static var nonOperationalPowerStatePermissiveMode: Self { Self(rawValue: 1 << 1) }

  /// NVM sets (NSETS).
  @inlinable public static var nvmSets: Self { Self(rawValue: 1 << 2) }

  /// Read recovery levels (RRLVLS).
  @inlinable public static var readRecoveryLevels: Self { Self(rawValue: 1 << 3) }

  /// Endurance groups (EGS).
  @inlinable public static var enduranceGroups: Self { Self(rawValue: 1 << 4) }

  /// Predictable latency mode (PLM).
  @inlinable public static var predictableLatencyMode: Self { Self(rawValue: 1 << 5) }

  /// Traffic based keep alive (TBKAS).
  @inlinable public static var trafficBasedKeepAlive: Self { Self(rawValue: 1 << 6) }

  /// Namespace granularity (NG).
  @inlinable public static var namespaceGranularity: Self { Self(rawValue: 1 << 7) }

  /// SQ associations (SQA).
  @inlinable public static var submissionQueueAssociations: Self { Self(rawValue: 1 << 8) }

  /// UUID list (ULIST).
  @inlinable public static var uuidList: Self { Self(rawValue: 1 << 9) }

  /// Multi-domain subsystem (MDS).
  @inlinable public static var multiDomainSubsystem: Self { Self(rawValue: 1 << 10) }

  /// Fixed capacity management (FCM).
  @inlinable public static var fixedCapacityManagement: Self { Self(rawValue: 1 << 11) }

  /// Variable capacity management (VCM).
  @inlinable public static var variableCapacityManagement: Self { Self(rawValue: 1 << 12) }

  /// Delete endurance group (DEG).
  @inlinable public static var deleteEnduranceGroup: Self { Self(rawValue: 1 << 13) }

  /// Delete NVM set (DNVMS).
  @inlinable public static var deleteNVMSet: Self { Self(rawValue: 1 << 14) }

  /// Extended LBA formats (ELBAS).
  @inlinable public static var extendedLBAFormats: Self { Self(rawValue: 1 << 15) }

  /// Flexible data placement (FDPS).
  @inlinable public static var flexibleDataPlacement: Self { Self(rawValue: 1 << 19) }
}

/// OACS: the optional admin commands (NVMe base 2.0, 5.17.2).
@frozen public struct OptionalAdminCommands: OptionSet, Sendable {
  /// The bits.
  public let rawValue: UInt16

  /// Wraps the bits.
  @inlinable public init(rawValue: UInt16) { self.rawValue = rawValue }

  /// Security Send and Security Receive.
  @inlinable public static var security: Self { Self(rawValue: 1 << 0) }

  /// Format NVM.
  @inlinable public static var formatNVM: Self { Self(rawValue: 1 << 1) }

  /// Firmware Commit and Firmware Image Download.
  @inlinable public static var firmware: Self { Self(rawValue: 1 << 2) }

  /// Namespace Management and Namespace Attachment.
  @inlinable public static var namespaceManagement: Self { Self(rawValue: 1 << 3) }

  /// Device Self-test.
  @inlinable public static var deviceSelfTest: Self { Self(rawValue: 1 << 4) }

  /// Directive Send and Directive Receive.
  @inlinable public static var directives: Self { Self(rawValue: 1 << 5) }

  /// NVMe-MI Send and NVMe-MI Receive.
  @inlinable public static var nvmeMI: Self { Self(rawValue: 1 << 6) }

  /// Virtualization Management.
  @inlinable public static var virtualizationManagement: Self { Self(rawValue: 1 << 7) }

  /// Doorbell Buffer Config.
  @inlinable public static var doorbellBufferConfig: Self { Self(rawValue: 1 << 8) }

  /// Get LBA Status.
  @inlinable public static var getLBAStatus: Self { Self(rawValue: 1 << 9) }

  /// Lockdown.
  @inlinable public static var commandAndFeatureLockdown: Self { Self(rawValue: 1 << 10) }
}

/// LPA: what the log pages can do (NVMe base 2.0, 5.17.2).
@frozen public struct LogPageAttributes: OptionSet, Sendable {
  /// The bits.
  public let rawValue: UInt8

  /// Wraps the bits.
  @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// The SMART / health log is kept for each namespace.
  @inlinable public static var smartPerNamespace: Self { Self(rawValue: 1 << 0) }

  /// There is a commands supported and effects log.
  @inlinable public static var commandsSupportedAndEffects: Self { Self(rawValue: 1 << 1) }

  /// Get Log Page takes an offset and the upper half of the number of dwords.
  @inlinable public static var extendedData: Self { Self(rawValue: 1 << 2) }

  /// There are telemetry logs and notices.
  @inlinable public static var telemetry: Self { Self(rawValue: 1 << 3) }

  /// There is a persistent event log.
  @inlinable public static var persistentEvent: Self { Self(rawValue: 1 << 4) }

  /// There is a log of the supported log pages, and offsets may be indexes.
  @inlinable public static var supportedLogPages: Self { Self(rawValue: 1 << 5) }

  /// Telemetry has a fourth data area.
  @inlinable public static var telemetryDataArea4: Self { Self(rawValue: 1 << 6) }
}
