import GuestMemory
import LinuxIO
import NVMeSpec
import Storage
import Testing

@testable import NVMeController

/// The state machine behind CC and CSTS: `Controller+Registers.swift`, and what stops DMA: `Controller.swift`.
@Suite struct ControllerStateTests {
  // MARK: Enabling

  @Test func enabling() throws {
    let host = try Host([try .memory()], isEnabled: false)
    try host.setBusMaster(true)
    #expect(host.status == ControllerStatus())
    try host.enable()
    #expect(host.read32(ControllerRegister.configuration) == 0x0046_0001)
    #expect(try host.admin(.identify(1, to: host.ram.allocate())).status == .success)
  }

  /// Entry sizes matter when the first I/O queue is created, and not before.
  @Test func enablingWithoutEntrySizes() throws {
    let host = try Host(isEnabled: false)
    try host.setBusMaster(true)
    host.setAdminQueue()
    var configuration = ControllerConfiguration()
    configuration.enable = true
    host.configure(configuration)
    #expect(host.status.ready)
    #expect(try host.admin(.identify(1, to: host.ram.allocate())).status == .success)
  }

  @Test(arguments: [(2, 2), (2, 4096), (4096, 2), (4096, 4096)])
  func adminQueueSizes(submission: Int, completion: Int) throws {
    let host = try Host(isEnabled: false)
    try host.setBusMaster(true)
    let submissions = SubmissionRing(identifier: 0, size: submission, ram: host.ram)
    let completions = CompletionRing(identifier: 0, size: completion, ram: host.ram)
    completions.serve(submissions)
    host.setAdminQueue(
      submission: submissions.iova, completion: completions.iova,
      attributes: AdminQueueAttributes(submissionQueueSize: submission, completionQueueSize: completion))
    host.configure(Host.enabled)
    #expect(host.status.ready)
    for number in 0..<5 {
      let command = host.submit(.identify(1, to: host.ram.allocate()), on: submissions)
      completions.reap()
      let entry = try #require(completions.take(command, from: 0), "command \(number)")
      #expect(entry.status == .success)
      host.ring(completionQueue: 0, head: UInt32(completions.head))
    }
  }

  /// A setting that must not enable the controller.
  struct BadSetting: Sendable, CustomTestStringConvertible {
    let testDescription: String
    var configuration = Host.enabled
    var attributes: AdminQueueAttributes?
    var submission: UInt64?
    var completion: UInt64?

    init(_ name: String, _ change: (inout BadSetting) -> Void) {
      testDescription = name
      change(&self)
    }
  }

  static let badSettings: [BadSetting] =
    (1...7).map { value in BadSetting("CC.CSS \(value)") { $0.configuration.commandSetSelected = UInt8(value) } }
    + [1, 4, 15].map { value in BadSetting("CC.MPS \(value)") { $0.configuration.memoryPageSize = value } }
    + [1, 2, 7].map { value in BadSetting("CC.AMS \(value)") { $0.configuration.arbitrationMechanism = value } }
    + [
      BadSetting("ASQS 0") { $0.attributes = AdminQueueAttributes(rawValue: 0x001f_0000) },
      BadSetting("ACQS 0") { $0.attributes = AdminQueueAttributes(rawValue: 0x0000_001f) },
      BadSetting("ASQ not mapped") { $0.submission = 0x1000 },
      BadSetting("ACQ not mapped") { $0.completion = 0x1000 },
      BadSetting("ASQ at the end of the address space") { $0.submission = 0xffff_ffff_ffff_f000 },
      BadSetting("ACQ at the end of the address space") { $0.completion = 0xffff_ffff_ffff_f000 },
      BadSetting("ASQ half outside memory") {
        $0.submission = 0x1_007f_f000
        $0.attributes = AdminQueueAttributes(submissionQueueSize: 4096, completionQueueSize: 32)
      },
      BadSetting("ACQ half outside memory") {
        $0.completion = 0x1_007f_f000
        $0.attributes = AdminQueueAttributes(submissionQueueSize: 32, completionQueueSize: 4096)
      },
    ]

