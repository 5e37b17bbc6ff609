import GuestMemory
import LinuxIO
import NVMeController
import NVMeSpec
import Storage
import Testing

/// The admin queue and Abort: `Controller+AdminQueue.swift`.
@Suite struct ControllerAdminQueueTests {
  @Test func unknownOpcodes() throws {
    let host = try Host([try .memory()])
    let known: Set<UInt8> = [0x00, 0x01, 0x02, 0x04, 0x05, 0x06, 0x08, 0x09, 0x0a, 0x0c]
    for opcode in UInt8.min...UInt8.max where !known.contains(opcode) {
      let entry = try host.admin(SubmissionQueueEntry(opcode: opcode))
      #expect(entry.status == .invalidOpcode && entry.status.doNotRetry, "opcode \(opcode)")
    }
  }

  /// Admin commands over PCIe have PRPs, and are not fused.
  @Test(arguments: [0x4000, 0x8000, 0xc000, 0x0100, 0x0200, 0x0300] as [UInt32])
  func dataTransferTypeAndFused(_ bits: UInt32) throws {
    let host = try Host()
    let data = host.ram.allocate()
    for command: SubmissionQueueEntry in [
      .identify(1, to: data), .getLogPage(2, bytes: 512, to: data), .getFeatures(1), .setFeatures(1, 0),
      .abort(1, queue: 0), .asynchronousEventRequest, .deleteSubmissionQueue(1),
      .createCompletionQueue(1, size: 16, at: data),
    ] {
      #expect(try host.admin(command.with { $0.cdw0 |= bits }).status == .invalidField)
    }
  }

