/// Identify Controller, CNS 01h: 4096 bytes (NVMe base 2.0, 5.17.2). Fields that are for Fabrics only are left out.
public struct IdentifyController: Equatable, Sendable {
  /// The size of the structure in bytes.
  public static let byteCount = 4096

  var image: ByteImage

  /// Makes a structure of zeros.
  public init() { image = ByteImage(byteCount: Self.byteCount) }

  /// Reads a structure; nil if `bytes` are fewer than ``byteCount``.
  public init?(decoding bytes: some Collection<UInt8>) {
    guard let image = ByteImage(decoding: bytes, byteCount: Self.byteCount) else { return nil }
    self.image = image
  }

  /// The structure's 4096 bytes.
  public func encode() -> [UInt8] { image.bytes }

  /// VID: the PCI vendor.
  public var pciVendorIdentifier: UInt16 {
    get { image[0] }
    set { image[0] = newValue }
  }

  /// SSVID: the PCI subsystem vendor.
  public var pciSubsystemVendorIdentifier: UInt16 {
    get { image[2] }
    set { image[2] = newValue }
  }

  /// SN: the serial number, at most 20 ASCII characters.
  public var serialNumber: String {
    get { image[asciiAt: 4, count: 20] }
    set { image[asciiAt: 4, count: 20] = newValue }
  }

  /// MN: the model number, at most 40 ASCII characters.
  public var modelNumber: String {
    get { image[asciiAt: 24, count: 40] }
    set { image[asciiAt: 24, count: 40] = newValue }
  }

  /// FR: the firmware revision, at most 8 ASCII characters.
  public var firmwareRevision: String {
    get { image[asciiAt: 64, count: 8] }
    set { image[asciiAt: 64, count: 8] = newValue }
  }

  /// RAB: the recommended arbitration burst is 2^n commands.
  public var recommendedArbitrationBurst: UInt8 {
    get { image[72] }
    set { image[72] = newValue }
  }

  /// IEEE: the vendor's organizationally unique identifier, 3 bytes, the least significant first.
  public var ieeeOUI: [UInt8] {
    get { image[bytesAt: 73, count: 3] }
    set { image[bytesAt: 73, count: 3] = newValue }
  }

  /// CMIC: multi-path I/O and namespace sharing capabilities.
  public var multipathCapabilities: MultipathCapabilities {
    get { image[options: 76] }
    set { image[options: 76] = newValue }
  }

  /// MDTS: the most data of a command is 2^n of the smallest pages (CAP.MPSMIN); 0 for no limit.
  public var maximumDataTransferSize: UInt8 {
    get { image[77] }
    set { image[77] = newValue }
  }

  /// CNTLID: the controller's number in its subsystem.
  public var controllerIdentifier: UInt16 {
    get { image[78] }
    set { image[78] = newValue }
  }

  /// VER: the version of the standard, as in the VS register.
  public var version: Version {
    get { Version(rawValue: image[80]) }
    set { image[80] = newValue.rawValue }
  }

  /// RTD3R: the typical time to resume from Runtime D3, in microseconds.
  public var rtd3ResumeLatency: UInt32 {
    get { image[84] }
    set { image[84] = newValue }
  }

  /// RTD3E: the typical time to enter Runtime D3, in microseconds; a host waits so long for a shutdown.
  public var rtd3EntryLatency: UInt32 {
    get { image[88] }
    set { image[88] = newValue }
  }

  /// OAES: the optional asynchronous events that a host may enable.
  public var optionalAsynchronousEventsSupported: AsynchronousEventConfiguration {
    get { image[options: 92] }
    set { image[options: 92] = newValue }
  }

  /// CTRATT: attributes of the controller.
  public var controllerAttributes: ControllerAttributes {
    get { image[options: 96] }
    set { image[options: 96] = newValue }
  }

  /// RRLS: the read recovery levels, one bit for each.
  public var readRecoveryLevelsSupported: UInt16 {
    get { image[100] }
    set { image[100] = newValue }
  }

  /// CNTRLTYPE: 1 for an I/O controller, 2 for discovery, 3 for administrative.
  public var controllerType: UInt8 {
    get { image[111] }
    set { image[111] = newValue }
  }

  /// FGUID: the globally unique identifier of the field replaceable unit, 16 bytes.
  public var fruGUID: [UInt8] {
    get { image[bytesAt: 112, count: 16] }
    set { image[bytesAt: 112, count: 16] = newValue }
  }

  /// CRDT1: the delay of CRD 1, in units of 100 ms.
  public var commandRetryDelayTime1: UInt16 {
    get { image[128] }
    set { image[128] = newValue }
  }

  /// CRDT2: the delay of CRD 2, in units of 100 ms.
  public var commandRetryDelayTime2: UInt16 {
    get { image[130] }
    set { image[130] = newValue }
  }

  /// CRDT3: the delay of CRD 3, in units of 100 ms.
  public var commandRetryDelayTime3: UInt16 {
    get { image[132] }
    set { image[132] = newValue }
  }

  /// NVMSR: what the subsystem is part of; for NVMe-MI.
  public var subsystemReport: UInt8 {
    get { image[253] }
    set { image[253] = newValue }
  }

  /// VWCI: writes left of the vital product data; for NVMe-MI.
  public var vpdWriteCycleInformation: UInt8 {
    get { image[254] }
    set { image[254] = newValue }
  }

  /// MEC: the management endpoints; for NVMe-MI.
  public var managementEndpointCapabilities: UInt8 {
    get { image[255] }
    set { image[255] = newValue }
  }

  /// PSD0 to PSD31: the descriptor of power state `index`, 0 to 31; nil beyond.
  public subscript(powerState index: Int) -> PowerStateDescriptor? {
    get {
      guard (0..<32).contains(index) else { return nil }
      return PowerStateDescriptor(decoding: image[bytesAt: 2048 + 32 * index, count: PowerStateDescriptor.byteCount])
    }
    set {
      guard (0..<32).contains(index), let newValue else { return }
      image[bytesAt: 2048 + 32 * index, count: PowerStateDescriptor.byteCount] = newValue.encode()
    }
  }

  /// Bytes 3072 to 4095, which are the vendor's.
  public var vendorSpecific: [UInt8] {
    get { image[bytesAt: 3072, count: 1024] }
    set { image[bytesAt: 3072, count: 1024] = newValue }
  }
}