  @Test(arguments: badSettings) func enablingFails(_ bad: BadSetting) throws {
    let host = try Host(isEnabled: false)
    try host.setBusMaster(true)
    host.setAdminQueue(submission: bad.submission, completion: bad.completion, attributes: bad.attributes)
    host.configure(bad.configuration)
    #expect(host.status.controllerFatalStatus && !host.status.ready)
    // A failed controller does nothing.
    host.submit(.identify(1, to: host.ram.allocate()), on: host.adminSubmission)
    try host.settle()
    #expect(host.adminCompletion.entries.isEmpty)
    // The way out.
    try host.disable()
    try host.wait("CSTS.CFS 0") { !host.status.controllerFatalStatus }
    #expect(host.status == ControllerStatus())
    try host.enable()
    #expect(try host.admin(.identify(1, to: host.ram.allocate())).status == .success)
  }

  /// Memory that the device may not write cannot hold a completion queue.
  @Test func adminCompletionQueueInReadOnlyMemory() throws {
    let host = try Host(isEnabled: false)
    try host.setBusMaster(true)
    let other = try GuestRAM(base: 0x2_0000_0000, megabytes: 1)
    try host.map([try other.view().region(pages: 0..<256, access: .read)])
    host.setAdminQueue(completion: other.base)
    host.configure(Host.enabled)
    #expect(host.status.controllerFatalStatus && !host.status.ready)
  }

  // MARK: Disabling