  /// Everything in an entry of the completion queue.
  @Test func completionEntries() throws {
    let host = try Host()
    host.adminCompletion.consumes = false
    let data = host.ram.allocate()
    host.ram.fill(host.adminCompletion.iova, 16 * 3, 0xfe)
    for (index, command) in [SubmissionQueueEntry.identify(1, to: data), .getFeatures(7), .identify(0xff, to: data)]
      .enumerated()
    {
      let identifier = host.submit(command, on: host.adminSubmission)
      let status: Status = index == 2 ? .invalidField : .success
      #expect(
        host.adminCompletion.entry(at: index)
          == CompletionQueueEntry(
            dw0: index == 1 ? 0x0007_0007 : 0, dw1: 0, sqHead: UInt16(index + 1), sqIdentifier: 0,
            commandIdentifier: identifier, status: status, phaseTag: true))
    }
  }

  @Test(arguments: Host.DoorbellPath.allCases) func manyCommands(_ path: Host.DoorbellPath) throws {
    let host = try Host(path: path)
    let data = host.ram.allocate()
    for _ in 0..<20 {
      let identifiers = host.submit(
        (0..<31).map { _ in .identify(1, to: data) }, on: host.adminSubmission)
      for identifier in identifiers {
        #expect(try host.completion(of: identifier, on: host.adminSubmission).status == .success)
      }
    }
  }

  /// The thread has other things to do: it comes back to a long queue.
  @Test func longQueue() throws {
    let host = try Host(isEnabled: false)
    try host.setBusMaster(true)
    let submissions = SubmissionRing(identifier: 0, size: 1024, ram: host.ram)
    let completions = CompletionRing(identifier: 0, size: 1024, ram: host.ram)
    completions.serve(submissions)
    host.setAdminQueue(
      submission: submissions.iova, completion: completions.iova,
      attributes: AdminQueueAttributes(submissionQueueSize: 1024, completionQueueSize: 1024))
    host.configure(Host.enabled)
    host.submit((0..<1000).map { _ in .getFeatures(1) }, on: submissions)
    #expect(completions.reap() < 1000, "one turn is bounded")
    try host.wait("the rest") {
      completions.reap()
      return completions.entries.count == 1000
    }
    #expect(completions.entries.map(\.commandIdentifier) == (0..<1000).map { UInt16($0) })
    #expect(host.takeInterrupts(0) > 0)
  }

  /// A full completion queue holds commands back; nothing is lost and nothing overwritten.
  @Test(arguments: Host.DoorbellPath.allCases) func fullCompletionQueue(_ path: Host.DoorbellPath) throws {
    let host = try Host(path: path, isEnabled: false)
    try host.setBusMaster(true)
    let submissions = SubmissionRing(identifier: 0, size: 64, ram: host.ram)
    let completions = CompletionRing(identifier: 0, size: 4, ram: host.ram)
    completions.serve(submissions)
    host.setAdminQueue(
      submission: submissions.iova, completion: completions.iova,
      attributes: AdminQueueAttributes(submissionQueueSize: 64, completionQueueSize: 4))
    host.configure(Host.enabled)
    let identifiers = host.submit((0..<60).map { _ in .getFeatures(1) }, on: submissions)
    var found: [UInt16] = []
    while found.count < 60 {
      try host.settle()
      #expect(completions.reap() == min(3, 60 - found.count))
      found += completions.takeAll().map(\.commandIdentifier)
      host.ring(completionQueue: 0, head: UInt32(completions.head))
    }
    #expect(found == identifiers)
  }

  @Test func invalidHeadOfTheAdminQueue() throws {
    let host = try Host()
    let request = host.submit(.asynchronousEventRequest, on: host.adminSubmission)
    host.adminCompletion.consumes = false
    host.submit((0..<30).map { _ in .getFeatures(1) }, on: host.adminSubmission)
    #expect(host.adminCompletion.reap() == 30)
    host.submit(.getFeatures(1), on: host.adminSubmission)
    #expect(host.adminCompletion.reap() == 1)
    host.ring(completionQueue: 0, head: 32)
    let command = host.submit(.getFeatures(1), on: host.adminSubmission)
    #expect(host.adminCompletion.reap() == 0)
    host.adminCompletion.consumes = true
    host.consume(host.adminCompletion)
    #expect(try host.completion(of: command, on: host.adminSubmission).status == .success)
    let event = try host.completion(of: request, on: host.adminSubmission)
    #expect(event.dw0 == AsynchronousEvent.invalidDoorbellWriteValue.completionDword0)
  }

  // MARK: Abort

  @Test func abortOfNothing() throws {
    let host = try Host([try .memory()])
    try host.createQueuePair()
    for (command, queue): (UInt16, UInt16) in [(0, 0), (0xffff, 0), (7, 1), (0xffff, 1)] {
      let entry = try host.admin(.abort(command, queue: queue))
      #expect(entry.status == .success && entry.dw0 == 1, "\(command) of \(queue)")
    }
    for queue: UInt16 in [2, 9, 0xffff] {
      #expect(try host.admin(.abort(0, queue: queue)).status == .invalidField)
    }
  }

  @Test func abortOfARequestForAnEvent() throws {
    let host = try Host()
    let requests = host.submit((0..<3).map { _ in .asynchronousEventRequest }, on: host.adminSubmission)
    let abort = host.submit(.abort(requests[1], queue: 0), on: host.adminSubmission)
    try host.settle()
    let entries = host.adminCompletion.takeAll()
    #expect(entries.map(\.commandIdentifier) == [requests[1], abort], "the command before its abort")
    #expect(entries.map(\.status) == [.abortRequested, .success] && entries.map(\.dw0) == [0, 0])
    #expect(try host.admin(.abort(requests[1], queue: 0)).dw0 == 1)
    // There is room for another now.
    host.submit([.asynchronousEventRequest, .asynchronousEventRequest], on: host.adminSubmission)
    try host.settle()
    #expect(host.adminCompletion.entries.isEmpty)
  }

  /// A command that a worker or the kernel has cannot be taken back.
  @Test func abortOfACommandInFlight() throws {
    let gate = try Gate()
    let image = try TestImage(size: 1 << 20)
    let host = try Host([Namespace(try image.backend(gate: gate))], gates: [gate])
    let queue = try host.createQueuePair()
    let command = host.submit(.writeZeroes(slba: 0, blocks: 8), on: queue)
    try host.wait("the command to begin", also: gate.arrival.rawValue) { !gate.calls.isEmpty }
    let abort = try host.admin(.abort(command, queue: 1))
    #expect(abort.status == .success && abort.dw0 == 1)
    gate.open()
    #expect(try host.completion(of: command, on: queue).status == .success)
  }

  /// Commands that wait for room in their completion queue: the first can be aborted when there is room, and not before.
  @Test func abortOfACommandNotFetched() throws {
    let host = try Host([try .memory()])
    let queue = try host.createQueuePair(size: 64, completionSize: 4)
    let ring = try #require(host.completions[1])
    ring.consumes = false
    let commands = host.submit((0..<8).map { _ in .flush() }, on: queue)
    try host.settle()
    #expect(ring.reap() == 3)
    #expect(try host.admin(.abort(commands[5], queue: 1)).dw0 == 1)
    ring.consumes = true
    host.consume(ring)
    for command in commands.dropFirst(3) {
      #expect(try host.completion(of: command, on: queue).status == .success)
    }
  }

  /// With Bus Master off nothing is fetched.
  @Test func abortLimit() throws {
    let gate = try Gate()
    let image = try TestImage(size: 1 << 20)
    let host = try Host([Namespace(try image.backend(gate: gate))], gates: [gate])
    try host.createQueuePair()
    // All in one turn of the control thread: none is answered by the I/O thread before the last is taken.
    let aborts = host.submit((0..<6).map { _ in .abort(77, queue: 1) }, on: host.adminSubmission)
    let statuses = try aborts.map { try host.completion(of: $0, on: host.adminSubmission).status }
    #expect(statuses == Array(repeating: .success, count: 4) + Array(repeating: .abortCommandLimitExceeded, count: 2))
    #expect(try host.admin(.abort(77, queue: 1)).status == .success, "they are done")
  }

  /// Commands that wait for a bounce buffer are aborted; those with the kernel are not. Each completes once.
  @Test func abortOfCommandsThatWait() throws {
    let image = try TestImage(size: 4 << 20)
    let host = try Host([Namespace(try image.backend())])
    let queue = try host.createQueuePair(size: 256)
    let data = host.ram.allocate(pages: 2)
    let commands = host.submit(
      (0..<64).map { .transfer(.read, slba: UInt64($0), blocks: 8, data + 4, data + 4096) }, on: queue)
    var aborted: Set<UInt16> = []
    for command in commands.reversed() where try host.admin(.abort(command, queue: 1)).dw0 == 0 {
      aborted.insert(command)
    }
    for command in commands {
      let status = try host.completion(of: command, on: queue).status
      #expect(status == (aborted.contains(command) ? .abortRequested : .success), "command \(command)")
    }
    try host.settle()
    #expect(host.completions[1]?.entries.isEmpty == true)
  }

  // MARK: Pauses, and memory that goes

  /// A command that ends while DMA is not allowed completes when it is again.
  @Test func completionWhileBusMasterIsOff() throws {
    let gate = try Gate()
    let image = try TestImage(size: 1 << 20)
    let host = try Host([Namespace(try image.backend(gate: gate))], gates: [gate])
    let command = host.submit(
      .setFeatures(FeatureIdentifier.volatileWriteCache.rawValue, 0), on: host.adminSubmission)
    try host.wait("the flush", also: gate.arrival.rawValue) { gate.calls == [.dataSync] }
    try host.setBusMaster(false)
    _ = host.takeInterrupts(0)
    let before = host.ram.bytes(host.adminCompletion.iova, 32 * 16)
    gate.open()
    try host.wait("the end of the flush", also: gate.arrival.rawValue) { gate.finished == 1 }
    try host.perform("another flush") { done in host.controller.flushAll { _ in done() } }
    try host.settle()
    #expect(host.ram.bytes(host.adminCompletion.iova, 32 * 16) == before, "no DMA without Bus Master")
    #expect(host.takeInterrupts(0) == 0)
    try host.setBusMaster(true)
    #expect(try host.completion(of: command, on: host.adminSubmission).status == .success)
    #expect(try host.admin(.getFeatures(1)).status == .success)
  }

  /// The same for a completion queue whose memory is not mapped at the time.
  @Test func completionWhileTheQueueIsNotMapped() throws {
    let gate = try Gate()
    let image = try TestImage(size: 1 << 20)
    let host = try Host([Namespace(try image.backend(gate: gate))], gates: [gate])
    let command = host.submit(
      .setFeatures(FeatureIdentifier.volatileWriteCache.rawValue, 0), on: host.adminSubmission)
    try host.wait("the flush", also: gate.arrival.rawValue) { gate.calls == [.dataSync] }
    try host.unmap(host.view.regions[0])
    host.view.revoke()
    gate.open()
    try host.wait("the end of the flush", also: gate.arrival.rawValue) { gate.finished == 1 }
    try host.perform("another flush") { done in host.controller.flushAll { _ in done() } }
    let other = try host.ram.view()
    defer { withExtendedLifetime(other) {} }
    try host.map(other.regions)
    #expect(try host.completion(of: command, on: host.adminSubmission).status == .success)
    #expect(try host.admin(.getFeatures(1)).status == .success)
    try host.unmap(other.regions[0])
  }

  /// Both admin queues rest while their memory is away, and go on where it is then.
  @Test(arguments: Host.DoorbellPath.allCases) func queuesUnmappedAndMappedAgain(_ path: Host.DoorbellPath) throws {
    let host = try Host(path: path)
    #expect(try host.admin(.getFeatures(1)).status == .success)
    try host.unmap(host.view.regions[0])
    host.view.revoke()
    let command = host.submit(.getFeatures(7), on: host.adminSubmission)
    try host.settle()
    #expect(host.adminCompletion.entries.isEmpty && !host.status.controllerFatalStatus)
    let other = try host.ram.view()
    defer { withExtendedLifetime(other) {} }
    try host.map(other.regions)
    #expect(try host.completion(of: command, on: host.adminSubmission).dw0 == 0x0007_0007)
    try host.unmap(other.regions[0])
  }

  // MARK: Interrupts

  @Test func interruptOfTheAdminQueue() throws {
    let host = try Host()
    try host.settle()
    _ = host.takeInterrupts(0)
    host.submit((0..<10).map { _ in .getFeatures(1) }, on: host.adminSubmission)
    try host.settle()
    #expect(host.takeInterrupts(0) == 1, "one for all that one look found")
    host.ring(host.adminSubmission)
    try host.settle()
    #expect(host.takeInterrupts(0) == 0)
  }

  @Test func vectorOfTheAdminQueueInstalledLate() throws {
    let host = try Host()
    _ = try host.admin(.getFeatures(1))
    try host.settle()
    _ = host.takeInterrupts(0)
    try host.removeVectors(0..<1)
    try host.renewVector(0)
    host.adminCompletion.consumes = false
    host.submit(.getFeatures(1), on: host.adminSubmission)
    try host.settle()
    #expect(host.takeInterrupts(0) == 0)
    try host.installVectors(0..<1)
    try host.settle()
    #expect(host.takeInterrupts(0) == 1)
    // The host has not consumed it when it changes the eventfd again: it may have missed the interrupt.
    try host.renewVector(0)
    try host.installVectors(0..<1)
    try host.settle()
    #expect(host.takeInterrupts(0) == 1)
    host.adminCompletion.reap()
    host.consume(host.adminCompletion)
    try host.renewVector(0)
    try host.installVectors(0..<1)
    try host.settle()
    #expect(host.takeInterrupts(0) == 0, "nothing is pending")
  }

  /// More commands than one turn takes: the controller comes back to them by itself, and not by the event that announces
  /// the client's doorbells, whose signals are counted where a tracer stores the values.
  @Test func moreCommandsThanOneTurn() throws {
    let host = try Host(path: .slots, isEnabled: false)
    try host.setBusMaster(true)
    let submissions = SubmissionRing(identifier: 0, size: 200, ram: host.ram)
    let completions = CompletionRing(identifier: 0, size: 200, ram: host.ram)
    completions.serve(submissions)
    host.setAdminQueue(
      submission: submissions.iova, completion: completions.iova,
      attributes: AdminQueueAttributes(submissionQueueSize: 200, completionQueueSize: 200))
    host.configure(Host.enabled)
    let data = host.ram.allocate()
    host.submit((0..<150).map { _ in .identify(1, to: data) }, on: submissions)
    host.controller.takeAdminSubmissionEvent()
    #expect(host.controller.adminEvents.submission.drain() == 0)
    try host.wait("completions") {
      completions.reap()
      return completions.entries.count == 150
    }
    #expect(completions.entries.allSatisfy { $0.status == .success })
  }
}
