import Doorbells

/// What a controller is configured to be.
public struct ControllerDescription: Sendable {
  /// PCI Vendor ID and Subsystem Vendor ID, as the Identify data repeats them.
  public var vendorIdentifier: UInt16
  /// PCI Subsystem Vendor ID.
  public var subsystemVendorIdentifier: UInt16
  /// Serial Number: at most 20 ASCII characters, unique for each device.
  public var serialNumber: String
  /// Model Number: at most 40 ASCII characters.
  public var modelNumber: String
  /// Firmware Revision: at most 8 ASCII characters.
  public var firmwareRevision: String
  /// NVM Subsystem NVMe Qualified Name, unique for each device.
  public var subsystemName: String
  /// Controller Identifier in its subsystem.
  public var controllerIdentifier: UInt16
  /// I/O queue pairs, 1 to 64.
  public var queueCount: Int
  /// Entries of an I/O queue at most (CAP.MQES + 1), 2 to 4,096.
  public var queueEntries: Int
  /// Bytes of one command at most (MDTS): a power of two of at least 8 KiB, as MDTS 0 means that there is no limit.
  public var maximumTransfer: Int
  /// MSI-X vectors.
  public var vectorCount: Int
  /// How doorbells arrive.
  public var doorbells = DoorbellMode.ioeventfd
  /// Whether doorbell values may lie in guest memory.
  public var shadowDoorbells = ShadowDoorbellMode.off
  /// Namespaces that there may be at a time (NN): identifiers 1 to this.
  public var namespaceLimit: Int
  /// What the I/O queues may do at most.
  public var limits = RateLimits()

  /// A description with the defaults of `nvmed`.
  public init(serialNumber: String, modelNumber: String = "nvmed", subsystemName: String) {
    vendorIdentifier = 0
    subsystemVendorIdentifier = 0
    self.serialNumber = serialNumber
    self.modelNumber = modelNumber
    firmwareRevision = "1"
    self.subsystemName = subsystemName
    controllerIdentifier = 1
    queueCount = 64
    queueEntries = 256
    maximumTransfer = 512 << 10
    vectorCount = 65
    namespaceLimit = 64
  }
}
