// Generic command status (NVMe base 2.0, 3.3.3.2.1.1; from 80h on also the NVM command set).

extension Status {
  /// Success (0/00).
  @inlinable public static var success: Status { Status(rawValue: 0x0000) }

  /// Invalid Command Opcode (0/01).
  @inlinable public static var invalidOpcode: Status { Status(rawValue: 0x4001) }

  /// Invalid Field in Command (0/02).
  @inlinable public static var invalidField: Status { Status(rawValue: 0x4002) }

  /// Command ID Conflict (0/03).
  @inlinable public static var commandIdentifierConflict: Status { Status(rawValue: 0x4003) }

  /// Data Transfer Error (0/04).
  @inlinable public static var dataTransferError: Status { Status(rawValue: 0x4004) }

  /// Commands Aborted due to Power Loss Notification (0/05); may be retried.
  @inlinable public static var abortedPowerLoss: Status { Status(rawValue: 0x0005) }

  /// Internal Error (0/06); may be retried.
  @inlinable public static var internalError: Status { Status(rawValue: 0x0006) }

  /// Command Abort Requested (0/07); may be retried.
  @inlinable public static var abortRequested: Status { Status(rawValue: 0x0007) }

  /// Command Aborted due to SQ Deletion (0/08); may be retried.
  @inlinable public static var abortedSQDeletion: Status { Status(rawValue: 0x0008) }

  /// Command Aborted due to Failed Fused Command (0/09).
  @inlinable public static var abortedFailedFused: Status { Status(rawValue: 0x4009) }

  /// Command Aborted due to Missing Fused Command (0/0A).
  @inlinable public static var abortedMissingFused: Status { Status(rawValue: 0x400A) }

  /// Invalid Namespace or Format (0/0B).
  @inlinable public static var invalidNamespace: Status { Status(rawValue: 0x400B) }

  /// Command Sequence Error (0/0C).
  @inlinable public static var commandSequenceError: Status { Status(rawValue: 0x400C) }

  /// Invalid SGL Segment Descriptor (0/0D).
  @inlinable public static var invalidSGLSegmentDescriptor: Status { Status(rawValue: 0x400D) }

  /// Invalid Number of SGL Descriptors (0/0E).
  @inlinable public static var invalidNumberOfSGLDescriptors: Status { Status(rawValue: 0x400E) }

  /// Data SGL Length Invalid (0/0F).
  @inlinable public static var dataSGLLengthInvalid: Status { Status(rawValue: 0x400F) }

  /// Metadata SGL Length Invalid (0/10).
  @inlinable public static var metadataSGLLengthInvalid: Status { Status(rawValue: 0x4010) }

  /// SGL Descriptor Type Invalid (0/11).
  @inlinable public static var sglDescriptorTypeInvalid: Status { Status(rawValue: 0x4011) }

  /// Invalid Use of Controller Memory Buffer (0/12).
  @inlinable public static var invalidUseOfControllerMemoryBuffer: Status { Status(rawValue: 0x4012) }

  /// PRP Offset Invalid (0/13).
  @inlinable public static var invalidPRPOffset: Status { Status(rawValue: 0x4013) }

  /// Atomic Write Unit Exceeded (0/14).
  @inlinable public static var atomicWriteUnitExceeded: Status { Status(rawValue: 0x4014) }

  /// Operation Denied (0/15).
  @inlinable public static var operationDenied: Status { Status(rawValue: 0x4015) }

  /// SGL Offset Invalid (0/16).
  @inlinable public static var sglOffsetInvalid: Status { Status(rawValue: 0x4016) }

  /// Host Identifier Inconsistent Format (0/18).
  @inlinable public static var hostIdentifierInconsistentFormat: Status { Status(rawValue: 0x4018) }

  /// Keep Alive Timer Expired (0/19).
  @inlinable public static var keepAliveTimerExpired: Status { Status(rawValue: 0x4019) }

  /// Keep Alive Timeout Invalid (0/1A).
  @inlinable public static var keepAliveTimeoutInvalid: Status { Status(rawValue: 0x401A) }

  /// Command Aborted due to Preempt and Abort (0/1B).
  @inlinable public static var abortedPreempt: Status { Status(rawValue: 0x401B) }

  /// Sanitize Failed (0/1C).
  @inlinable public static var sanitizeFailed: Status { Status(rawValue: 0x401C) }

  /// Sanitize In Progress (0/1D); may be retried.
  @inlinable public static var sanitizeInProgress: Status { Status(rawValue: 0x001D) }

  /// SGL Data Block Granularity Invalid (0/1E).
  @inlinable public static var sglDataBlockGranularityInvalid: Status { Status(rawValue: 0x401E) }

  /// Command Not Supported for Queue in CMB (0/1F).
  @inlinable public static var commandNotSupportedForQueueInCMB: Status { Status(rawValue: 0x401F) }

  /// Namespace is Write Protected (0/20).
  @inlinable public static var namespaceWriteProtected: Status { Status(rawValue: 0x4020) }

  /// Command Interrupted (0/21); may be retried.
  @inlinable public static var commandInterrupted: Status { Status(rawValue: 0x0021) }

  /// Transient Transport Error (0/22); may be retried.
  @inlinable public static var transientTransportError: Status { Status(rawValue: 0x0022) }

  /// Command Prohibited by Command and Feature Lockdown (0/23).
  @inlinable public static var commandProhibitedByLockdown: Status { Status(rawValue: 0x4023) }

  /// Admin Command Media Not Ready (0/24); may be retried.
  @inlinable public static var adminCommandMediaNotReady: Status { Status(rawValue: 0x0024) }

  /// LBA Out of Range (0/80).
  @inlinable public static var lbaOutOfRange: Status { Status(rawValue: 0x4080) }

  /// Capacity Exceeded (0/81).
  @inlinable public static var capacityExceeded: Status { Status(rawValue: 0x4081) }

  /// Namespace Not Ready (0/82); may be retried.
  @inlinable public static var namespaceNotReady: Status { Status(rawValue: 0x0082) }

  /// Reservation Conflict (0/83).
  @inlinable public static var reservationConflict: Status { Status(rawValue: 0x4083) }

  /// Format In Progress (0/84); may be retried.
  @inlinable public static var formatInProgress: Status { Status(rawValue: 0x0084) }
}
