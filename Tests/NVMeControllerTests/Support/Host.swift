import Doorbells
import Glibc
import GuestMemory
import LinuxIO
import NVMeController
import NVMeSpec
import Testing

/// A guest and its VMM in one: it drives a controller on the test's own thread, which is the controller's control
/// thread; the I/O threads and workers are real.
final class Host {
  /// How the doorbells of the host arrive.
  enum DoorbellPath: CaseIterable, Sendable {
    /// As messages.
    case socket
    /// As KVM brings them (POST_WRITE): stored into a slot, then signalled.
    case slots
    /// As a KVM without POST_WRITE brings them: signalled without a value; heads and the admin queue's as messages.
    case valueless
    /// Stored into a mapped page, and not signalled: for controllers that are polled.
    case page

    static let allCases: [DoorbellPath] = [.socket, .slots]
  }

  /// What happened instead of what was waited for.
  struct TimedOut: Error {}

  /// Signalled interrupts of one vector.
  private final class Vector {
    let event: EventFD
    var count: UInt64 = 0
    init() throws(Errno) { event = try EventFD() }
  }

  private final class Flag { var isSet = false }

  let controller: Controller
  let ram: GuestRAM
  let view: DeviceView
  var path: DoorbellPath
  /// Doorbells of I/O queues in guest memory, once they are configured.
  var shadow: ShadowDoorbells?
  let adminSubmission: SubmissionRing
  let adminCompletion: CompletionRing
  /// The rings of the I/O queues that exist.
  private(set) var submissions: [UInt16: SubmissionRing] = [:]
  private(set) var completions: [UInt16: CompletionRing] = [:]
  /// Everything that keeps commands in flight, opened at the end whatever has happened.
  private let gates: [Gate]
  private let threads: IOThreads
  private var vectors: [Vector] = []

  /// - Parameters:
  ///   - configure: changes the description of the controller.
  ///   - isEnabled: whether the controller is to be enabled, with Bus Master on.
  init(
    _ namespaces: [Namespace] = [], threads: IOThreads? = nil, path: DoorbellPath = .socket, gates: [Gate] = [],
    ram: GuestRAM? = nil, isEnabled: Bool = true, configure: (inout ControllerDescription) -> Void = { _ in }
  ) throws {
    var description = ControllerDescription(serialNumber: "TEST1", subsystemName: "nqn.2026-11.io.nvmed:TEST1")
    description.queueCount = 8
    description.vectorCount = 9
    description.maximumTransfer = 128 << 10
    description.namespaceLimit = 8
    configure(&description)
    let threads = try threads ?? IOThreads()
    let ram = try ram ?? GuestRAM()
    self.threads = threads
    self.ram = ram
    self.path = path
    self.gates = gates
    view = try ram.view()
    adminSubmission = SubmissionRing(identifier: 0, size: 32, ram: ram)
    adminCompletion = CompletionRing(identifier: 0, size: 32, ram: ram)
    adminCompletion.serve(adminSubmission)
    controller = try Controller.make(
      description, threads: threads.handles, workers: threads.workers, namespaces: namespaces)
    for _ in 0..<description.vectorCount { vectors.append(try Vector()) }
    try installVectors()
    try map(view.regions)
    guard isEnabled else { return }
    try setBusMaster(true)
    try enable()
  }

  deinit {
    for gate in gates { gate.open() }
    do {
      try reset()
      let flag = Flag()
      controller.detach { flag.isSet = true }
      try wait("the detachment") { flag.isSet }
    } catch {
      Issue.record("the controller does not let go: \(error)")
    }
  }

  // MARK: Waiting

  /// Serves the controller until `condition` holds, two minutes at most. It is asked whenever something has happened.
  func wait(
    _ what: Comment, also descriptor: Int32? = nil, sourceLocation: SourceLocation = #_sourceLocation,
    until condition: () -> Bool
  ) throws {
    let deadline = Clock.monotonic + 120_000_000_000
    while true {
      reap()
      if condition() { return }
      let now = Clock.monotonic
      guard now < deadline, serve(timeout: Int32((deadline - now) / 1_000_000), also: descriptor) else {
        Issue.record("waited in vain for: \(what)", sourceLocation: sourceLocation)
        throw TimedOut()
      }
    }
  }

