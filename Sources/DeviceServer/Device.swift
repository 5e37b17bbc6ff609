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
  /// Takes what an operator should know.
  var warn: ((String) -> Void)?
  /// Ranges whose files were truncated, and which commands in flight may still touch.
  private var faultedRanges = 0
  /// What waits until there are none.
  private var unmapped: [() -> Void] = []
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
      controller.reset { [self] in
        configuration.functionLevelReset()
        followBAR()
        completion()
      }
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
    controller.reset { [self] in
      configuration.reset()
      followBAR()
      msix.reset()
      completion()
    }
  }

  // MARK: Memory

  /// Takes memory; `completion` is called when commands may use it.
  func map(
    _ map: DMAMap, _ descriptor: consuming FileDescriptor?, then completion: @escaping () -> Void
  ) throws(Errno) {
    var access: MemoryRegion.Access = []
    if map.flags.contains(.read) { access.insert(.read) }
    if map.flags.contains(.write) { access.insert(.write) }
    let region = try memory.map(
      iova: map.address, size: map.length, descriptor: descriptor, offset: map.fileOffset, access: access)
    guard let region else { return completion() }
    controller.map(region, then: completion)
  }

  /// An access to guest memory hit a truncated file: no command reaches that range any more.
  func dropFaultedMemory() {
    let faulted = memory.takeFaulted()
    var held: DMATable.Removed? = faulted
    faultedRanges += faulted.count
    for region in faulted.regions {
      controller.unmap(iova: region.iova, size: region.size) { [self] in
        faultedRanges -= 1
        guard faultedRanges == 0 else { return }
        held = nil
        _ = held
        let waiting = unmapped
        unmapped = []
        for completion in waiting { completion() }
      }
    }
  }

  /// Takes memory back; `completion` is called when nothing touches it and it is unmapped here.
  func unmap(_ unmap: DMAUnmap, then completion: @escaping () -> Void) throws(Errno) {
    let isAll = unmap.flags.contains(.all)
    let removed = isAll ? memory.unmapAll() : try memory.unmap(iova: unmap.address, size: unmap.length)
    guard removed.count > 0 else { return completion() }
    let address = isAll ? 0 : unmap.address
    let length = isAll ? UInt64.max : unmap.length
    var held: DMATable.Removed? = removed
    controller.unmap(iova: address, size: length) { [self] in
      held = nil
      _ = held
      // What it unmaps may be such a range, which the threads were told of before.
      if faultedRanges > 0 { unmapped.append(completion) } else { completion() }
    }
  }
}
