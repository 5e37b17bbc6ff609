/// The offsets of the controller's registers in BAR0, in bytes (NVMe base 2.0, 3.1.3; NVMe over PCIe 1.0, 3.1).
public enum ControllerRegister {
  /// CAP, 8 bytes, read only: ``ControllerCapabilities``.
  @inlinable public static var capabilities: UInt64 { 0x00 }
  /// VS, 4 bytes, read only: ``Version``.
  @inlinable public static var version: UInt64 { 0x08 }
  /// INTMS, 4 bytes: writing 1s masks vectors; not used with MSI-X.
  @inlinable public static var interruptMaskSet: UInt64 { 0x0C }
  /// INTMC, 4 bytes: writing 1s unmasks vectors; not used with MSI-X.
  @inlinable public static var interruptMaskClear: UInt64 { 0x10 }
  /// CC, 4 bytes: ``ControllerConfiguration``.
  @inlinable public static var configuration: UInt64 { 0x14 }
  /// CSTS, 4 bytes: ``ControllerStatus``.
  @inlinable public static var status: UInt64 { 0x1C }
  /// NSSR, 4 bytes: writing ``subsystemResetValue`` resets the NVM subsystem; reads 0.
  @inlinable public static var subsystemReset: UInt64 { 0x20 }
  /// AQA, 4 bytes: ``AdminQueueAttributes``.
  @inlinable public static var adminQueueAttributes: UInt64 { 0x24 }
  /// ASQ, 8 bytes: the page aligned address of the admin submission queue.
  @inlinable public static var adminSubmissionQueueBase: UInt64 { 0x28 }
  /// ACQ, 8 bytes: the page aligned address of the admin completion queue.
  @inlinable public static var adminCompletionQueueBase: UInt64 { 0x30 }
  /// CMBLOC, 4 bytes, read only: where the controller memory buffer lies; 0 without one.
  @inlinable public static var controllerMemoryBufferLocation: UInt64 { 0x38 }
  /// CMBSZ, 4 bytes, read only: the size of the controller memory buffer; 0 without one.
  @inlinable public static var controllerMemoryBufferSize: UInt64 { 0x3C }
  /// BPINFO, 4 bytes, read only: 0 without boot partitions.
  @inlinable public static var bootPartitionInformation: UInt64 { 0x40 }
  /// BPRSEL, 4 bytes: boot partition read select.
  @inlinable public static var bootPartitionReadSelect: UInt64 { 0x44 }
  /// BPMBL, 8 bytes: boot partition memory buffer location.
  @inlinable public static var bootPartitionMemoryBufferLocation: UInt64 { 0x48 }
  /// CMBMSC, 8 bytes: controller memory buffer memory space control.
  @inlinable public static var controllerMemoryBufferMemorySpaceControl: UInt64 { 0x50 }
  /// CMBSTS, 4 bytes, read only: controller memory buffer status.
  @inlinable public static var controllerMemoryBufferStatus: UInt64 { 0x58 }
  /// CMBEBS, 4 bytes, read only: controller memory buffer elasticity buffer size.
  @inlinable public static var controllerMemoryBufferElasticityBufferSize: UInt64 { 0x5C }
  /// CMBSWTP, 4 bytes, read only: controller memory buffer sustained write throughput.
  @inlinable public static var controllerMemoryBufferSustainedWriteThroughput: UInt64 { 0x60 }
  /// NSSD, 4 bytes: NVM subsystem shutdown.
  @inlinable public static var subsystemShutdown: UInt64 { 0x64 }
  /// CRTO, 4 bytes, read only: ``ControllerReadyTimeouts``.
  @inlinable public static var controllerReadyTimeouts: UInt64 { 0x68 }
  /// PMRCAP, 4 bytes, read only: persistent memory region capabilities.
  @inlinable public static var persistentMemoryRegionCapabilities: UInt64 { 0xE00 }
  /// PMRCTL, 4 bytes: persistent memory region control.
  @inlinable public static var persistentMemoryRegionControl: UInt64 { 0xE04 }
  /// PMRSTS, 4 bytes, read only: persistent memory region status.
  @inlinable public static var persistentMemoryRegionStatus: UInt64 { 0xE08 }
  /// PMREBS, 4 bytes, read only: persistent memory region elasticity buffer size.
  @inlinable public static var persistentMemoryRegionElasticityBufferSize: UInt64 { 0xE0C }
  /// PMRSWTP, 4 bytes, read only: persistent memory region sustained write throughput.
  @inlinable public static var persistentMemoryRegionSustainedWriteThroughput: UInt64 { 0xE10 }
  /// PMRMSCL, 4 bytes: persistent memory region memory space control, lower half.
  @inlinable public static var persistentMemoryRegionMemorySpaceControlLower: UInt64 { 0xE14 }
  /// PMRMSCU, 4 bytes: persistent memory region memory space control, upper half.
  @inlinable public static var persistentMemoryRegionMemorySpaceControlUpper: UInt64 { 0xE18 }
  /// Where the doorbells start; see ``DoorbellRegister``.
  @inlinable public static var doorbellBase: UInt64 { 0x1000 }

  /// What a host writes to ``subsystemReset``: the characters "NVMe".
  @inlinable public static var subsystemResetValue: UInt32 { 0x4E56_4D65 }

  /// The bits of ``adminSubmissionQueueBase`` and ``adminCompletionQueueBase`` that hold the address; the others read
  /// 0.
  @inlinable public static var queueBaseMask: UInt64 { ~0xFFF }
}
