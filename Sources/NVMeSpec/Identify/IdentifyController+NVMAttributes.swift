/// The NVM command set attributes of Identify Controller (NVMe base 2.0, 5.17.2).
extension IdentifyController {
  /// SQES: bits 3:0 the required and bits 7:4 the largest entry, each 2^n bytes; 66h.
  public var submissionQueueEntrySize: UInt8 {
    get { image[512] }
    set { image[512] = newValue }
  }

  /// CQES: bits 3:0 the required and bits 7:4 the largest entry, each 2^n bytes; 44h.
  public var completionQueueEntrySize: UInt8 {
    get { image[513] }
    set { image[513] = newValue }
  }

  /// MAXCMD: the most commands of a queue that are processed at once; 0 for no information.
  public var maximumOutstandingCommands: UInt16 {
    get { image[514] }
    set { image[514] = newValue }
  }

  /// NN: the highest namespace identifier.
  public var numberOfNamespaces: UInt32 {
    get { image[516] }
    set { image[516] = newValue }
  }

  /// ONCS: the optional I/O commands.
  public var optionalNVMCommandsSupported: OptionalNVMCommands {
    get { image[options: 520] }
    set { image[options: 520] = newValue }
  }

  /// FUSES: the fused operations.
  public var fusedOperationsSupported: FusedOperations {
    get { image[options: 522] }
    set { image[options: 522] = newValue }
  }

  /// FNA: bit 0 format and bit 1 erase concern all namespaces, bit 2 cryptographic erase.
  public var formatNVMAttributes: UInt8 {
    get { image[524] }
    set { image[524] = newValue }
  }

  /// VWC: whether there is a volatile write cache, and what Flush does.
  public var volatileWriteCache: VolatileWriteCacheAttributes {
    get { image[options: 525] }
    set { image[options: 525] = newValue }
  }

  /// AWUN: the logical blocks written atomically in normal operation, less one.
  public var atomicWriteUnitNormal: UInt16 {
    get { image[526] }
    set { image[526] = newValue }
  }

  /// AWUPF: the logical blocks written atomically when power fails, less one.
  public var atomicWriteUnitPowerFail: UInt16 {
    get { image[528] }
    set { image[528] = newValue }
  }

  /// ICSVSCC: bit 0 vendor specific I/O commands have the standard's format.
  public var ioVendorSpecificCommandConfiguration: UInt8 {
    get { image[530] }
    set { image[530] = newValue }
  }

  /// NWPC: bit 0 write protect, bit 1 until power cycle, bit 2 for ever.
  public var namespaceWriteProtectionCapabilities: UInt8 {
    get { image[531] }
    set { image[531] = newValue }
  }

  /// ACWU: the logical blocks of an atomic compare and write, less one.
  public var atomicCompareAndWriteUnit: UInt16 {
    get { image[532] }
    set { image[532] = newValue }
  }

  /// CDFS (OCFS): bit n for format n of the Copy command's descriptors.
  public var copyDescriptorFormatsSupported: UInt16 {
    get { image[534] }
    set { image[534] = newValue }
  }

  /// SGLS: whether I/O commands may use SGLs, and which.
  public var sglSupport: SGLSupport {
    get { image[options: 536] }
    set { image[options: 536] = newValue }
  }

  /// MNAN: the most namespaces; 0 for as many as ``numberOfNamespaces``.
  public var maximumNumberOfAllowedNamespaces: UInt32 {
    get { image[540] }
    set { image[540] = newValue }
  }

  /// MAXDNA: the most attachments in the domain; 0 for no limit.
  public var maximumDomainNamespaceAttachments: UInt128 {
    get { image[544] }
    set { image[544] = newValue }
  }

  /// MAXCNA: the most namespaces of a controller; 0 for no limit.
  public var maximumIOControllerNamespaceAttachments: UInt32 {
    get { image[560] }
    set { image[560] = newValue }
  }

  /// SUBNQN: the subsystem's NVMe qualified name, at most 223 bytes by the standard.
  public var subsystemNVMeQualifiedName: String {
    get { image[utf8At: 768, count: 256] }
    set { image[utf8At: 768, count: 256] = newValue }
  }
}