  /// Waits for one event at most so many ms, and serves what is due; false where there was none.
  private func serve(timeout: Int32, also descriptor: Int32?) -> Bool {
    let events = controller.adminEvents
    var entries = [
      controller.mailbox.descriptor, controller.workCompletions.eventFD, events.submission.rawValue,
      events.completion.rawValue,
    ].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    entries += vectors.map { pollfd(fd: $0.event.rawValue, events: Int16(POLLIN), revents: 0) }
    if let descriptor { entries.append(pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)) }
    let count = poll(&entries, nfds_t(entries.count), timeout)
    guard count > 0 else { return count < 0 && Errno.current == .interrupted }
    if entries[0].revents != 0 { controller.handleEvents() }
    if entries[1].revents != 0 { controller.handleWork() }
    if entries[2].revents != 0 || entries[3].revents != 0 {
      events.submission.drain()
      events.completion.drain()
      controller.processAdminQueue()
    }
    for (index, vector) in vectors.enumerated() where entries[4 + index].revents != 0 {
      vector.count += vector.event.drain()
    }
    if let descriptor, entries.last?.revents != 0 { EventFD.drain(rawValue: descriptor) }
    return true
  }

  /// Takes new completions of all rings whose host consumes.
  private func reap() {
    if adminCompletion.consumes, adminCompletion.reap() > 0 { consume(adminCompletion) }
    for ring in completions.values where ring.consumes && ring.reap() > 0 { consume(ring) }
  }

  /// Begins something that is acknowledged, and waits for that.
  func perform(
    _ what: Comment, sourceLocation: SourceLocation = #_sourceLocation, _ begin: (@escaping () -> Void) -> Void
  ) throws {
    let flag = Flag()
    begin { flag.isSet = true }
    try wait(what, sourceLocation: sourceLocation) { flag.isSet }
  }

  /// Returns when every I/O thread has done all that it was told before, and nothing more is to come of it.
  func settle() throws {
    // A message is acknowledged before the doorbells of its round are looked at: the second comes after them.
    for _ in 0..<3 {
      try perform("a message to go round") { controller.unmap(iova: 0xffff_0000_0000, size: 4096, then: $0) }
    }
    reap()
  }

  // MARK: Registers

  func read32(_ offset: UInt64) -> UInt32 {
    UInt32(truncatingIfNeeded: controller.readRegister(offset: offset, count: 4))
  }

  func read64(_ offset: UInt64) -> UInt64 { controller.readRegister(offset: offset, count: 8) }

  func write32(_ offset: UInt64, _ value: UInt32) {
    controller.writeRegister(offset: offset, count: 4, value: UInt64(value))
  }

  func write64(_ offset: UInt64, _ value: UInt64) { controller.writeRegister(offset: offset, count: 8, value: value) }

  var status: ControllerStatus { ControllerStatus(rawValue: read32(ControllerRegister.status)) }

  /// CC of an enabled controller.
  static var enabled: ControllerConfiguration {
    var configuration = ControllerConfiguration()
    configuration.enable = true
    configuration.ioSubmissionQueueEntrySize = 6
    configuration.ioCompletionQueueEntrySize = 4
    return configuration
  }

  func configure(_ configuration: ControllerConfiguration) {
    write32(ControllerRegister.configuration, configuration.rawValue)
  }

  /// Writes the admin queue's registers.
  func setAdminQueue(
    submission: UInt64? = nil, completion: UInt64? = nil, attributes: AdminQueueAttributes? = nil
  ) {
    let usual = AdminQueueAttributes(
      submissionQueueSize: adminSubmission.size, completionQueueSize: adminCompletion.size)
    write32(ControllerRegister.adminQueueAttributes, (attributes ?? usual).rawValue)
    write64(ControllerRegister.adminSubmissionQueueBase, submission ?? adminSubmission.iova)
    write64(ControllerRegister.adminCompletionQueueBase, completion ?? adminCompletion.iova)
  }

  /// CC.EN 0 to 1, as a driver does it.
  func enable() throws {
    adminSubmission.restart()
    adminCompletion.restart()
    setAdminQueue()
    configure(Host.enabled)
    #expect(status.ready && !status.controllerFatalStatus)
  }

  /// CC.EN 1 to 0, until RDY is 0; the I/O queues are gone.
  func disable() throws {
    configure(ControllerConfiguration())
    try wait("CSTS.RDY 0") { !status.ready }
    forgetQueues()
  }

  /// Forgets the rings of all I/O queues.
  func forgetQueues() {
    submissions = [:]
    completions = [:]
  }

  func reset() throws {
    try perform("the reset") { controller.reset(then: $0) }
    forgetQueues()
  }

  func setBusMaster(_ isOn: Bool) throws { try perform("Bus Master") { controller.setBusMaster(isOn, then: $0) } }

  /// Puts a namespace at an identifier, or takes it away, and waits until that is done.
  ///
  /// - Returns: whether it was begun.
  @discardableResult
  func setNamespace(_ nsid: UInt32, _ namespace: Namespace?) throws -> Bool {
    let flag = Flag()
    guard controller.setNamespace(nsid, namespace, then: { flag.isSet = true }) else { return false }
    try wait("namespace \(nsid)") { flag.isSet }
    return true
  }

  // MARK: Memory and interrupts

  func map(_ regions: [MemoryRegion]) throws {
    for region in regions { try perform("a DMA map") { controller.map(region, then: $0) } }
  }

  func unmap(_ region: MemoryRegion) throws {
    try perform("a DMA unmap") { controller.unmap(iova: region.iova, size: region.size, then: $0) }
  }

  /// Installs the eventfds of some vectors; all by default.
  func installVectors(_ range: Range<Int>? = nil) throws {
    let range = range ?? 0..<vectors.count
    try perform("interrupt vectors") { done in
      controller.setVectors(range.map { ($0, vectors[$0].event.rawValue) }, then: done)
    }
  }

  /// Takes the eventfds of vectors out.
  func removeVectors(_ range: Range<Int>) throws {
    try perform("interrupt vectors") { done in controller.setVectors(range.map { ($0, -1) }, then: done) }
  }

  /// Gives a vector another eventfd, which is not installed; the old one is closed.
  func renewVector(_ vector: Int) throws { vectors[vector] = try Vector() }

  /// Installs another eventfd for a vector; the old one is closed when nobody uses it any more, and its interrupts
  /// have been delivered.
  func replaceVector(_ vector: Int) throws {
    let old = vectors[vector]
    let new = try Vector()
    try perform("an interrupt vector") { done in
      controller.setVectors([(vector, new.event.rawValue)], then: done)
    }
    new.count = old.count + old.event.drain()
    vectors[vector] = new
  }

  /// Interrupts of a vector since the last call.
  func takeInterrupts(_ vector: Int) -> UInt64 {
    let count = vectors[vector].count + vectors[vector].event.drain()
    vectors[vector].count = 0
    return count
  }

  // MARK: Doorbells

  /// Rings the tail doorbell of a submission queue.
  func ring(_ queue: SubmissionRing) { ring(submissionQueue: queue.identifier, tail: UInt32(queue.tail)) }

  func ring(submissionQueue identifier: UInt16, tail: UInt32) {
    guard shadow?.announces(tail, queue: identifier, isHead: false) != false else { return }
    switch path {
    case .socket: write32(DoorbellRegister.submissionQueueTail(identifier), tail)
    case .slots:
      controller.slots.submissionQueueTail(identifier)?.store(tail)
      events(of: identifier).submission.signal()
    case .valueless:
      guard identifier > 0, let event = events(of: identifier).valueless else {
        return write32(DoorbellRegister.submissionQueueTail(identifier), tail)
      }
      EventFD.signal(rawValue: event)
    case .page: controller.slots.submissionQueueTail(identifier)?.store(tail)
    }
  }

  /// Tells the device how far the host has consumed a completion queue.
  func consume(_ queue: CompletionRing) { ring(completionQueue: queue.identifier, head: UInt32(queue.head)) }

  func ring(completionQueue identifier: UInt16, head: UInt32) {
    guard shadow?.announces(head, queue: identifier, isHead: true) != false else { return }
    switch path {
    case .socket, .valueless: write32(DoorbellRegister.completionQueueHead(identifier), head)
    case .slots:
      controller.slots.completionQueueHead(identifier)?.store(head)
      events(of: identifier).completion.signal()
    case .page: controller.slots.completionQueueHead(identifier)?.store(head)
    }
  }

  private func events(of queue: UInt16) -> DoorbellEvents {
    queue == 0 ? controller.adminEvents : controller.doorbellEvents(ofThread: controller.thread(ofQueue: queue))
  }

  // MARK: Commands

  /// Submits commands with one doorbell; their identifiers.
  @discardableResult
  func submit(_ commands: [SubmissionQueueEntry], on queue: SubmissionRing) -> [UInt16] {
    let identifiers = commands.map { queue.put($0) }
    ring(queue)
    return identifiers
  }

  @discardableResult
  func submit(_ command: SubmissionQueueEntry, on queue: SubmissionRing) -> UInt16 { submit([command], on: queue)[0] }

  /// Waits for the completion of a command.
  @discardableResult
  func completion(
    of command: UInt16, on queue: SubmissionRing, in completions: CompletionRing? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> CompletionQueueEntry {
    let ring = try #require(completions ?? completionRing(of: queue), sourceLocation: sourceLocation)
    var entry: CompletionQueueEntry?
    try wait("command \(command) of queue \(queue.identifier)", sourceLocation: sourceLocation) {
      entry = ring.take(command, from: queue.identifier)
      return entry != nil
    }
    return try #require(entry, sourceLocation: sourceLocation)
  }

  private var completionQueueOf: [UInt16: UInt16] = [:]

  private func completionRing(of queue: SubmissionRing) -> CompletionRing? {
    queue.identifier == 0 ? adminCompletion : completionQueueOf[queue.identifier].flatMap { completions[$0] }
  }

  /// Executes an admin command.
  @discardableResult
  func admin(
    _ command: SubmissionQueueEntry, sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> CompletionQueueEntry {
    let identifier = submit(command, on: adminSubmission)
    return try completion(of: identifier, on: adminSubmission, sourceLocation: sourceLocation)
  }

  /// Executes an I/O command.
  @discardableResult
  func io(
    _ command: SubmissionQueueEntry, queue: UInt16 = 1, sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> CompletionQueueEntry {
    let ring = try #require(submissions[queue], sourceLocation: sourceLocation)
    let identifier = submit(command, on: ring)
    return try completion(of: identifier, on: ring, sourceLocation: sourceLocation)
  }

  // MARK: Queues

  /// Creates a completion queue.
  @discardableResult
  func createCompletionQueue(
    _ identifier: UInt16, size: Int = 64, vector: UInt16? = 1, ram: GuestRAM? = nil
  ) throws -> CompletionRing {
    let ring = CompletionRing(identifier: identifier, size: size, ram: ram ?? self.ram)
    let command = SubmissionQueueEntry.createCompletionQueue(identifier, size: size, at: ring.iova, vector: vector)
    try #require(try admin(command).status == .success)
    completions[identifier] = ring
    return ring
  }

  /// Creates a submission queue.
  @discardableResult
  func createSubmissionQueue(
    _ identifier: UInt16, size: Int = 64, completionQueue: UInt16, ram: GuestRAM? = nil
  ) throws -> SubmissionRing {
    let ring = SubmissionRing(identifier: identifier, size: size, ram: ram ?? self.ram)
    let command = SubmissionQueueEntry.createSubmissionQueue(
      identifier, size: size, at: ring.iova, completionQueue: completionQueue)
    try #require(try admin(command).status == .success)
    submissions[identifier] = ring
    completionQueueOf[identifier] = completionQueue
    completions[completionQueue]?.serve(ring)
    return ring
  }

  /// Creates a pair of queues with one identifier, whose interrupts come on the vector of that number.
  @discardableResult
  func createQueuePair(
    _ identifier: UInt16 = 1, size: Int = 64, completionSize: Int? = nil, vector: UInt16? = nil
  ) throws -> SubmissionRing {
    try createCompletionQueue(identifier, size: completionSize ?? size, vector: vector ?? identifier)
    return try createSubmissionQueue(identifier, size: size, completionQueue: identifier)
  }

  /// Takes a ring in again whose queue was created by a command of the test's own.
  func adopt(_ submission: SubmissionRing? = nil, _ completion: CompletionRing? = nil, completionQueue: UInt16 = 1) {
    if let completion { completions[completion.identifier] = completion }
    if let submission {
      submissions[submission.identifier] = submission
      completionQueueOf[submission.identifier] = completionQueue
      completions[completionQueue]?.serve(submission)
    }
  }
}
