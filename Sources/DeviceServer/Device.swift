import Doorbells
import GuestMemory
import LinuxIO
import NVMeController
import PCIDevice
import VFIOUser

/// One PCI NVMe function as one client has it: made when the client connects, gone when it goes, so that nothing of one
/// client (memory, eventfds, the doorbell page, register values) reaches the next.
///
/// Control thread only.
final class Device {
  let controller: Controller
  let msixLayout: MSIXLayout
  var configuration: ConfigurationSpace
  var msix: MSIXTable
  var memory: DMATable
  var vectors: InterruptTable
  /// The error interrupt, which this device never raises.
  var errorInterrupt = InterruptTable(count: 1)
  /// What the client is offered for its doorbells; nil before it asks.
  var doorbellOffer: DoorbellOffer?
  /// Where a tracer stores its doorbells.
  var tracedPage: TracedPage?
  /// What is left of a reset that waits for what is in flight.
  private var functionReset: (() -> Void)?
  /// Memory that was taken back and is still in use, by a number of its own.
  var unmappings: [UInt64: Unmapping] = [:]
  var nextUnmapping: UInt64 = 0
  /// Takes what an operator should know.
  var warn: ((String) -> Void)?
  /// Called when the client had the thread wait for one of its eventfds.
  var stalled: (() -> Void)?

  init(_ options: DeviceOptions, pool: IOThreadPool) throws(Errno) {
    var description = options.controller
    description.vendorIdentifier = options.identity.vendor
    description.subsystemVendorIdentifier = options.identity.subsystemVendor
    guard let layout = MSIXLayout(vectorCount: description.vectorCount) else { throw .invalidArgument }
    msixLayout = layout
    configuration = ConfigurationSpace(identity: options.identity, msix: layout)
    msix = MSIXTable(layout: layout)
    let memory = try DMATable(limit: options.dmaMapLimit)
    self.memory = memory
    vectors = InterruptTable(count: description.vectorCount)
    let threads = options.ioThread.map { [pool.handles[$0 % pool.handles.count]] } ?? pool.handles
    controller = try Controller.make(
      description, threads: threads, workers: pool.workers, namespaces: options.namespaces)
  }

  // MARK: Regions

  /// The size of a region, 0 where there is none.
  func size(of region: RegionIndex) -> UInt64 {
    PCIRegion(rawValue: region.rawValue)?.info(msix: msixLayout).size ?? 0
  }

  /// What DEVICE_GET_REGION_INFO says.
  func info(of region: RegionIndex) -> RegionInfo {
    let info = PCIRegion(rawValue: region.rawValue)?.info(msix: msixLayout)
    if region == .bar0, controller.description.doorbells == .poll {
      return RegionInfo(
        index: region, flags: [.read, .write, .mmap], length: PCIRegion.bar0Size,
        areas: [
          SparseMmapArea(offset: UInt64(DoorbellSlots.mappedOffset), length: UInt64(DoorbellSlots.byteCount))
        ])
    }
    return RegionInfo(
      index: region, flags: RegionInfo.Flags(rawValue: info?.flags.rawValue ?? 0), length: info?.size ?? 0)
  }

  /// Reads from a region; the access is inside it.
  func read(_ access: RegionAccess) -> RegionData {
    switch access.region {
    case .bar0:
      if access.count <= 8 {
        let value = controller.readRegister(offset: access.offset, count: Int(access.count))
        return RegionData(value, count: Int(access.count))
      }
      // A dump of the whole BAR: registers first, doorbells read as 0.
      let bytes = (0..<UInt64(access.count)).map {
        UInt8(truncatingIfNeeded: controller.readRegister(offset: access.offset + $0, count: 1))
      }
      return RegionData(bytes)
    case .bar4:
      var bytes = [UInt8](repeating: 0, count: Int(access.count))
      var span = bytes.mutableSpan
      _ = msix.read(at: access.offset, into: &span)
      return RegionData(bytes)
    case .config:
      return RegionData(configuration.read(at: access.offset, count: Int(access.count)) ?? [])
    default:
      return RegionData([])
    }
  }

  /// Writes to a region; the access is inside it. `completion` is called when its effects are there.
  func write(_ write: RegionWrite, then completion: @escaping () -> Void) {
    switch write.access.region {
    case .bar0:
      controller.writeRegister(offset: write.access.offset, count: write.data.count, value: write.data.value)
      completion()
    case .bar4:
      _ = msix.write(at: write.access.offset, from: write.data.bytes.span)
      completion()
    case .config:
      writeConfiguration(write, then: completion)
    default:
      completion()
    }
  }

  private func writeConfiguration(_ write: RegionWrite, then completion: @escaping () -> Void) {
    guard let events = configuration.write(at: write.access.offset, bytes: write.data.bytes) else {
      return completion()
    }
    if events.contains(.functionLevelReset) {
      reset(
        { [self] in
          configuration.functionLevelReset()
          followBAR()
        }, then: completion)
      return
    }
    if events.contains(.bar0AddressChanged) { followBAR() }
    var waiting = 1
    let finish = {
      waiting -= 1
      if waiting == 0 { completion() }
    }
    if events.contains(.busMasterChanged) {
      waiting += 1
      controller.setBusMaster(configuration.busMasterEnabled, then: finish)
    }
    if events.contains(.powerStateChanged) {
      waiting += 1
      controller.setSleeping(configuration.powerState != .d0, then: finish)
    }
    finish()
  }

  /// DEVICE_RESET: the function as after power-on; DMA maps and eventfds stay, as they are the client's.
  func reset(then completion: @escaping () -> Void) {
    reset(
      { [self] in
        configuration.reset()
        followBAR()
        msix.reset()
      }, then: completion)
  }

  /// - Parameter function: what of the function is not the controller's.
  private func reset(_ function: @escaping () -> Void, then completion: @escaping () -> Void) {
    functionReset = function
    controller.reset { [self] in
      finishFunctionReset()
      // (Where that was done before, they may be other ones than after a reset.)
      controller.setBusMaster(configuration.busMasterEnabled) {}
      controller.setSleeping(configuration.powerState != .d0) {}
      completion()
    }
  }

  /// Does what a reset does to configuration space and MSI-X, where one still waits for what is in flight: the client is
  /// not kept waiting any longer, and what it writes from now on is not to be lost.
  func finishFunctionReset() {
    functionReset?()
    functionReset = nil
  }
}
