/// The admin command set attributes of Identify Controller (NVMe base 2.0, 5.17.2).
extension IdentifyController {
  /// OACS: the optional admin commands.
  public var optionalAdminCommandsSupported: OptionalAdminCommands {
    get { image[options: 256] }
    set { image[options: 256] = newValue }
  }

  /// ACL: the most Abort commands at once, less one.
  public var abortCommandLimit: UInt8 {
    get { image[258] }
    set { image[258] = newValue }
  }

  /// AERL: the most Asynchronous Event Request commands at once, less one.
  public var asynchronousEventRequestLimit: UInt8 {
    get { image[259] }
    set { image[259] = newValue }
  }

  /// FRMW: bit 0 slot 1 is read only, bits 3:1 the number of slots, bit 4 activation without reset.
  public var firmwareUpdates: UInt8 {
    get { image[260] }
    set { image[260] = newValue }
  }

  /// LPA: what the log pages can do.
  public var logPageAttributes: LogPageAttributes {
    get { image[options: 261] }
    set { image[options: 261] = newValue }
  }

  /// ELPE: the entries of the error information log, less one.
  public var errorLogPageEntries: UInt8 {
    get { image[262] }
    set { image[262] = newValue }
  }

  /// NPSS: the power states, less one.
  public var numberOfPowerStates: UInt8 {
    get { image[263] }
    set { image[263] = newValue }
  }

  /// AVSCC: bit 0 vendor specific admin commands have the standard's format.
  public var adminVendorSpecificCommandConfiguration: UInt8 {
    get { image[264] }
    set { image[264] = newValue }
  }

  /// APSTA: bit 0 autonomous power state transitions are supported.
  public var autonomousPowerStateTransitionAttributes: UInt8 {
    get { image[265] }
    set { image[265] = newValue }
  }

  /// WCTEMP: where overheating starts, in kelvins.
  public var warningCompositeTemperatureThreshold: UInt16 {
    get { image[266] }
    set { image[266] = newValue }
  }

  /// CCTEMP: where overheating is critical, in kelvins.
  public var criticalCompositeTemperatureThreshold: UInt16 {
    get { image[268] }
    set { image[268] = newValue }
  }

  /// MTFA: in units of 100 ms.
  public var maximumTimeForFirmwareActivation: UInt16 {
    get { image[270] }
    set { image[270] = newValue }
  }

  /// HMPRE: in units of 4 KiB; 0 for no host memory buffer.
  public var hostMemoryBufferPreferredSize: UInt32 {
    get { image[272] }
    set { image[272] = newValue }
  }

  /// HMMIN: in units of 4 KiB.
  public var hostMemoryBufferMinimumSize: UInt32 {
    get { image[276] }
    set { image[276] = newValue }
  }

  /// TNVMCAP: in bytes; for namespace management.
  public var totalNVMCapacity: UInt128 {
    get { image[280] }
    set { image[280] = newValue }
  }

  /// UNVMCAP: in bytes; for namespace management.
  public var unallocatedNVMCapacity: UInt128 {
    get { image[296] }
    set { image[296] = newValue }
  }

  /// RPMBS: replay protected memory blocks; 0 for none.
  public var replayProtectedMemoryBlockSupport: UInt32 {
    get { image[312] }
    set { image[312] = newValue }
  }

  /// EDSTT: in minutes.
  public var extendedDeviceSelfTestTime: UInt16 {
    get { image[316] }
    set { image[316] = newValue }
  }

  /// DSTO: bit 0 only one self-test at once in the subsystem.
  public var deviceSelfTestOptions: UInt8 {
    get { image[318] }
    set { image[318] = newValue }
  }

  /// FWUG: in units of 4 KiB; 0 for no information, FFh for no restriction.
  public var firmwareUpdateGranularity: UInt8 {
    get { image[319] }
    set { image[319] = newValue }
  }

  /// KAS: the granularity of the keep alive timer in units of 100 ms; 0 for none.
  public var keepAliveSupport: UInt16 {
    get { image[320] }
    set { image[320] = newValue }
  }

  /// HCTMA: bit 0 host controlled thermal management is supported.
  public var hostControlledThermalManagementAttributes: UInt16 {
    get { image[322] }
    set { image[322] = newValue }
  }

  /// MNTMT: in kelvins.
  public var minimumThermalManagementTemperature: UInt16 {
    get { image[324] }
    set { image[324] = newValue }
  }

  /// MXTMT: in kelvins.
  public var maximumThermalManagementTemperature: UInt16 {
    get { image[326] }
    set { image[326] = newValue }
  }

  /// SANICAP: bit 0 crypto erase, bit 1 block erase, bit 2 overwrite, bits 31:29 deallocation.
  public var sanitizeCapabilities: UInt32 {
    get { image[328] }
    set { image[328] = newValue }
  }

  /// HMMINDS: in units of 4 KiB.
  public var hostMemoryBufferMinimumDescriptorEntrySize: UInt32 {
    get { image[332] }
    set { image[332] = newValue }
  }

  /// HMMAXD: the most descriptors of a host memory buffer.
  public var hostMemoryMaximumDescriptorEntries: UInt16 {
    get { image[336] }
    set { image[336] = newValue }
  }

  /// NSETIDMAX: the highest NVM set.
  public var nvmSetIdentifierMaximum: UInt16 {
    get { image[338] }
    set { image[338] = newValue }
  }

  /// ENDGIDMAX: the highest endurance group.
  public var enduranceGroupIdentifierMaximum: UInt16 {
    get { image[340] }
    set { image[340] = newValue }
  }

  /// ANATT: the longest ANA transition, in seconds.
  public var anaTransitionTime: UInt8 {
    get { image[342] }
    set { image[342] = newValue }
  }

  /// ANACAP: the ANA states that are reported.
  public var asymmetricNamespaceAccessCapabilities: UInt8 {
    get { image[343] }
    set { image[343] = newValue }
  }

  /// ANAGRPMAX: the highest ANA group.
  public var anaGroupIdentifierMaximum: UInt32 {
    get { image[344] }
    set { image[344] = newValue }
  }

  /// NANAGRPID: the number of ANA groups.
  public var numberOfANAGroupIdentifiers: UInt32 {
    get { image[348] }
    set { image[348] = newValue }
  }

  /// PELS: in units of 64 KiB.
  public var persistentEventLogSize: UInt32 {
    get { image[352] }
    set { image[352] = newValue }
  }

  /// The domain that the controller is in.
  public var domainIdentifier: UInt16 {
    get { image[356] }
    set { image[356] = newValue }
  }

  /// MEGCAP: the largest endurance group, in bytes.
  public var maximumEnduranceGroupCapacity: UInt128 {
    get { image[368] }
    set { image[368] = newValue }
  }
}
