import Doorbells
import GuestMemory
import LinuxIO
import NVMeController
import NVMeSpec
import Storage
import Testing

/// Doorbell Buffer Config: `Controller+DoorbellBuffers.swift`, `DoorbellBuffers.swift` and what queues make of them.
@Suite struct ControllerDoorbellBuffersTests {
  private static func host(
    _ path: Host.DoorbellPath = .socket, mode: ShadowDoorbellMode = .on, threads: IOThreads? = nil,
    ram: GuestRAM? = nil
  ) throws -> Host {
    try Host([try .memory()], threads: threads, path: path, ram: ram) { $0.shadowDoorbells = mode }
  }

  private static func command(_ values: UInt64, _ eventIndexes: UInt64) -> SubmissionQueueEntry {
    var command = DoorbellBufferConfigCommand(SubmissionQueueEntry(.doorbellBufferConfig))
    command.shadowDoorbellBuffer = values
    command.eventIndexBuffer = eventIndexes
    return command.entry
  }

  @discardableResult
  private static func configure(_ host: Host) throws -> ShadowDoorbells {
    let shadow = ShadowDoorbells(host.ram)
    try #require(try host.admin(command(shadow.values, shadow.eventIndexes)).status == .success)
    host.shadow = shadow
    return shadow
  }

  // MARK: The command

