import LinuxIO
import NVMeSpec

/// Get Features and Set Features: NVMe base specification 2.0, sections 5.15 and 5.27.
extension Controller {
  private static var namespaceSpecific: Set<FeatureIdentifier> { [.errorRecovery] }

  private static var supportedFeatures: Set<FeatureIdentifier> {
    [
      .arbitration, .powerManagement, .temperatureThreshold, .errorRecovery, .volatileWriteCache, .numberOfQueues,
      .interruptCoalescing, .interruptVectorConfiguration, .writeAtomicityNormal, .asynchronousEventConfiguration,
      .timestamp, .hostBehaviorSupport,
    ]
  }

  func getFeatures(_ command: GetFeaturesCommand) -> Outcome {
    guard let feature = FeatureIdentifier(rawValue: command.fid), Controller.supportedFeatures.contains(feature) else {
      return .complete(.invalidField)
    }
    guard let select = FeatureSelect(rawValue: command.select) else { return .complete(.invalidField) }
    if Controller.namespaceSpecific.contains(feature), command.nsid != UInt32.max {
      guard let place = place(command.nsid) else { return .complete(.invalidNamespace) }
      guard namespaces[place] != nil else { return .complete(.invalidField) }
    }
    let values: Features
    switch select {
    case .supportedCapabilities:
      var capabilities: FeatureCapabilities = .changeable
      if Controller.namespaceSpecific.contains(feature) { capabilities.insert(.namespaceSpecific) }
      return .complete(.success, dw0: capabilities.rawValue)
    case .current: values = features
    // Nothing is saved: the saved value is the default.
    case .default, .saved: values = Features(queueCount: description.queueCount, vectorCount: description.vectorCount)
    }
    switch feature {
    case .arbitration: return .complete(.success, dw0: values.arbitration)
    case .powerManagement: return .complete(.success, dw0: values.powerManagement)
    case .temperatureThreshold: return getTemperatureThreshold(command, values)
    case .errorRecovery: return .complete(.success, dw0: values.errorRecovery)
    case .volatileWriteCache: return .complete(.success, dw0: values.volatileWriteCache ? 1 : 0)
    case .numberOfQueues:
      let queues = NumberOfQueuesFeature(
        submissionQueueCount: values.grantedQueues, completionQueueCount: values.grantedQueues)
      return .complete(.success, dw0: queues.rawValue)
    case .interruptCoalescing: return .complete(.success, dw0: values.interruptCoalescing)
    case .interruptVectorConfiguration:
      let vector = InterruptVectorConfigurationFeature(rawValue: command.cdw11).interruptVector
      guard Int(vector) < description.vectorCount else { return .complete(.invalidField) }
      var value = InterruptVectorConfigurationFeature()
      value.interruptVector = vector
      value.coalescingDisable = values.coalescingDisabled.contains(vector)
      return .complete(.success, dw0: value.rawValue)
    case .writeAtomicityNormal: return .complete(.success, dw0: values.writeAtomicity)
    case .asynchronousEventConfiguration: return .complete(.success, dw0: values.asynchronousEvents.rawValue)
    case .timestamp:
      let data = currentTimestamp(values).encode()
      return .complete(copyToGuest(data, command.entry, length: data.count))
    case .hostBehaviorSupport:
      let data = values.hostBehavior.encode()
      return .complete(copyToGuest(data, command.entry, length: data.count))
    default: return .complete(.invalidField)
    }
  }

