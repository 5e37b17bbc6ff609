import LinuxIO
import NVMeController
import NVMeSpec
import Storage
import Testing

/// Get Features and Set Features: `Controller+Features.swift`.
@Suite struct ControllerFeaturesTests {
  private static let all = UInt32.max

  private static func host() throws -> Host { try Host([try .memory()]) { $0.namespaceLimit = 2 } }

  private static let supported: [FeatureIdentifier] = [
    .arbitration, .powerManagement, .temperatureThreshold, .errorRecovery, .volatileWriteCache, .numberOfQueues,
    .interruptCoalescing, .interruptVectorConfiguration, .writeAtomicityNormal, .asynchronousEventConfiguration,
    .timestamp, .hostBehaviorSupport,
  ]

  @Test func unknownFeatures() throws {
    let host = try ControllerFeaturesTests.host()
    let known = Set(ControllerFeaturesTests.supported.map(\.rawValue))
    for feature in UInt8.min...UInt8.max where !known.contains(feature) {
      #expect(try host.admin(.getFeatures(feature)).status == .invalidField, "Get \(feature)")
      #expect(try host.admin(.setFeatures(feature, 0)).status == .invalidField, "Set \(feature)")
    }
  }

  /// What a feature is by default, what can be set, and what is read back then.
  @Test(
    arguments: [
      (.arbitration, 6, 0xffff_ffff, 0xffff_ff07), (.powerManagement, 0, 0x40, 0x40),
      (.temperatureThreshold, 343, 350, 350), (.errorRecovery, 0, 0x1234, 0x1234), (.volatileWriteCache, 1, 0, 0),
      (.numberOfQueues, 0x0007_0007, 0x0002_0001, 0x0002_0002), (.interruptCoalescing, 0, 0x1234_0507, 0x0507),
      (.writeAtomicityNormal, 0, 1, 1), (.asynchronousEventConfiguration, 0, 0xffff_ffff, 0x011f),
    ] as [(FeatureIdentifier, UInt32, UInt32, UInt32)])
  func values(_ feature: FeatureIdentifier, initial: UInt32, set: UInt32, then: UInt32) throws {
    let host = try ControllerFeaturesTests.host()
    let nsid: UInt32 = feature == .errorRecovery ? 1 : 0
    let get = { (select: FeatureSelect) in
      let entry = try host.admin(.getFeatures(feature.rawValue, select: select.rawValue, nsid: nsid))
      #expect(entry.status == .success)
      return entry.dw0
    }
    for select: FeatureSelect in [.current, .default, .saved] { #expect(try get(select) == initial) }
    #expect(try get(.supportedCapabilities) == (feature == .errorRecovery ? 6 : 4))
    #expect(try host.admin(.setFeatures(feature.rawValue, set, nsid: nsid)).status == .success)
    #expect(try get(.current) == then)
    for select: FeatureSelect in [.default, .saved] { #expect(try get(select) == initial) }
    // A controller level reset brings the default back.
    try host.disable()
    try host.enable()
    #expect(try get(.current) == initial)
  }

  @Test(arguments: supported) func select(_ feature: FeatureIdentifier) throws {
    let host = try ControllerFeaturesTests.host()
    let data = host.ram.allocate()
    let nsid: UInt32 = feature == .errorRecovery ? 1 : 0
    for select in UInt8(0)...7 {
      let status = try host.admin(.getFeatures(feature.rawValue, select: select, nsid: nsid, to: data)).status
      #expect(status == (select <= 3 ? .success : .invalidField), "SEL \(select)")
    }
  }

  @Test(arguments: supported) func nothingIsSaved(_ feature: FeatureIdentifier) throws {
    let host = try ControllerFeaturesTests.host()
    let nsid: UInt32 = feature == .errorRecovery ? 1 : 0
    let command = SubmissionQueueEntry.setFeatures(
      feature.rawValue, 0, save: true, nsid: nsid, from: host.ram.allocate())
    #expect(try host.admin(command).status == .featureNotSaveable)
  }

  /// Only Error Recovery belongs to a namespace.
  @Test(
    arguments: supported.filter { $0 != .volatileWriteCache },
    [
      (0, .success, .invalidNamespace), (all, .success, .success), (1, .featureNotNamespaceSpecific, .success),
      (2, .featureNotNamespaceSpecific, .invalidField), (3, .invalidNamespace, .invalidNamespace),
      (all - 1, .invalidNamespace, .invalidNamespace),
    ] as [(UInt32, Status, Status)])
  func namespaces(_ feature: FeatureIdentifier, _ expected: (nsid: UInt32, controller: Status, namespace: Status))
    throws
  {
    let host = try ControllerFeaturesTests.host()
    let status = feature == .errorRecovery ? expected.namespace : expected.controller
    let command = SubmissionQueueEntry.setFeatures(
      feature.rawValue, 0, nsid: expected.nsid, from: host.ram.allocate())
    #expect(try host.admin(command).status == status)
    guard feature == .errorRecovery else { return }
    #expect(try host.admin(.getFeatures(feature.rawValue, nsid: expected.nsid)).status == status)
  }

  @Test(
    arguments: [
      (.powerManagement, 1), (.powerManagement, 0x1f), (.errorRecovery, 0x1_0000), (.numberOfQueues, 0xffff_0000),
      (.numberOfQueues, 0x0000_ffff), (.interruptVectorConfiguration, 9), (.interruptVectorConfiguration, 0xffff),
      (.temperatureThreshold, 0x20_0000), (.temperatureThreshold, 0x30_0000),
    ] as [(FeatureIdentifier, UInt32)])
  func valuesThatCannotBe(_ feature: FeatureIdentifier, value: UInt32) throws {
    let host = try ControllerFeaturesTests.host()
    #expect(
      try host.admin(.setFeatures(feature.rawValue, value, nsid: ControllerFeaturesTests.all)).status == .invalidField)
  }

  // MARK: Number of Queues

  @Test(
    arguments: [
      (0x0000_0000, 0x0000_0000), (0x0007_0007, 0x0007_0007), (0x0003_0007, 0x0007_0007), (0x00ff_00ff, 0x0007_0007),
      (0xfffe_fffe, 0x0007_0007),
    ] as [(UInt32, UInt32)])
  func numberOfQueues(wanted: UInt32, granted: UInt32) throws {
    let host = try ControllerFeaturesTests.host()
    let entry = try host.admin(.setFeatures(FeatureIdentifier.numberOfQueues.rawValue, wanted))
    #expect(entry.status == .success && entry.dw0 == granted)
  }

  @Test func numberOfQueuesAfterTheFirstQueue() throws {
    let host = try ControllerFeaturesTests.host()
    let feature = FeatureIdentifier.numberOfQueues.rawValue
    try host.createCompletionQueue(1)
    #expect(try host.admin(.setFeatures(feature, 0)).status == .commandSequenceError)
    #expect(try host.admin(.getFeatures(feature)).dw0 == 0x0007_0007)
    #expect(try host.admin(.deleteCompletionQueue(1)).status == .success)
    #expect(try host.admin(.setFeatures(feature, 0)).status == .success)
  }

  // MARK: Volatile Write Cache

  /// Off: what it held is durable when the command completes.
  @Test func writeCacheOff() throws {
    let gate = try Gate()
    let image = try TestImage(size: 1 << 20)
    let host = try Host([Namespace(try image.backend(gate: gate)), try .memory()], gates: [gate])
    let feature = FeatureIdentifier.volatileWriteCache.rawValue
    try host.createQueuePair()
    let command = host.submit(.setFeatures(feature, 0), on: host.adminSubmission)
    try host.wait("the flush", also: gate.arrival.rawValue) { gate.calls == [.dataSync] }
    try host.settle()
    #expect(host.adminCompletion.entries.isEmpty, "the flush is under way")
    #expect(try host.admin(.identify(1, to: host.ram.allocate())).status == .success, "others go on")
    gate.open()
    #expect(try host.completion(of: command, on: host.adminSubmission).status == .success)
    // Write Zeroes says by the gate whether it was Force Unit Access.
    #expect(try host.io(.writeZeroes(slba: 0, blocks: 8)).status == .success)
    #expect(gate.calls == [.dataSync, .allocate(offset: 0, count: 4096), .dataSync])
    let data = host.ram.allocate()
    #expect(try host.io(.transfer(.write, slba: 0, blocks: 8, data)).status == .success)
    #expect(try host.admin(.setFeatures(feature, 0)).status == .success, "once more changes nothing")
    #expect(try host.admin(.setFeatures(feature, 1)).status == .success)
    #expect(try host.io(.writeZeroes(slba: 8, blocks: 8)).status == .success)
    #expect(gate.calls.count == 4 && gate.calls.last == .allocate(offset: 4096, count: 4096))
  }

  /// What is in flight when it is turned off completes without a cache, and so has to be durable when it does: the flush
  /// waits for it. A second command to turn it off does not complete before the first.
  @Test func writeCacheOffWaitsForWhatIsInFlight() throws {
    let gate = try Gate()
    let image = try TestImage(size: 1 << 20)
    let host = try Host([Namespace(try image.backend(gate: gate))], gates: [gate])
    let feature = FeatureIdentifier.volatileWriteCache.rawValue
    let queue = try host.createQueuePair()
    let zeroes = host.submit(.writeZeroes(slba: 0, blocks: 8), on: queue)
    try host.wait("the command to begin", also: gate.arrival.rawValue) { gate.calls.count == 1 }
    let commands = host.submit(
      [.setFeatures(feature, 0), .setFeatures(feature, 0)], on: host.adminSubmission)
    try host.settle()
    #expect(try host.admin(.getFeatures(feature)).dw0 == 0, "others go on")
    #expect(gate.calls == [.allocate(offset: 0, count: 4096)], "flushed too early")
    #expect(host.adminCompletion.entries.isEmpty)
    gate.open()
    #expect(try host.completion(of: zeroes, on: queue).status == .success)
    for command in commands {
      #expect(try host.completion(of: command, on: host.adminSubmission).status == .success)
    }
    #expect(gate.calls == [.allocate(offset: 0, count: 4096), .dataSync, .dataSync])
  }

  /// Whose flush has failed: the cache is on as before, as far as the host is told, and the next try flushes again.
  @Test func writeCacheThatCannotBeTurnedOff() throws {
    let gate = try Gate()
    gate.open()
    gate.failSyncs(.inputOutput)
    let image = try TestImage(size: 1 << 20)
    let host = try Host([Namespace(try image.backend(gate: gate))], gates: [gate])
    let feature = FeatureIdentifier.volatileWriteCache.rawValue
    for _ in 0..<2 {
      #expect(try host.admin(.setFeatures(feature, 0)).status == .writeFault)
      #expect(try host.admin(.getFeatures(feature)).dw0 == 1)
    }
    #expect(try host.admin(.setFeatures(feature, 1)).status == .success)
    try host.createQueuePair()
    let before = gate.calls.count
    #expect(try host.io(.writeZeroes(slba: 0, blocks: 8)).status == .success)
    #expect(gate.calls.dropFirst(before) == [.allocate(offset: 0, count: 4096)], "no write is Force Unit Access")
  }

  @Test func writeCacheIsOnAgainAfterAReset() throws {
    let gate = try Gate()
    gate.open()
    let image = try TestImage(size: 1 << 20)
    let host = try Host([Namespace(try image.backend(gate: gate))], gates: [gate])
    try host.admin(.setFeatures(FeatureIdentifier.volatileWriteCache.rawValue, 0))
    try host.disable()
    try host.enable()
    try host.createQueuePair()
    let before = gate.calls.count
    #expect(try host.io(.writeZeroes(slba: 0, blocks: 8)).status == .success)
    #expect(gate.calls.dropFirst(before) == [.allocate(offset: 0, count: 4096)])
  }

  /// A command that a reset has ended does not complete in the next life of the admin queue.
  @Test func resetWhileTheCacheIsFlushed() throws {
    let gate = try Gate()
    let image = try TestImage(size: 1 << 20)
    var options = IOThreads.Options()
    options.workers = 1
    let threads = try IOThreads(options)
    let host = try Host([Namespace(try image.backend(gate: gate))], threads: threads, gates: [gate])
    host.submit(.setFeatures(FeatureIdentifier.volatileWriteCache.rawValue, 0), on: host.adminSubmission)
    try host.wait("the flush", also: gate.arrival.rawValue) { gate.calls == [.dataSync] }
    try host.disable()
    try host.enable()
    gate.open()
    // The one worker does another flush after this one.
    try host.wait("the end of the flush", also: gate.arrival.rawValue) { gate.finished == 1 }
    try host.perform("another flush") { done in host.controller.flushAll { _ in done() } }
    #expect(host.adminCompletion.entries.isEmpty)
    #expect(try host.admin(.identify(1, to: host.ram.allocate())).status == .success)
  }

  // MARK: Interrupts

  @Test func vectorConfiguration() throws {
    let host = try ControllerFeaturesTests.host()
    let feature = FeatureIdentifier.interruptVectorConfiguration.rawValue
    #expect(try host.admin(.getFeatures(feature, cdw11: 3)).dw0 == 3)
    #expect(try host.admin(.setFeatures(feature, 0x1_0003)).status == .success)
    #expect(try host.admin(.getFeatures(feature, cdw11: 3)).dw0 == 0x1_0003)
    #expect(try host.admin(.getFeatures(feature, cdw11: 4)).dw0 == 4)
    #expect(try host.admin(.getFeatures(feature, select: 1, cdw11: 3)).dw0 == 3)
    #expect(try host.admin(.getFeatures(feature, cdw11: 9)).status == .invalidField)
    #expect(try host.admin(.setFeatures(feature, 3)).status == .success)
    #expect(try host.admin(.getFeatures(feature, cdw11: 3)).dw0 == 3)
  }

  // MARK: Temperature

  @Test func thresholds() throws {
    let host = try ControllerFeaturesTests.host()
    let feature = FeatureIdentifier.temperatureThreshold.rawValue
    let under: UInt32 = 1 << 20
    #expect(try host.admin(.getFeatures(feature, cdw11: under)).dw0 == 0)
    #expect(try host.admin(.setFeatures(feature, under | 280)).status == .success)
    #expect(try host.admin(.getFeatures(feature, cdw11: under)).dw0 == 280)
    #expect(try host.admin(.getFeatures(feature)).dw0 == 343)
    // All sensors: the composite temperature is the only one. Sensors that are not there have no threshold.
    #expect(try host.admin(.setFeatures(feature, 0xf << 16 | 333)).status == .success)
    #expect(try host.admin(.getFeatures(feature)).dw0 == 333)
    #expect(try host.admin(.setFeatures(feature, 1 << 16 | 300)).status == .success)
    #expect(try host.admin(.getFeatures(feature, cdw11: 1 << 16)).dw0 == 0)
    #expect(try host.admin(.getFeatures(feature)).dw0 == 333)
    #expect(try host.admin(.getFeatures(feature, cdw11: 2 << 20)).status == .invalidField)
  }

  // MARK: Features with data

  @Test func timestamp() throws {
    let host = try ControllerFeaturesTests.host()
    let feature = FeatureIdentifier.timestamp.rawValue
    let data = host.ram.allocate()
    let get = { (select: UInt8) in
      #expect(try host.admin(.getFeatures(feature, select: select, to: data)).status == .success)
      return try #require(Timestamp(decoding: host.ram.bytes(data, Timestamp.byteCount)))
    }
    var now = try get(0)
    #expect(now.origin == .clearedByReset && now.milliseconds < 600_000)
    // Near the end of its 48 bits.
    let set: UInt64 = 0xffff_ffff_0000
    host.ram.write(Timestamp(milliseconds: set).encode(), at: data)
    #expect(try host.admin(.setFeatures(feature, 0, from: data)).status == .success)
    now = try get(0)
    #expect(now.origin == .setByHost && now.milliseconds >= set && now.milliseconds < set + 60_000)
    #expect(try get(1).origin == .clearedByReset)
    try host.disable()
    try host.enable()
    #expect(try get(0).origin == .setByHost, "the clock goes on")
    for (prp1, status): (UInt64, Status) in [(0x1000, .dataTransferError), (data + 2, .invalidPRPOffset)] {
      #expect(try host.admin(.setFeatures(feature, 0, from: prp1)).status == status)
      #expect(try host.admin(.getFeatures(feature, to: prp1)).status == status)
    }
    #expect(try get(0).origin == .setByHost)
  }

  @Test func hostBehavior() throws {
    let host = try ControllerFeaturesTests.host()
    let feature = FeatureIdentifier.hostBehaviorSupport.rawValue
    let data = host.ram.allocate(pages: 2)
    var value = HostBehaviorSupport()
    value.advancedCommandRetryEnable = true
    // Across two pages.
    let place = data + 4096 - 256
    host.ram.write(value.encode(), at: place)
    let set = SubmissionQueueEntry.setFeatures(feature, 0, from: place).with { $0.prp2 = data + 4096 }
    #expect(try host.admin(set).status == .success)
    host.ram.fill(data, 8192, 0x55)
    #expect(try host.admin(.getFeatures(feature, to: data)).status == .success)
    #expect(host.ram.bytes(data, 512) == value.encode())
    #expect(host.ram.bytes(data + 512, 8192 - 512).allSatisfy { $0 == 0x55 })
    #expect(try host.admin(.getFeatures(feature, select: 1, to: data)).status == .success)
    #expect(host.ram.bytes(data, 512) == [UInt8](repeating: 0, count: 512))
    #expect(try host.admin(.setFeatures(feature, 0, from: 0x1000)).status == .dataTransferError)
  }
}
