import LinuxIO
import NVMeSpec

/// Get Log Page: NVMe base specification 2.0, section 5.16.
extension Controller {
  func getLogPage(_ command: GetLogPageCommand) -> Status {
    guard let identifier = LogPageIdentifier(rawValue: command.logPageIdentifier) else { return .invalidLogPage }
    guard command.byteCount <= UInt64(description.maximumTransfer), command.offset % 4 == 0, !command.offsetType else {
      return .invalidField
    }
    let page: [UInt8]
    switch identifier {
    case .supportedLogPages: page = supportedLogPages()
    case .errorInformation: page = errorInformation()
    case .smartHealthInformation:
      // LPA bit 0: the page is that of the controller, not of a namespace.
      guard command.nsid == 0 || command.nsid == UInt32.max else {
        return place(command.nsid) == nil ? .invalidNamespace : .invalidField
      }
      page = smartHealth()
    case .firmwareSlotInformation: page = firmwareSlots()
    case .changedNamespaceList: page = ChangedNamespaceListLog(changedNamespaces.sorted()).encode()
    case .commandsSupportedAndEffects: page = effects()
    default: return .invalidLogPage
    }
    guard command.offset <= UInt64(page.count) else { return .invalidField }
    var data = Array(page[Int(command.offset)...].prefix(Int(command.byteCount)))
    // Beyond the end of a page there is nothing: zeros rather than what the memory held.
    data.append(contentsOf: repeatElement(0, count: Int(command.byteCount) - data.count))
    let status = copyToGuest(data, command.entry, length: data.count)
    guard status == .success, !command.retainAsynchronousEvent else { return status }
    switch identifier {
    case .errorInformation: events.logPageRead(.error)
    case .smartHealthInformation: events.logPageRead(.smartHealth)
    case .changedNamespaceList:
      changedNamespaces = []
      events.logPageRead(.notice, isCleared: true)
    default: break
    }
    return status
  }

  private func supportedLogPages() -> [UInt8] {
    var page = SupportedLogPagesLog()
    for identifier: LogPageIdentifier in [
      .supportedLogPages, .errorInformation, .smartHealthInformation, .firmwareSlotInformation,
      .changedNamespaceList, .commandsSupportedAndEffects,
    ] { page[identifier] = true }
    return page.encode()
  }

  private func errorInformation() -> [UInt8] {
    let entries = errorLog.entries.map { entry in
      var result = ErrorInformationLogEntry()
      result.errorCount = entry.errorCount
      result.submissionQueueIdentifier = entry.submissionQueue
      result.commandIdentifier = entry.command
      result.statusAndPhase = entry.status.rawValue << 1
      // No part of the command is singled out.
      result.parameterErrorLocation = 0xffff
      result.lba = entry.slba
      result.namespaceIdentifier = entry.namespaceIdentifier
      return result
    }
    return ErrorInformationLogEntry.encode(entries, entryCount: ErrorLog.capacity)
  }

  private func smartHealth() -> [UInt8] {
    var page = SMARTHealthLog()
    if isTemperatureCritical { page.criticalWarning.insert(.temperature) }
    if isReliabilityDegraded { page.criticalWarning.insert(.reliabilityDegraded) }
    page.compositeTemperature = Features.temperature
    page.availableSpare = 100
    page.availableSpareThreshold = 10
    let statistics = counters.commandStatistics
    func count(_ kinds: CommandKind...) -> UInt128 { kinds.reduce(0) { $0 + UInt128(statistics[$1].latency.count) } }
    page.dataUnitsRead = SMARTHealthLog.dataUnits(ofByteCount: UInt128(statistics.readBytes))
    page.dataUnitsWritten = SMARTHealthLog.dataUnits(ofByteCount: UInt128(statistics.writtenBytes))
    page.hostReadCommands = count(.read, .compare, .verify)
    page.hostWriteCommands = count(.write, .writeZeroes)
    page.powerCycles = 1
    page.powerOnHours = UInt128((Clock.monotonic &- createdAt) / 3_600_000_000_000)
    page.unsafeShutdowns = UInt128(unsafeShutdowns)
    page.mediaAndDataIntegrityErrors = UInt128(statistics.mediaErrors)
    page.numberOfErrorInformationLogEntries = UInt128(errorLog.total)
    return page.encode()
  }

  private func firmwareSlots() -> [UInt8] {
    var page = FirmwareSlotLog()
    page.activeFirmwareInformation = 1
    page[revisionInSlot: 1] = description.firmwareRevision
    return page.encode()
  }

  private func effects() -> [UInt8] {
    var page = CommandsSupportedAndEffectsLog()
    let admin: [AdminOpcode] = [
      .deleteIOSubmissionQueue, .createIOSubmissionQueue, .getLogPage, .deleteIOCompletionQueue,
      .createIOCompletionQueue, .identify, .abort, .setFeatures, .getFeatures, .asynchronousEventRequest,
    ]
    for opcode in admin { page[admin: opcode.rawValue] = .supported }
    if description.shadowDoorbells != .off { page[admin: AdminOpcode.doorbellBufferConfig.rawValue] = .supported }
    for opcode: NVMOpcode in [.flush, .read, .compare, .verify] { page[io: opcode.rawValue] = .supported }
    for opcode: NVMOpcode in [.write, .writeZeroes, .datasetManagement] {
      page[io: opcode.rawValue] = [.supported, .logicalBlockContentChange]
    }
    return page.encode()
  }
}