  func setFeatures(_ command: SetFeaturesCommand) -> Outcome {
    guard let feature = FeatureIdentifier(rawValue: command.fid), Controller.supportedFeatures.contains(feature) else {
      return .complete(.invalidField)
    }
    if command.save { return .complete(.featureNotSaveable) }
    if Controller.namespaceSpecific.contains(feature) {
      if command.nsid != UInt32.max {
        guard let place = place(command.nsid) else { return .complete(.invalidNamespace) }
        guard namespaces[place] != nil else { return .complete(.invalidField) }
      }
    } else if command.nsid != 0, command.nsid != UInt32.max {
      guard place(command.nsid) != nil else { return .complete(.invalidNamespace) }
      return .complete(.featureNotNamespaceSpecific)
    }
    switch feature {
    case .arbitration: features.arbitration = command.cdw11 & 0xffff_ff07
    case .powerManagement:
      // NPSS 0: one power state.
      guard PowerManagementFeature(rawValue: command.cdw11).powerState == 0 else { return .complete(.invalidField) }
      features.powerManagement = command.cdw11 & 0xff
    case .temperatureThreshold: return setTemperatureThreshold(TemperatureThresholdFeature(rawValue: command.cdw11))
    case .errorRecovery:
      // DULBE is not supported (NSFEAT bit 2).
      guard !ErrorRecoveryFeature(rawValue: command.cdw11).deallocatedOrUnwrittenErrorEnable else {
        return .complete(.invalidField)
      }
      features.errorRecovery = command.cdw11 & 0xffff
    case .volatileWriteCache: return setWriteCache(command, isEnabled: command.cdw11 & 1 != 0)
    case .numberOfQueues: return setNumberOfQueues(NumberOfQueuesFeature(rawValue: command.cdw11))
    case .interruptCoalescing:
      features.interruptCoalescing = command.cdw11 & 0xffff
      return setCoalescing(command)
    case .interruptVectorConfiguration:
      let value = InterruptVectorConfigurationFeature(rawValue: command.cdw11)
      guard Int(value.interruptVector) < description.vectorCount else { return .complete(.invalidField) }
      if value.coalescingDisable {
        features.coalescingDisabled.insert(value.interruptVector)
      } else {
        features.coalescingDisabled.remove(value.interruptVector)
      }
      return setCoalescing(command)
    case .writeAtomicityNormal: features.writeAtomicity = command.cdw11 & 1
    case .asynchronousEventConfiguration:
      let supported: AsynchronousEventConfiguration = [
        .spareBelowThreshold, .temperature, .reliabilityDegraded, .readOnly, .volatileMemoryBackupFailed,
        .namespaceAttributeNotices,
      ]
      features.asynchronousEvents = AsynchronousEventConfiguration(rawValue: command.cdw11).intersection(supported)
      reportTemperature()
      reportReliability()
    case .timestamp:
      let (bytes, status) = copyFromGuest(command.entry, length: Timestamp.byteCount)
      guard status == .success, let value = Timestamp(decoding: bytes) else {
        return .complete(status == .success ? .invalidField : status)
      }
      features.timestamp = (value.milliseconds, Clock.monotonic)
    case .hostBehaviorSupport:
      let (bytes, status) = copyFromGuest(command.entry, length: HostBehaviorSupport.byteCount)
      guard status == .success, let value = HostBehaviorSupport(decoding: bytes) else {
        return .complete(status == .success ? .invalidField : status)
      }
      features.hostBehavior = value
    default: return .complete(.invalidField)
    }
    return .complete(.success)
  }

  /// The time the host set, gone on since; or the time since the controller exists.
  private func currentTimestamp(_ values: Features) -> Timestamp {
    guard let timestamp = values.timestamp else {
      return Timestamp(milliseconds: (Clock.monotonic &- createdAt) / 1_000_000, origin: .clearedByReset)
    }
    let elapsed = (Clock.monotonic &- timestamp.setAt) / 1_000_000
    return Timestamp(milliseconds: (timestamp.milliseconds &+ elapsed) & 0xffff_ffff_ffff, origin: .setByHost)
  }

  private func setNumberOfQueues(_ value: NumberOfQueuesFeature) -> Outcome {
    guard value.zeroBasedSubmissionQueues != 0xffff, value.zeroBasedCompletionQueues != 0xffff else {
      return .complete(.invalidField)
    }
    guard queues.isEmpty else { return .complete(.commandSequenceError) }
    let wanted = max(value.submissionQueueCount, value.completionQueueCount)
    let granted = min(wanted, description.queueCount)
    features.grantedQueues = granted
    let answer = NumberOfQueuesFeature(submissionQueueCount: granted, completionQueueCount: granted)
    return .complete(.success, dw0: answer.rawValue)
  }

