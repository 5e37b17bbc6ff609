import NVMeSpec

/// Identify: NVMe base specification 2.0, section 5.17.
extension Controller {
  func identify(_ command: IdentifyCommand) -> Status {
    guard let cns = IdentifyCNS(rawValue: command.cns) else { return .invalidField }
    let data: [UInt8]
    switch cns {
    case .controller:
      data = identifyController().encode()
    case .namespace:
      guard let place = place(command.nsid) else { return .invalidNamespace }
      // A valid identifier without a namespace gives zeros.
      data = namespaces[place].map { identifyNamespace($0).encode() } ?? Controller.zeros
    case .activeNamespaceList:
      guard command.nsid < 0xffff_fffe else { return .invalidNamespace }
      data = activeNamespaces(after: command.nsid)
    case .namespaceIdentificationDescriptorList:
      guard let place = place(command.nsid) else { return .invalidNamespace }
      guard let namespace = namespaces[place] else { return .invalidField }
      data = descriptors(namespace).encode()
    case .ioCommandSetSpecificNamespace:
      guard command.commandSetIdentifier == CommandSetIdentifier.nvm else { return .invalidField }
      guard let place = place(command.nsid) else { return .invalidNamespace }
      data = namespaces[place] == nil ? Controller.zeros : IdentifyNVMNamespace().encode()
    case .ioCommandSetSpecificController:
      guard command.commandSetIdentifier == CommandSetIdentifier.nvm else { return .invalidField }
      data = identifyNVMController().encode()
    case .ioCommandSetSpecificActiveNamespaceList:
      guard command.commandSetIdentifier == CommandSetIdentifier.nvm else { return .invalidField }
      guard command.nsid < 0xffff_fffe else { return .invalidNamespace }
      data = activeNamespaces(after: command.nsid)
    case .ioCommandSetIndependentNamespace:
      guard let place = place(command.nsid) else { return .invalidNamespace }
      guard let namespace = namespaces[place] else {
        data = Controller.zeros
        break
      }
      var result = IdentifyIOCommandSetIndependentNamespace()
      result.status = .ready
      result.attributes = namespace.backend.readOnly ? .writeProtected : []
      data = result.encode()
    case .ioCommandSet:
      data = IOCommandSetCombinations().encode()
    default:
      return .invalidField
    }
    return copyToGuest(data, command.entry, length: IdentifyCNS.dataByteCount)
  }

  private static var zeros: [UInt8] { Array(repeating: 0, count: IdentifyCNS.dataByteCount) }

  /// The place of a namespace identifier in the table, whether or not there is a namespace; nil beyond NN.
  func place(_ identifier: UInt32) -> Int? {
    guard identifier > 0, identifier <= UInt32(truncatingIfNeeded: namespaces.count) else { return nil }
    return Int(identifier) - 1
  }

  private func activeNamespaces(after identifier: UInt32) -> [UInt8] {
    let active = namespaces.indices.filter { namespaces[$0] != nil }.map { UInt32($0 + 1) }
    return NamespaceList(active, greaterThan: identifier).encode()
  }

  private func identifyController() -> IdentifyController {
    var data = IdentifyController()
    data.pciVendorIdentifier = description.vendorIdentifier
    data.pciSubsystemVendorIdentifier = description.subsystemVendorIdentifier
    data.serialNumber = description.serialNumber
    data.modelNumber = description.modelNumber
    data.firmwareRevision = description.firmwareRevision
    data.recommendedArbitrationBurst = 6
    data.maximumDataTransferSize = UInt8(truncatingIfNeeded: (description.maximumTransfer / 4096).trailingZeroBitCount)
    data.controllerIdentifier = description.controllerIdentifier
    data.version = registers.version
    data.rtd3ResumeLatency = 1_000_000
    // A shutdown flushes everything the host's page cache and disk hold of the images.
    data.rtd3EntryLatency = 60_000_000
    data.optionalAsynchronousEventsSupported = .namespaceAttributeNotices
    data.controllerType = 1
    if description.shadowDoorbells != .off { data.optionalAdminCommandsSupported = .doorbellBufferConfig }
    data.abortCommandLimit = UInt8(Controller.abortLimit - 1)
    data.asynchronousEventRequestLimit = UInt8(AsynchronousEvents.limit - 1)
    // One slot, read-only.
    data.firmwareUpdates = 0x03
    data.logPageAttributes = [.commandsSupportedAndEffects, .extendedData, .supportedLogPages]
    data.errorLogPageEntries = UInt8(ErrorLog.capacity - 1)
    data.warningCompositeTemperatureThreshold = Features.warningTemperature
    data.criticalCompositeTemperatureThreshold = 373
    data.submissionQueueEntrySize = 0x66
    data.completionQueueEntrySize = 0x44
    data.numberOfNamespaces = UInt32(truncatingIfNeeded: namespaces.count)
    data.optionalNVMCommandsSupported = [
      .compare, .datasetManagement, .writeZeroes, .saveAndSelect, .timestamp, .verify,
    ]
    data.volatileWriteCache = [.present, .flushAllSupported]
    data.sglSupport = [.supported, .bitBucket]
    data.subsystemNVMeQualifiedName = description.subsystemName
    var power = PowerStateDescriptor()
    power.maximumPower = 2500
    data[powerState: 0] = power
    return data
  }

  private func identifyNVMController() -> IdentifyNVMController {
    var data = IdentifyNVMController()
    // Verify reads into a buffer of MDTS bytes; the other commands transfer nothing and are not limited.
    data.verifySizeLimit = UInt8(truncatingIfNeeded: (description.maximumTransfer / 4096).trailingZeroBitCount)
    return data
  }

  private func identifyNamespace(_ namespace: Namespace) -> IdentifyNamespace {
    var data = IdentifyNamespace()
    data.size = namespace.blockCount
    data.capacity = namespace.blockCount
    data.utilization = namespace.blockCount
    data.nvmCapacity = UInt128(namespace.blockCount) << UInt128(namespace.blockShift)
    if namespace.discards {
      data.deallocateFeatures =
        namespace.backend.deallocatedReadsZero ? [.readsZeros, .writeZeroesDeallocate] : .writeZeroesDeallocate
      let pages = UInt16(max(4096 >> Int(namespace.blockShift), 1)) - 1
      data.features = .optimalPerformance
      data.preferredDeallocateGranularity = pages
      data.preferredDeallocateAlignment = pages
      data.preferredWriteGranularity = pages
      data.preferredWriteAlignment = pages
    }
    data.attributes = namespace.backend.readOnly ? .writeProtected : []
    data.nguid = namespace.nguid
    data.eui64 = namespace.eui64
    data[lbaFormat: 0] = LBAFormat(dataSize: namespace.blockShift)
    return data
  }

  private func descriptors(_ namespace: Namespace) -> NamespaceIdentificationDescriptorList {
    var list: [NamespaceIdentificationDescriptor] = []
    if namespace.eui64.contains(where: { $0 != 0 }) { list.append(.eui64(namespace.eui64)) }
    if namespace.nguid.contains(where: { $0 != 0 }) { list.append(.nguid(namespace.nguid)) }
    if namespace.uuid.contains(where: { $0 != 0 }) { list.append(.uuid(namespace.uuid)) }
    list.append(.commandSetIdentifier(CommandSetIdentifier.nvm))
    return NamespaceIdentificationDescriptorList(list)
  }
}