  @Test func disablingForgets() throws {
    let host = try Host([try .memory()])
    try host.createQueuePair(1)
    try host.createQueuePair(2)
    for queue: UInt16 in [1, 2] { #expect(try host.io(.flush(), queue: queue).status == .success) }
    try host.admin(.setFeatures(FeatureIdentifier.arbitration.rawValue, 3))
    host.submit(.asynchronousEventRequest, on: host.adminSubmission)
    try host.disable()
    #expect(host.status == ControllerStatus())
    try host.enable()
    // The queues are gone, features are at their defaults, no request for an event is left.
    #expect(try host.admin(.deleteSubmissionQueue(1)).status == .invalidQueueIdentifier)
    #expect(try host.admin(.deleteCompletionQueue(2)).status == .invalidQueueIdentifier)
    #expect(try host.admin(.getFeatures(FeatureIdentifier.arbitration.rawValue)).dw0 == 6)
    for _ in 0..<4 { host.submit(.asynchronousEventRequest, on: host.adminSubmission) }
    try host.settle()
    #expect(host.adminCompletion.entries.isEmpty)
    try host.createQueuePair(1)
    #expect(try host.io(.flush()).status == .success)
  }

  /// RDY is 1 as long as anything may still touch guest memory, and what was in flight completes silently.
  @Test func disablingWaitsForCommandsInFlight() throws {
    let gate = try Gate()
    let image = try TestImage(size: 1 << 20)
    let host = try Host([Namespace(try image.backend(gate: gate))], gates: [gate])
    let queue = try host.createQueuePair()
    host.submit(.writeZeroes(slba: 0, blocks: 8), on: queue)
    try host.wait("the command to begin", also: gate.arrival.rawValue) { !gate.calls.isEmpty }
    host.configure(ControllerConfiguration())
    try host.settle()
    #expect(host.status.ready, "a command is in flight")
    // Nothing is taken any more.
    host.submit(.identify(1, to: host.ram.allocate()), on: host.adminSubmission)
    host.submit(.flush(), on: queue)
    try host.settle()
    #expect(host.adminCompletion.entries.isEmpty && host.status.ready)
    gate.open()
    try host.wait("CSTS.RDY 0") { !host.status.ready }
    #expect(host.completions[1]?.entries.isEmpty == true, "no completion is posted")
    #expect(host.completions[1]?.entry(at: 0) == CompletionQueueEntry(0, 0))
    host.forgetQueues()
    try host.enable()
    try host.createQueuePair()
    #expect(try host.io(.flush()).status == .success)
  }

  /// What a disabled controller's commands have workers do ends after the step that is under way: a guest may have asked
  /// for terabytes.
  @Test func disablingEndsLongWork() throws {
    let gate = try Gate()
    let image = try TestImage(size: 4 << 30)
    let host = try Host([Namespace(try image.backend(blockSize: .bytes4096, gate: gate))], gates: [gate])
    let queue = try host.createQueuePair()
    // 256 MiB each: four steps.
    host.submit((0..<10).map { .writeZeroes(slba: $0 << 16, blocks: 1 << 16) }, on: queue)
    try host.wait("the first to begin", also: gate.arrival.rawValue) { gate.calls.count == 1 }
    host.configure(ControllerConfiguration())
    try host.settle()
    #expect(host.status.ready, "a command is in flight")
    gate.admitOne()
    try host.wait("CSTS.RDY 0") { !host.status.ready }
    #expect(gate.calls.count == 1)
  }

  /// A flush of all namespaces goes no further than to the one that it is at.
  @Test func disablingEndsAFlushOfAll() throws {
    let gate = try Gate()
    let images = try (0..<3).map { _ in try TestImage(size: 1 << 20) }
    let host = try Host(try images.map { Namespace(try $0.backend(cache: .buffered, gate: gate)) }, gates: [gate])
    let queue = try host.createQueuePair()
    host.submit(.flush(nsid: UInt32.max), on: queue)
    try host.wait("the first to begin", also: gate.arrival.rawValue) { gate.calls == [.dataSync] }
    host.configure(ControllerConfiguration())
    try host.settle()
    gate.admitOne()
    try host.wait("CSTS.RDY 0") { !host.status.ready }
    #expect(gate.calls == [.dataSync])
  }

  /// A guest that toggles CC.EN while the controller drains has it disabled once.
  @Test func togglingWhileItDrains() throws {
    let gate = try Gate()
    let image = try TestImage(size: 1 << 20)
    let host = try Host([Namespace(try image.backend(gate: gate))], gates: [gate])
    let queue = try host.createQueuePair()
    host.submit(.writeZeroes(slba: 0, blocks: 8), on: queue)
    try host.wait("the command to begin", also: gate.arrival.rawValue) { !gate.calls.isEmpty }
    let before = host.controller.resets
    for _ in 0..<10_000 {
      host.configure(ControllerConfiguration())
      host.configure(Host.enabled)
    }
    host.configure(ControllerConfiguration())
    #expect(host.controller.resets == before + 1)
    gate.open()
    try host.wait("CSTS.RDY 0") { !host.status.ready }
    host.forgetQueues()
    try host.enable()
    try host.createQueuePair()
    #expect(try host.io(.flush()).status == .success)
  }

  @Test func enablingAgainBeforeRDYIsZero() throws {
    let gate = try Gate()
    let image = try TestImage(size: 1 << 20)
    let host = try Host([Namespace(try image.backend(gate: gate))], gates: [gate])
    let queue = try host.createQueuePair()
    host.submit(.writeZeroes(slba: 0, blocks: 8), on: queue)
    try host.wait("the command to begin", also: gate.arrival.rawValue) { !gate.calls.isEmpty }
    host.configure(ControllerConfiguration())
    host.adminSubmission.restart()
    host.adminCompletion.restart()
    host.forgetQueues()
    // Once more off and on while it drains: the last word counts.
    host.configure(Host.enabled)
    host.configure(ControllerConfiguration())
    host.configure(Host.enabled)
    try host.settle()
    let command = host.submit(.identify(1, to: host.ram.allocate()), on: host.adminSubmission)
    try host.settle()
    #expect(host.adminCompletion.entries.isEmpty, "the old life has not ended")
    gate.open()
    var answer: CompletionQueueEntry?
    for _ in 0..<100_000 where answer == nil {
      // The doorbell of a disabled controller is forgotten, so the host rings until it is enabled.
      host.ring(host.adminSubmission)
      try host.settle()
      answer = host.adminCompletion.take(command, from: 0)
    }
    #expect(answer?.status == .success)
    #expect(host.status.ready)
    #expect(try host.admin(.deleteSubmissionQueue(1)).status == .invalidQueueIdentifier)
  }

  @Test func disablingAgainBeforeRDYIsZero() throws {
    let gate = try Gate()
    let image = try TestImage(size: 1 << 20)
    let host = try Host([Namespace(try image.backend(gate: gate))], gates: [gate])
    let queue = try host.createQueuePair()
    host.submit(.writeZeroes(slba: 0, blocks: 8), on: queue)
    try host.wait("the command to begin", also: gate.arrival.rawValue) { !gate.calls.isEmpty }
    host.configure(ControllerConfiguration())
    host.configure(Host.enabled)
    host.configure(ControllerConfiguration())
    gate.open()
    try host.wait("CSTS.RDY 0") { !host.status.ready }
    try host.settle()
    #expect(host.status == ControllerStatus())
    #expect(host.read32(ControllerRegister.configuration) == 0)
  }

  @Test func manyLives() throws {
    let host = try Host([try .memory()])
    for _ in 0..<50 {
      let queue = try host.createQueuePair()
      for _ in 0..<20 { queue.put(.flush()) }
      host.ring(queue)
      try host.disable()
      try host.enable()
    }
    try host.createQueuePair()
    #expect(try host.io(.flush()).status == .success)
  }

  // MARK: Shutdown

  @Test(arguments: [ShutdownNotification.normal, .abrupt])
  func shutdownMakesEverythingDurable(_ notification: ShutdownNotification) throws {
    let gate = try Gate()
    let image = try TestImage(size: 1 << 20)
    let host = try Host([Namespace(try image.backend(gate: gate))], gates: [gate])
    let queue = try host.createQueuePair()
    host.submit(.writeZeroes(slba: 0, blocks: 8), on: queue)
    try host.wait("the command to begin", also: gate.arrival.rawValue) { gate.calls.count == 1 }
    var configuration = Host.enabled
    configuration.shutdownNotification = notification
    host.configure(configuration)
    try host.settle()
    #expect(host.status.shutdownStatus == .inProgress, "a command is in flight")
    #expect(!gate.calls.contains(.dataSync), "what is in flight comes first")
    gate.admitOne()
    try host.wait("the flush", also: gate.arrival.rawValue) { gate.calls.last == .dataSync }
    try host.settle()
    #expect(host.status.shutdownStatus == .inProgress, "the flush is under way")
    gate.open()
    try host.wait("CSTS.SHST 10b") { host.status.shutdownStatus == .complete }
    #expect(host.status.ready && !host.status.controllerFatalStatus)
    // It does nothing until it is reset.
    host.submit(.identify(1, to: host.ram.allocate()), on: host.adminSubmission)
    try host.settle()
    #expect(host.adminCompletion.entries.isEmpty)
    try host.disable()
    #expect(host.status == ControllerStatus())
    try host.enable()
    #expect(try host.admin(.identify(1, to: host.ram.allocate())).status == .success)
  }

  /// A controller whose shutdown could not make everything durable.
  private static func shutDownInVain(_ image: TestImage) throws -> (Host, ControllerConfiguration) {
    let gate = try Gate()
    gate.open()
    gate.failSyncs(.inputOutput)
    let host = try Host([Namespace(try image.backend(gate: gate))], gates: [gate])
    var configuration = Host.enabled
    configuration.shutdownNotification = .normal
    host.configure(configuration)
    try host.wait("CSTS.CFS") { host.status.controllerFatalStatus }
    return (host, configuration)
  }

  /// A shutdown that cannot make everything durable does not say that it has.
  @Test func shutdownWhoseFlushFails() throws {
    let image = try TestImage(size: 1 << 20)
    let (host, _) = try ControllerStateTests.shutDownInVain(image)
    #expect(host.status.shutdownStatus == .inProgress)
    try host.disable()
    #expect(!host.status.controllerFatalStatus)
  }

  /// A host that goes on to ask for the shutdown while it disables the controller may enable it all the same.
  @Test func enabledAfterShutdownsThatFailed() throws {
    let image = try TestImage(size: 1 << 20)
    let (host, shutDown) = try ControllerStateTests.shutDownInVain(image)
    var configuration = shutDown
    configuration.enable = false
    host.configure(configuration)
    try host.wait("CSTS.RDY 0, and the second failure") { !host.status.ready && host.status.controllerFatalStatus }
    host.forgetQueues()
    try host.enable()
    #expect(try host.admin(.identify(1, to: host.ram.allocate())).status == .success)
  }

  @Test func shutdownWithoutAnythingToFlush() throws {
    let host = try Host([try .memory(), try .null()])
    var configuration = Host.enabled
    configuration.shutdownNotification = .normal
    host.configure(configuration)
    try host.wait("CSTS.SHST 10b") { host.status.shutdownStatus == .complete }
  }

  /// Some drivers ask for the shutdown and disable in one write; the flush is done all the same.
  @Test func shutdownAndDisableInOneWrite() throws {
    let gate = try Gate()
    gate.open()
    let image = try TestImage(size: 1 << 20)
    let host = try Host([Namespace(try image.backend(gate: gate))], gates: [gate])
    var configuration = ControllerConfiguration()
    configuration.shutdownNotification = .normal
    host.configure(configuration)
    try host.wait("CSTS.RDY 0") { !host.status.ready }
    try host.wait("the flush", also: gate.arrival.rawValue) { gate.calls.contains(.dataSync) }
    try host.wait("CSTS.SHST 10b") { host.status.shutdownStatus == .complete }
    host.forgetQueues()
    try host.enable()
    #expect(host.status.shutdownStatus == .normalOperation)
    #expect(try host.admin(.identify(1, to: host.ram.allocate())).status == .success)
  }

  /// The shutdown comes while the controller is being disabled.
  @Test func shutdownWhileItDrains() throws {
    let gate = try Gate()
    let image = try TestImage(size: 1 << 20)
    let host = try Host([Namespace(try image.backend(gate: gate)), try .memory()], gates: [gate])
    let queue = try host.createQueuePair()
    host.submit(.writeZeroes(slba: 0, blocks: 8), on: queue)
    try host.wait("the command to begin", also: gate.arrival.rawValue) { !gate.calls.isEmpty }
    host.configure(ControllerConfiguration())
    var configuration = ControllerConfiguration()
    configuration.shutdownNotification = .normal
    host.configure(configuration)
    try host.settle()
    #expect(host.status.ready && host.status.shutdownStatus == .inProgress)
    gate.open()
    try host.wait("CSTS.SHST 10b") { !host.status.ready && host.status.shutdownStatus == .complete }
    #expect(gate.calls.last == .dataSync)
  }

  /// Firmware shuts a controller down that it has disabled before; the next driver finds one that works.
  @Test func shutdownWhileDisabled() throws {
    let host = try Host([try .memory()])
    try host.disable()
    var configuration = ControllerConfiguration()
    configuration.shutdownNotification = .normal
    host.configure(configuration)
    try host.wait("CSTS.SHST 10b") { host.status.shutdownStatus == .complete }
    #expect(!host.status.ready)
    try host.enable()
    #expect(host.status.shutdownStatus == .normalOperation)
    #expect(try host.admin(.identify(1, to: host.ram.allocate())).status == .success)
    try host.createQueuePair()
    #expect(try host.io(.flush()).status == .success)
  }

  @Test func secondNotificationChangesNothing() throws {
    let host = try Host([try .memory()])
    var configuration = Host.enabled
    configuration.shutdownNotification = .normal
    host.configure(configuration)
    try host.wait("CSTS.SHST 10b") { host.status.shutdownStatus == .complete }
    configuration.shutdownNotification = .abrupt
    host.configure(configuration)
    try host.settle()
    #expect(host.status.shutdownStatus == .complete)
  }

  // MARK: Resets of the function

  @Test func resetOfTheFunction() throws {
    let gate = try Gate()
    let image = try TestImage(size: 1 << 20)
    let host = try Host([Namespace(try image.backend(gate: gate))], gates: [gate])
    host.write32(ControllerRegister.interruptMaskSet, 5)
    let queue = try host.createQueuePair()
    host.submit(.writeZeroes(slba: 0, blocks: 8), on: queue)
    try host.wait("the command to begin", also: gate.arrival.rawValue) { !gate.calls.isEmpty }
    let done = Once()
    host.controller.reset { done.happened() }
    try host.settle()
    #expect(done.count == 0, "a command is in flight")
    gate.open()
    try host.wait("the reset") { done.count == 1 }
    host.forgetQueues()
    for offset in stride(from: UInt64(0x0c), to: 0x1000, by: 4) {
      #expect(host.read32(offset) == 0, "\(offset)")
    }
    // Bus Master is off after a reset; the memory is still mapped and the eventfds are still installed.
    host.adminSubmission.restart()
    host.adminCompletion.restart()
    host.setAdminQueue()
    host.configure(Host.enabled)
    #expect(host.status.ready)
    let command = host.submit(.identify(1, to: host.ram.allocate()), on: host.adminSubmission)
    try host.settle()
    #expect(host.adminCompletion.entries.isEmpty)
    try host.setBusMaster(true)
    #expect(try host.completion(of: command, on: host.adminSubmission).status == .success)
    try host.createQueuePair()
    #expect(try host.io(.flush()).status == .success)
  }

  @Test func resetWhileDisabling() throws {
    let gate = try Gate()
    let image = try TestImage(size: 1 << 20)
    let host = try Host([Namespace(try image.backend(gate: gate))], gates: [gate])
    let queue = try host.createQueuePair()
    host.submit(.writeZeroes(slba: 0, blocks: 8), on: queue)
    try host.wait("the command to begin", also: gate.arrival.rawValue) { !gate.calls.isEmpty }
    let done = Once()
    host.configure(ControllerConfiguration())
    host.configure(Host.enabled)
    host.controller.reset { done.happened() }
    host.controller.reset { done.happened() }
    try host.settle()
    #expect(done.count == 0)
    gate.open()
    try host.wait("both resets") { done.count == 2 }
    #expect(host.status == ControllerStatus() && host.read32(ControllerRegister.configuration) == 0)
  }

  // MARK: Bus Master, D3hot, failure

  /// Without Bus Master there is no DMA and no interrupt; nothing is lost meanwhile.
  @Test(arguments: [true, false]) func pausing(isBusMaster: Bool) throws {
    let gate = try Gate()
    let image = try TestImage(size: 1 << 20)
    let host = try Host([Namespace(try image.backend(gate: gate))], gates: [gate])
    let pause = { (isPaused: Bool, done: @escaping () -> Void) in
      if isBusMaster {
        host.controller.setBusMaster(!isPaused, then: done)
      } else {
        host.controller.setSleeping(isPaused, then: done)
      }
    }
    let queue = try host.createQueuePair()
    let first = host.submit(.writeZeroes(slba: 0, blocks: 8), on: queue)
    try host.wait("the command to begin", also: gate.arrival.rawValue) { !gate.calls.isEmpty }
    let paused = Once()
    pause(true) { paused.happened() }
    try host.settle()
    #expect(paused.count == 0, "a command is in flight")
    gate.open()
    try host.wait("the end of DMA") { paused.count == 1 }
    _ = (host.takeInterrupts(0), host.takeInterrupts(1))
    let second = host.submit(.flush(), on: queue)
    let third = host.submit(.identify(1, to: host.ram.allocate()), on: host.adminSubmission)
    try host.settle()
    #expect(host.completions[1]?.entries.isEmpty == true && host.adminCompletion.entries.isEmpty)
    #expect(host.completions[1]?.entry(at: 0) == CompletionQueueEntry(0, 0))
    #expect(host.takeInterrupts(0) == 0 && host.takeInterrupts(1) == 0)
    try host.perform("the resumption") { pause(false, $0) }
    #expect(try host.completion(of: first, on: queue).status == .success)
    #expect(try host.completion(of: second, on: queue).status == .success)
    #expect(try host.completion(of: third, on: host.adminSubmission).status == .success)
    try host.settle()
    #expect(host.takeInterrupts(0) > 0 && host.takeInterrupts(1) > 0)
  }

  @Test func severalReasonsToPause() throws {
    let host = try Host([try .memory()])
    let queue = try host.createQueuePair()
    try host.setBusMaster(false)
    try host.perform("D3hot") { host.controller.setSleeping(true, then: $0) }
    let command = host.submit(.flush(), on: queue)
    try host.setBusMaster(true)
    try host.settle()
    #expect(host.completions[1]?.entries.isEmpty == true, "still in D3hot")
    try host.perform("D0") { host.controller.setSleeping(false, then: $0) }
    #expect(try host.completion(of: command, on: queue).status == .success)
  }

  /// A second reason is acknowledged no earlier than the first: until then there may be DMA.
  @Test func pauseWhileAnotherIsUnderWay() throws {
    let gate = try Gate()
    let image = try TestImage(size: 1 << 20)
    let host = try Host([Namespace(try image.backend(gate: gate))], gates: [gate])
    let queue = try host.createQueuePair()
    host.submit(.writeZeroes(slba: 0, blocks: 8), on: queue)
    try host.wait("the command to begin", also: gate.arrival.rawValue) { !gate.calls.isEmpty }
    let paused = Once()
    host.controller.fail("a test says so")
    host.controller.setBusMaster(false) { paused.happened() }
    try host.settle()
    #expect(paused.count == 0, "a command is in flight")
    gate.open()
    try host.wait("the end of DMA") { paused.count == 1 }
  }

  @Test func failure() throws {
    let host = try Host([try .memory()])
    let queue = try host.createQueuePair()
    var reasons: [String] = []
    host.controller.report = { if case .failed(let reason) = $0 { reasons.append(reason) } }
    host.controller.fail("a test says so")
    host.controller.report = nil
    #expect(reasons == ["a test says so"])
    #expect(host.status.controllerFatalStatus && host.status.ready)
    host.submit(.flush(), on: queue)
    host.submit(.identify(1, to: host.ram.allocate()), on: host.adminSubmission)
    try host.settle()
    #expect(host.completions[1]?.entries.isEmpty == true && host.adminCompletion.entries.isEmpty)
    try host.disable()
    #expect(host.status == ControllerStatus())
    try host.enable()
    try host.createQueuePair()
    #expect(try host.io(.flush()).status == .success)
  }
}

/// Counts how often something has happened.
final class Once {
  private(set) var count = 0
  func happened() { count += 1 }
}