  @Test(arguments: ShadowDoorbellMode.allCases) func announcement(_ mode: ShadowDoorbellMode) throws {
    let host = try ControllerDoorbellBuffersTests.host(mode: mode)
    let data = host.ram.allocate()
    #expect(try host.admin(.identify(1, to: data)).status == .success)
    let bytes = host.ram.bytes(data, 4096)
    let attributes = UInt16(bytes[256]) | UInt16(bytes[257]) << 8
    #expect((attributes & 0x100 != 0) == (mode != .off))
    #expect(try host.admin(.getLogPage(5, bytes: 4096, to: data)).status == .success)
    #expect(host.ram.bytes(data + 4 * 0x7c, 4) == (mode == .off ? [0, 0, 0, 0] : [1, 0, 0, 0]))
    guard mode == .off else { return }
    let pages = host.ram.allocate(pages: 2)
    #expect(
      try host.admin(ControllerDoorbellBuffersTests.command(pages, pages + 4096)).status == .invalidOpcode)
  }

  @Test func refusals() throws {
    let host = try ControllerDoorbellBuffersTests.host()
    let pages = host.ram.allocate(pages: 2)
    let beyond = host.ram.base + UInt64(host.ram.pageCount * 4096)
    for (values, eventIndexes) in [
      (pages + 4, pages + 4096), (pages, pages + 4096 + 2048), (pages, pages), (beyond, pages), (pages, beyond),
      (UInt64.max & ~0xfff, pages), (0, pages),
    ] {
      let status = try host.admin(ControllerDoorbellBuffersTests.command(values, eventIndexes)).status
      #expect(status == .invalidField, "\(values) \(eventIndexes)")
    }
    // Nothing of it is in force.
    let queue = try host.createQueuePair()
    host.submit(.flush(), on: queue)
    #expect(try host.completion(of: 0, on: queue).status == .success)
    #expect(host.ram.bytes(pages, 8192).allSatisfy { $0 == 0 })
  }

  @Test func memoryThatIsReadOnly() throws {
    let ram = try GuestRAM()
    let host = try ControllerDoorbellBuffersTests.host(ram: ram)
    let pages = ram.allocate(pages: 2)
    let number = Int((pages - ram.base) / 4096)
    try host.unmap(host.view.regions[0])
    try host.map([
      host.view.region(pages: 0..<number), host.view.region(pages: number..<number + 2, access: [.read]),
      host.view.region(pages: number + 2..<ram.pageCount),
    ])
    #expect(try host.admin(ControllerDoorbellBuffersTests.command(pages, pages + 4096)).status == .invalidField)
  }

  // MARK: At work

  /// Every command is seen although most are not announced; the thread sleeps between them, or looks on.
  @Test(arguments: [Host.DoorbellPath.socket, .slots, .valueless], [UInt64(0), 1_000_000])
  func commandsAreNeverMissed(_ path: Host.DoorbellPath, spinLimit: UInt64) throws {
    var options = IOThreads.Options()
    options.spinLimit = spinLimit
    let host = try ControllerDoorbellBuffersTests.host(
      path, mode: path == .valueless ? .required : .on, threads: try IOThreads(options))
    let shadow = try ControllerDoorbellBuffersTests.configure(host)
    let queue = try host.createQueuePair(size: 16, completionSize: 8)
    var random = SeededGenerator(seed: 7)
    for _ in 0..<3000 {
      let count = 1 + Int(random.next() % UInt64(min(queue.room, 5)))
      // One doorbell each: most come while the thread is at work, and are not announced.
      let commands = (0..<count).map { _ in host.submit(.flush(), on: queue) }
      for command in commands { #expect(try host.completion(of: command, on: queue).status == .success) }
    }
    #expect(shadow.unannounced > 0)
    #expect(shadow.announced > 0)
  }

  /// Queues that ran before go on from where they are, whatever the pages held.
  @Test(arguments: [Host.DoorbellPath.socket, .slots]) func queuesThatRun(_ path: Host.DoorbellPath) throws {
    let host = try ControllerDoorbellBuffersTests.host(path)
    let queue = try host.createQueuePair(size: 8)
    for _ in 0..<5 { #expect(try host.io(.flush()).status == .success) }
    let shadow = ShadowDoorbells(host.ram)
    host.ram.fill(shadow.values, 4096, 0x5a)
    host.ram.fill(shadow.eventIndexes, 4096, 0x5a)
    #expect(
      try host.admin(ControllerDoorbellBuffersTests.command(shadow.values, shadow.eventIndexes)).status == .success)
    #expect(shadow.value(1).load() == 5)
    #expect(shadow.eventIndex(1).load() == 5)
    #expect(shadow.value(1, isHead: true).load() <= 5)
    // Words of queues that are none stay as they are.
    #expect(shadow.value(2).load() == 0x5a5a_5a5a && shadow.value(0).load() == 0x5a5a_5a5a)
    host.shadow = shadow
    for _ in 0..<50 { #expect(try host.io(.flush()).status == .success) }
    #expect(queue.head == 55 % 8)
    // A new queue begins at 0.
    let second = try host.createQueuePair(2, size: 8)
    #expect(shadow.value(2).load() == 0 && shadow.eventIndex(2).load() == 0)
    for _ in 0..<20 { #expect(try host.io(.flush(), queue: 2).status == .success) }
    #expect(second.head == 20 % 8)
  }

  /// A second command moves the doorbells to other pages.
  @Test func otherPages() throws {
    let host = try ControllerDoorbellBuffersTests.host()
    try ControllerDoorbellBuffersTests.configure(host)
    try host.createQueuePair(size: 8)
    for _ in 0..<11 { #expect(try host.io(.flush()).status == .success) }
    let old = try #require(host.shadow)
    try ControllerDoorbellBuffersTests.configure(host)
    #expect(host.shadow?.value(1).load() == 3)
    let left = old.value(1).load()
    old.value(1).store(7)
    for _ in 0..<11 { #expect(try host.io(.flush()).status == .success) }
    #expect(left == 3 && old.value(1).load() == 7)
  }

  /// The host consumes late: the controller waits for room, and is told of it although it is told of nothing else.
  @Test(arguments: [Host.DoorbellPath.socket, .slots]) func fullCompletionQueue(_ path: Host.DoorbellPath) throws {
    let host = try ControllerDoorbellBuffersTests.host(path)
    try ControllerDoorbellBuffersTests.configure(host)
    let queue = try host.createQueuePair(size: 64, completionSize: 4)
    let ring = try #require(host.completions[1])
    for round in 0..<20 {
      ring.consumes = false
      host.submit((0..<30).map { _ in .flush() }, on: queue)
      try host.settle()
      ring.consumes = true
      try host.wait("completions") { ring.entries.count == (round + 1) * 30 }
    }
    #expect(queue.room == 63)
  }

  /// The event index of a head asks for doorbells. Whatever it holds, completions are announced by interrupts.
  @Test func interruptsAreNotSuppressed() throws {
    let host = try ControllerDoorbellBuffersTests.host()
    let shadow = try ControllerDoorbellBuffersTests.configure(host)
    let queue = try host.createQueuePair(size: 64, vector: 3)
    let ring = try #require(host.completions[1])
    ring.consumes = false
    try host.settle()
    _ = host.takeInterrupts(3)
    for index: UInt32 in [0, 1, 2, 7, 40, 63, 64, 0x7fff, 0xffff, UInt32.max] {
      shadow.eventIndex(1, isHead: true).store(index)
      for _ in 0..<3 {
        host.submit(.flush(), on: queue)
        try host.settle()
        #expect(ring.reap() == 1 && host.takeInterrupts(3) == 1, "event index \(index)")
      }
    }
  }

  /// The admin queue's words mean nothing.
  @Test func adminQueueHasNoPart() throws {
    let host = try ControllerDoorbellBuffersTests.host()
    let shadow = try ControllerDoorbellBuffersTests.configure(host)
    shadow.value(0).store(17)
    shadow.value(0, isHead: true).store(9)
    for _ in 0..<40 { #expect(try host.admin(.identify(1, to: host.ram.allocate())).status == .success) }
    #expect(shadow.value(0).load() == 17 && shadow.value(0, isHead: true).load() == 9)
    #expect(shadow.eventIndex(0).load() == 0)
  }

  // MARK: What a host may do wrong

  /// A value that no entry has is reported once, and costs no CPU; the next good one counts.
  @Test func impossibleTail() throws {
    let host = try ControllerDoorbellBuffersTests.host()
    let shadow = try ControllerDoorbellBuffersTests.configure(host)
    let queue = try host.createQueuePair(size: 8)
    let event = host.submit(.asynchronousEventRequest, on: host.adminSubmission)
    shadow.value(1).store(8)
    host.write32(DoorbellRegister.submissionQueueTail(1), 8)
    let completion = try host.completion(of: event, on: host.adminSubmission)
    #expect(completion.dw0 == 0x01_0100)
    // Settles only if the thread sleeps again.
    try host.settle()
    #expect(try host.completion(of: host.submit(.flush(), on: queue), on: queue).status == .success)
  }

  /// The register's value does not matter any more, only that it was written.
  @Test func registerIsOnlyAKick() throws {
    let host = try ControllerDoorbellBuffersTests.host()
    let shadow = try ControllerDoorbellBuffersTests.configure(host)
    let queue = try host.createQueuePair(size: 8)
    let command = queue.put(.flush())
    shadow.value(1).store(1)
    host.write32(DoorbellRegister.submissionQueueTail(1), 6)
    #expect(try host.completion(of: command, on: queue).status == .success)
    try host.settle()
    #expect(host.completions[1]?.entries.isEmpty == true)
  }

  /// Pages that are not mapped: queues rest, as their registers may lag behind, and go on when the pages are back.
  @Test func unmappedPages() throws {
    let ram = try GuestRAM()
    let host = try ControllerDoorbellBuffersTests.host(ram: ram)
    let shadow = try ControllerDoorbellBuffersTests.configure(host)
    let queue = try host.createQueuePair(size: 8)
    for _ in 0..<5 { #expect(try host.io(.flush()).status == .success) }
    let first = Int((shadow.values - ram.base) / 4096)
    let pages = host.view.region(pages: first..<first + 2)
    try host.unmap(host.view.regions[0])
    try host.map([
      host.view.region(pages: 0..<first), host.view.region(pages: first + 2..<ram.pageCount),
    ])
    let command = host.submit(.flush(), on: queue)
    host.ring(queue)
    // An older tail in the register must not look like a turn of the ring.
    host.write32(DoorbellRegister.submissionQueueTail(1), 4)
    try host.settle()
    #expect(host.completions[1]?.entries.isEmpty == true)
    try host.map([pages])
    #expect(try host.completion(of: command, on: queue).status == .success)
    for _ in 0..<20 { #expect(try host.io(.flush()).status == .success) }
  }

  /// A reset forgets the pages: they may belong to somebody else then.
  @Test func resetForgets() throws {
    let host = try ControllerDoorbellBuffersTests.host()
    let shadow = try ControllerDoorbellBuffersTests.configure(host)
    try host.createQueuePair(size: 8)
    for _ in 0..<5 { #expect(try host.io(.flush()).status == .success) }
    try host.disable()
    host.shadow = nil
    host.ram.fill(shadow.values, 4096, 0xaa)
    host.ram.fill(shadow.eventIndexes, 4096, 0xaa)
    try host.enable()
    try host.createQueuePair(size: 8)
    for _ in 0..<20 { #expect(try host.io(.flush()).status == .success) }
    try host.settle()
    #expect(host.ram.bytes(shadow.values, 4096).allSatisfy { $0 == 0xaa })
    #expect(host.ram.bytes(shadow.eventIndexes, 4096).allSatisfy { $0 == 0xaa })
  }

  // MARK: Eventfds without a value

  /// A driver that does not use the buffers has lost its doorbell's value: the controller says so instead of hanging.
  @Test func valuelessDoorbellWithoutBuffers() throws {
    let host = try ControllerDoorbellBuffersTests.host(.valueless, mode: .required)
    let queue = try host.createQueuePair()
    host.submit(.flush(), on: queue)
    try host.wait("CSTS.CFS") { host.status.controllerFatalStatus }
    // A reset, and a driver that does use them, or messages.
    try host.disable()
    try host.enable()
    let again = try host.createQueuePair()
    host.path = .socket
    #expect(try host.completion(of: host.submit(.flush(), on: again), on: again).status == .success)
    #expect(!host.status.controllerFatalStatus)
  }
}
