import LinuxIO
import NVMeSpec
import VFIOUser

/// An NVMe controller as a VMM and the driver in its guest see it together: over a vfio-user connection.
///
/// `init` is the VMM's part: version, memory, regions, ioeventfds. `initialize()` is the driver's: configuration space,
/// interrupts, registers, admin queue. Each step can be done alone, again, or wrongly: registers, configuration space,
/// messages, doorbells and memory are all in reach.
///
/// One thread at a time; queues made by it may each go to a thread of their own.
///
/// What it does not do: metadata, other page sizes than 4 KiB, a controller memory buffer, and
/// memory that the server reaches by DMA_READ and DMA_WRITE.
public final class HostController {
  /// The connection.
  public let connection: HostConnection
  /// The guest's memory.
  public let memory: HostMemory
  /// What the host is like.
  public let options: HostOptions
  /// What was agreed on.
  public let session: Session
  /// What the device is.
  public let deviceInfo: DeviceInfo
  /// Its regions, by index.
  public let regions: [RegionInfo]
  private let doorbellMemory: DoorbellMemory?

  /// The MSI-X vectors installed.
  public internal(set) var vectors: [InterruptVector] = []
  /// CAP, as of the last `enable()`.
  public internal(set) var capabilities = ControllerCapabilities()
  /// What the controller granted with Number of Queues (feature 07h), as of the last `initialize()`.
  public internal(set) var grantedQueues = NumberOfQueuesFeature()
  /// Identify Controller, as of the last `initialize()`.
  public internal(set) var identity = IdentifyController()
  var adminQueue: HostQueue?
  var adminMemory: HostQueueMemory?
  /// Where the doorbells of I/O queues lie in memory, once the controller knows it.
  var shadowDoorbells: ShadowDoorbellBuffers?

  /// Connects to the server that listens at `path`.
  ///
  /// - Throws: `message`, `system`, `missing`.
  public convenience init(path: String, memory: HostMemory, options: HostOptions = HostOptions()) throws(HostError) {
    let socket = try system { () throws(Errno) in try UnixSocket.connect(path: path) }
    try self.init(socket: socket, memory: memory, options: options)
  }

  /// Talks to the server at the other end of a connected `AF_UNIX` stream socket.
  ///
  /// - Throws: `message`, `system`, `missing`.
  public init(
    socket: consuming FileDescriptor, memory: HostMemory, options: HostOptions = HostOptions()
  ) throws(HostError) {
    let connection = HostConnection(ClientConnection(socket, timeout: options.messageTimeout))
    self.connection = connection
    self.memory = memory
    self.options = options
    session = try connection.withClient { (client) throws(Errno) in
      try client.negotiate(minor: options.minorVersion, json: options.capabilities?.json)
    }
    if options.mapsMemory {
      for range in memory.ranges { try connection.map(range, of: memory) }
    }
    let info = try connection.withClient { (client) throws(Errno) in try client.deviceInfo() }
    deviceInfo = info
    regions = try connection.withClient { (client) throws(Errno) in
      var regions: [RegionInfo] = []
      for index in RegionIndex.allCases where index.rawValue < info.regionCount {
        regions.append(try client.regionInfo(index).info)
      }
      return regions
    }
    switch options.doorbells {
    case .socket: doorbellMemory = nil
    case .slots:
      let description = try connection.withClient { (client) throws(Errno) in try client.regionIOFDs(.bar0) }
      doorbellMemory = try DoorbellMemory.slots(description)
    case .eventfds:
      let description = try connection.withClient { (client) throws(Errno) in try client.regionIOFDs(.bar0) }
      doorbellMemory = try DoorbellMemory.eventfds(description)
    case .mappedPage:
      let description = try connection.withClient { (client) throws(Errno) in try client.regionInfo(.bar0) }
      doorbellMemory = try DoorbellMemory.registers(description, from: ControllerRegister.doorbellBase)
    }
  }

  /// Closes the connection at once, whatever is under way: as a VMM that is killed.
  public func disconnect() { connection.close() }

  // MARK: Doorbells

  /// The doorbell register at `offset` of BAR0, rung as the options say.
  public func doorbell(at offset: UInt64) -> HostDoorbell {
    let place = doorbellMemory?.places[offset]
    let shadow = shadowDoorbells?.doorbell(at: offset)
    let posted = options.doorbells != .socket(posted: false)
    return HostDoorbell(
      offset: offset, word: place?.word, eventfd: place?.eventfd ?? -1, shadow: shadow, connection: connection,
      posted: posted, owner: doorbellMemory)
  }

  /// The tail doorbell of a submission queue.
  public func submissionQueueTailDoorbell(_ identifier: UInt16) -> HostDoorbell {
    doorbell(at: DoorbellRegister.submissionQueueTail(identifier, stride: capabilities.doorbellStride))
  }

  /// The head doorbell of a completion queue.
  public func completionQueueHeadDoorbell(_ identifier: UInt16) -> HostDoorbell {
    doorbell(at: DoorbellRegister.completionQueueHead(identifier, stride: capabilities.doorbellStride))
  }

  /// How many doorbells have a slot or can be mapped.
  public var doorbellsWithoutMessage: Int { doorbellMemory?.places.count ?? 0 }

  // MARK: Memory

  /// Announces a range of the memory, or of its file (DMA_MAP).
  ///
  /// - Throws: `message`.
  public func map(_ range: DMARange, flags: DMAMap.Flags = [.read, .write]) throws(HostError) {
    try connection.map(range, of: memory, flags: flags)
  }

  /// Takes a range back (DMA_UNMAP), whatever lies in it: queues, lists, data under way.
  ///
  /// - Throws: `message`.
  public func unmap(_ range: DMARange) throws(HostError) {
    try connection.withClient { (client) throws(Errno) in
      try client.dmaUnmap(DMAUnmap(address: range.iova, length: range.byteCount))
    }
  }

  /// Takes everything back (DMA_UNMAP with the flag for all), as QEMU does at the end.
  ///
  /// - Throws: `message`.
  public func unmapAll() throws(HostError) {
    try connection.withClient { (client) throws(Errno) in try client.dmaUnmap(.all) }
  }
}