  /// Turning the cache off makes what it holds durable first, with what was in flight; every write is then Force Unit
  /// Access. A second command waits as the first one does. Where it fails the cache stays on, as far as the host is told,
  /// so that it goes on to flush, and may ask again.
  private func setWriteCache(_ command: SetFeaturesCommand, isEnabled: Bool) -> Outcome {
    // Off already is not enough where what the cache held may be lost.
    let isSettled = writesThrough != isEnabled && writeCacheFlushes == 0
    let isLost = !isEnabled && namespaces.contains { $0?.writeCacheFailed == true }
    guard features.volatileWriteCache != isEnabled || !isSettled || isLost else { return .complete(.success) }
    features.volatileWriteCache = isEnabled
    writesThrough = !isEnabled
    writeCacheChanges += 1
    let (lifetime, change) = (epoch, writeCacheChanges)
    if !isEnabled { writeCacheFlushes += 1 }
    broadcast({ lane, token in .setWriteCache(port: lane.port, enabled: isEnabled, token: token) }) { [self] in
      guard !isEnabled else { return completeLater(command.entry, .success, lifetime: lifetime) }
      flushAll { [self] succeeded in
        writeCacheFlushes -= 1
        if !succeeded, change == writeCacheChanges { features.volatileWriteCache = true }
        completeLater(command.entry, succeeded ? .success : .writeFault, lifetime: lifetime)
      }
    }
    return .pending
  }

  /// Completes the command when all interrupts obey the features.
  private func setCoalescing(_ command: SetFeaturesCommand) -> Outcome {
    let coalescing = InterruptCoalescing(
      InterruptCoalescingFeature(rawValue: features.interruptCoalescing), exemptVectors: features.coalescingDisabled)
    let lifetime = epoch
    broadcast({ lane, token in .setCoalescing(port: lane.port, coalescing, token: token) }) { [self] in
      completeLater(command.entry, .success, lifetime: lifetime)
    }
    return .pending
  }

  // MARK: Temperature

  private func getTemperatureThreshold(_ command: GetFeaturesCommand, _ values: Features) -> Outcome {
    let asked = TemperatureThresholdFeature(rawValue: command.cdw11)
    // There is only the composite temperature; sensors that are not there have no threshold.
    guard asked.sensor == 0 else { return .complete(.success, dw0: 0) }
    switch asked.type {
    case TemperatureThresholdFeature.overTemperature: return .complete(.success, dw0: UInt32(values.overTemperature))
    case TemperatureThresholdFeature.underTemperature: return .complete(.success, dw0: UInt32(values.underTemperature))
    default: return .complete(.invalidField)
    }
  }

  private func setTemperatureThreshold(_ value: TemperatureThresholdFeature) -> Outcome {
    guard value.sensor == 0 || value.sensor == TemperatureThresholdFeature.allSensors else {
      return .complete(.success)
    }
    switch value.type {
    case TemperatureThresholdFeature.overTemperature: features.overTemperature = value.threshold
    case TemperatureThresholdFeature.underTemperature: features.underTemperature = value.threshold
    default: return .complete(.invalidField)
    }
    reportTemperature()
    return .complete(.success)
  }

  /// Whether the temperature is at or beyond a threshold that the host has set.
  var isTemperatureCritical: Bool {
    Features.temperature >= features.overTemperature || Features.temperature <= features.underTemperature
  }

  private func reportTemperature() {
    if isTemperatureCritical, features.asynchronousEvents.contains(.temperature) {
      events.add(.temperatureThreshold)
    }
  }

  // MARK: Reliability

  /// Whether a sync of an image has failed: what its volatile cache held, and the host believes durable, may be lost.
  var isReliabilityDegraded: Bool { namespaces.contains { $0?.writeCacheFailed == true } }

  /// Tells the host of it, once. After a command or a flush of the controller's own has failed.
  func reportReliability() {
    guard !events.hasReportedReliability, features.asynchronousEvents.contains(.reliabilityDegraded),
      isReliabilityDegraded
    else { return }
    events.hasReportedReliability = true
    events.add(.subsystemReliability)
  }
}
