import Doorbells
import GuestMemory
import LinuxIO
import NVMeSpec
import Storage

/// An NVMe controller: registers, admin queue, queue table, features, events.
///
/// It lives on its control thread and never blocks; what I/O threads or workers must do first comes back as an event
/// (`handle`). The I/O queues themselves live on I/O threads (`IOEngine`).
///
/// What it does not implement: fused operations, metadata and protection information, namespace management, firmware
/// download, security, sanitize, format, controller memory buffer, NVM subsystem reset, more than one controller in a
/// subsystem.
public final class Controller {
  /// What the controller shares with one I/O thread.
  struct Lane {
    let thread: IOThreadHandle
    let port: Int
    let events: DoorbellEvents
    let interest: CompletionInterest
  }

  /// How it is configured.
  public let description: ControllerDescription
  /// Where doorbell values arrive.
  public let slots: DoorbellSlots
  /// Where I/O threads answer; the control thread calls `handle` with what it finds here.
  public let mailbox: Mailbox<IOEvent>
  /// The admin queue's doorbells, for a client that signals them without a message.
  public let adminEvents: DoorbellEvents
  /// Where flushes of a shutdown come back; the control thread calls `handleWork` when it is readable.
  public let workCompletions: CompletionPort
  /// The last commands that failed.
  public let errorLog = ErrorLog()
  /// What it has done.
  public let counters: ControllerCounters

  /// Called on the control thread with what an operator may want to know.
  public var report: ((ControllerReport) -> Void)?

  let lanes: [Lane]
  let workers: WorkerPool
  var registers: ControllerRegisters
  var features: Features
  var queues: QueueTable
  var events = AsynchronousEvents()
  var namespaces: [Namespace?]
  var pauseReasons: PauseReasons = [.busMaster]
  var memory = MemoryMap()
  var adminSubmissionQueue = SubmissionQueue()
  var adminCompletionQueue = CompletionQueue()
  /// Where the I/O queues' doorbells lie in guest memory, if the host has said so.
  var doorbellBuffers: DoorbellBuffers?
  var vectors: InterruptVectors
  /// What an admin command's data is scattered over.
  var adminSegments: AdminSegments

  /// Whether a disable is draining: CSTS.RDY is still 1.
  var isDisabling = false
  /// Set where the host enables again before it has seen RDY 0.
  var enablesAgain = false
  /// Distinguishes the lives of the admin queue, so that what was begun in one does not complete in the next.
  var epoch: UInt64 = 0
  /// Admin commands that were pending, are done, and have no completion yet.
  var finished: [Finished] = []
  /// Signals of the admin queue's submission event since it was enabled; counted where doorbells are traced.
  var adminSignals: UInt64 = 0
  /// Aborts under way (ACL).
  var abortsUnderWay = 0
  /// The flush that workers have not finished.
  var flush: Flush?
  /// Who needs one that begins after it.
  var nextFlush: [(Bool) -> Void] = []
  /// Namespaces that changed since the host read the Changed Namespace List.
  var changedNamespaces: Set<UInt32> = []
  /// Namespaces that go, and may still be used by commands in flight, by their places; nil: it was not shown yet.
  var leavingNamespaces: [Int: Namespace?] = [:]
  /// What the I/O queues may do at most.
  let limiter = RateLimiter()
  /// Inspections that I/O threads have not answered, by token.
  var inspections: [UInt64: Inspection] = [:]
  /// Times that the write cache is being turned off at the moment.
  var writeCacheFlushes = 0
  /// Counts the commands that change it: the last one decides.
  var writeCacheChanges: UInt64 = 0
  /// Whether every write is Force Unit Access, as the I/O threads were told.
  var writesThrough = false
  /// Drains under way.
  var drains = 0
  let createdAt = Clock.monotonic
  var unsafeShutdowns: UInt64 = 0
  var resets: UInt64 = 0

  private var barriers: [UInt64: Barrier] = [:]
  private var abortAnswers: [UInt64: (Bool) -> Void] = [:]
  private var nextToken: UInt64 = 1

  /// What a controller cannot be without and may not get.
  private struct Parts {
    let slots: DoorbellSlots
    let mailbox: Mailbox<IOEvent>
    let adminEvents: DoorbellEvents
    let workCompletions: CompletionPort
    let lanes: [Lane]
    let counters: ControllerCounters

    init(_ threads: [IOThreadHandle], isMapped: Bool, hasValueless: Bool) throws(Errno) {
      slots = try DoorbellSlots(isMapped: isMapped)
      mailbox = try Mailbox()
      adminEvents = try DoorbellEvents()
      workCompletions = try CompletionPort()
      var lanes: [Lane] = []
      do throws(Errno) {
        for thread in threads {
          let events = try DoorbellEvents(hasValueless: hasValueless)
          guard let port = thread.takePort() else { throw .noSpace }
          lanes.append(
            Lane(
              thread: thread, port: port, events: events, interest: CompletionInterest()))
        }
        counters = try ControllerCounters(lanes.map(\.events))
      } catch {
        for lane in lanes { lane.thread.givePort(lane.port) }
        throw error
      }
      self.lanes = lanes
    }
  }

  /// Makes a controller that is disabled, attached to its I/O threads.
  ///
  /// - Parameters:
  ///   - description: what the guest sees of it.
  ///   - threads: the I/O threads that serve it, at least one.
  ///   - workers: who does what blocks.
  ///   - namespaces: at the place of their identifier - 1.
  /// - Throws: `EMFILE` at the limit of open files, `ENOSPC` where a thread serves as many controllers as it can.
  public static func make(
    _ description: ControllerDescription, threads: [IOThreadHandle], workers: WorkerPool, namespaces: [Namespace?]
  ) throws(Errno) -> Controller {
    let parts = try Parts(
      threads, isMapped: description.doorbells == .poll, hasValueless: description.shadowDoorbells == .required)
    let controller = Controller(description, parts, workers: workers, namespaces: namespaces)
    do throws(Errno) { try controller.attach() } catch {
      // No thread has heard of it.
      for lane in parts.lanes { lane.thread.givePort(lane.port) }
      throw error
    }
    return controller
  }

  private init(
    _ description: ControllerDescription, _ parts: Parts, workers: WorkerPool, namespaces: [Namespace?]
  ) {
    self.description = description
    self.workers = workers
    slots = parts.slots
    mailbox = parts.mailbox
    adminEvents = parts.adminEvents
    workCompletions = parts.workCompletions
    lanes = parts.lanes
    counters = parts.counters
    registers = ControllerRegisters(queueEntries: description.queueEntries)
    features = Features(queueCount: description.queueCount, vectorCount: description.vectorCount)
    queues = QueueTable(count: description.queueCount)
    self.namespaces = (0..<description.namespaceLimit).map { $0 < namespaces.count ? namespaces[$0] : nil }
    vectors = InterruptVectors(count: description.vectorCount)
    adminSegments = AdminSegments(maximumTransfer: description.maximumTransfer)
  }

  /// Tells the I/O threads of it: all of them, or, where it throws, none.
  private func attach() throws(Errno) {
    var adminEvent = FixedTable<EventFD?>(count: lanes.count) { _ in nil }
    for index in 0..<lanes.count { adminEvent[index] = try adminEvents.submission.duplicate() }
    for (index, lane) in lanes.enumerated() {
      guard let adminEvent = adminEvent[index].take() else { continue }
      let port = PortDescription(
        slots: slots, events: lane.events, adminEvent: adminEvent,
        isPolled: description.doorbells == .poll, mailbox: mailbox, counters: counters.ports[index], errorLog: errorLog,
        interest: lane.interest, limiter: limiter, lane: index, laneCount: lanes.count, firstLane: thread(ofQueue: 1),
        maximumTransfer: UInt64(description.maximumTransfer),
        queueCount: description.queueCount, vectorCount: description.vectorCount,
        namespaceCount: description.namespaceLimit)
      send(lane, .attach(port: lane.port, port))
      for (index, namespace) in namespaces.enumerated() {
        guard let namespace else { continue }
        // Nobody waits for the acknowledgement: no command comes before that of the pause.
        send(lane, .setNamespace(port: lane.port, index: index, namespace, token: makeToken()))
      }
    }
    setLimits(description.limits)
    broadcast({ lane, token in .pause(port: lane.port, token: token) }, then: {})
  }

  // MARK: Messages to I/O threads

  func send(_ lane: Lane, _ command: IOCommand) { lane.thread.mailbox.post(command) }

  /// Sends a message to every I/O thread, and goes on once all have acknowledged it.
  func broadcast(_ command: (Lane, UInt64) -> IOCommand, then completion: @escaping () -> Void) {
    let token = barrier(lanes.count, completion)
    for lane in lanes { send(lane, command(lane, token)) }
  }

  /// Sends a message to one I/O thread, and goes on once it has acknowledged it.
  func send(_ lane: Lane, _ command: (UInt64) -> IOCommand, then completion: @escaping () -> Void) {
    send(lane, command(barrier(1, completion)))
  }

  /// A flush of all namespaces by workers, and who is told of its end.
  struct Flush {
    let token: UInt64
    var missing: Int
    var succeeded = true
    var completions: [(Bool) -> Void]
  }

  /// A token that no acknowledgement has yet.
  func makeToken() -> UInt64 {
    defer { nextToken += 1 }
    return nextToken
  }

  private func barrier(_ missing: Int, _ completion: @escaping () -> Void) -> UInt64 {
    let token = makeToken()
    barriers[token] = Barrier(missing: missing, completion: completion)
    return token
  }

  /// Asks an I/O thread to abort a command.
  func requestAbort(_ lane: Lane, _ queue: UInt16, _ command: UInt16, then answer: @escaping (Bool) -> Void) {
    let token = makeToken()
    abortAnswers[token] = answer
    send(lane, .abort(port: lane.port, submissionQueue: queue, command: command, token: token))
  }

  /// Takes what I/O threads have answered. On the control thread, when `mailbox` is readable.
  public func handleEvents() {
    for event in mailbox.takeAll() {
      switch event {
      case .acknowledged(let token): acknowledge(token)
      case .aborted(let token, let done): abortAnswers.removeValue(forKey: token)?(done)
      case .inspected(let token, let port): takeInspection(token, port)
      case .invalidDoorbell(let queue, let isUnknown): invalidDoorbell(queue, isUnknown: isUnknown)
      case .commandFailed(let entry):
        report?(.commandFailed(entry))
        reportReliability()
      case .doorbellWithoutValue: doorbellWithoutValue()
      case .interruptStalled: noteStall()
      case .failed(let error): fail("an I/O thread cannot serve it: \(error)")
      }
    }
    processAdminQueue()
  }

  private func acknowledge(_ token: UInt64) {
    guard var barrier = barriers[token] else { return }
    barrier.missing -= 1
    guard barrier.missing == 0 else {
      barriers[token] = barrier
      return
    }
    barriers[token] = nil
    barrier.completion()
  }

  // MARK: Pausing

  /// Adds or takes away a reason not to do DMA.
  ///
  /// - Parameter completion: called when no DMA is under way any more; at once where a reason is taken away.
  func setPaused(_ reason: PauseReasons, _ isPaused: Bool, then completion: @escaping () -> Void = {}) {
    let before = pauseReasons
    if isPaused { pauseReasons.insert(reason) } else { pauseReasons.remove(reason) }
    if isPaused {
      // Also where there was a reason before: what it began may not have ended yet.
      broadcast({ lane, token in .pause(port: lane.port, token: token) }, then: completion)
      return
    }
    if !before.isEmpty, pauseReasons.isEmpty {
      for lane in lanes { send(lane, .resume(port: lane.port)) }
      processAdminQueue()
    }
    completion()
  }

  /// PCI Bus Master Enable changed.
  public func setBusMaster(_ isEnabled: Bool, then completion: @escaping () -> Void) {
    setPaused(.busMaster, !isEnabled, then: completion)
  }

  /// PCI power state changed between D0 and D3hot.
  public func setSleeping(_ isSleeping: Bool, then completion: @escaping () -> Void) {
    setPaused(.powerState, isSleeping, then: completion)
  }

  /// Guest memory turned out to be gone, or something else that no command can report: CSTS.CFS.
  public func fail(_ reason: String) {
    report?(.failed(reason))
    registers.status.controllerFatalStatus = true
    setPaused(.failure, true)
  }

  /// The client had a thread wait for one of its eventfds.
  func noteStall() {
    report?(.stalled)
    fail("the client had a thread wait for one of its eventfds")
  }

  // MARK: Memory and interrupts

  /// A range of guest memory is there; `completion` is called when commands may use it.
  public func map(_ region: MemoryRegion, then completion: @escaping () -> Void) {
    memory.insert(region)
    resolveQueues()
    broadcast({ lane, token in .map(port: lane.port, region, token: token) }, then: completion)
    processAdminQueue()
  }

  /// A range of guest memory goes; `completion` is called when nothing touches it any more.
  public func unmap(iova: UInt64, size: UInt64, then completion: @escaping () -> Void) {
    _ = memory.remove(iova: iova, size: size)
    resolveQueues()
    broadcast(
      { lane, token in .unmap(port: lane.port, iova: iova, size: size, token: token) }, then: completion)
  }

  private func resolveQueues() {
    doorbellBuffers?.resolve(&memory)
    if adminSubmissionQueue.isLive { adminSubmissionQueue.memory.resolve(&memory) }
    if adminCompletionQueue.isLive { adminCompletionQueue.memory.resolve(&memory) }
  }

  /// Installs the eventfds of vectors (-1: none); `completion` is called when the old ones are not used any more.
  public func setVectors(_ descriptors: [(vector: Int, descriptor: Int32)], then completion: @escaping () -> Void) {
    guard !descriptors.isEmpty else { return completion() }
    for entry in descriptors {
      let waits =
        adminCompletionQueue.isLive && adminCompletionQueue.interruptVector == entry.vector
        && !adminCompletionQueue.isConsumed()
      vectors.install(entry.descriptor, vector: entry.vector, hasEntries: waits)
    }
    if vectors.takeStall() { noteStall() }
    let token = barrier(lanes.count * descriptors.count, completion)
    for lane in lanes {
      for entry in descriptors {
        send(lane, .setVector(port: lane.port, vector: entry.vector, descriptor: entry.descriptor, token: token))
      }
    }
  }

  // MARK: Resets and the end

  /// Function level reset or DEVICE_RESET: everything at its defaults, guest memory and eventfds excepted.
  ///
  /// - Parameter completion: called when nothing is in flight any more.
  public func reset(then completion: @escaping () -> Void) {
    registers.configuration = ControllerConfiguration()
    enablesAgain = false
    disable { [self] in
      registers = ControllerRegisters(queueEntries: description.queueEntries)
      setPaused(.busMaster, true)
      setPaused(.powerState, false)
      completion()
    }
  }

  /// Leaves the I/O threads for good. After `reset`.
  ///
  /// - Parameter completion: called when no thread knows the controller any more.
  public func detach(then completion: @escaping () -> Void) {
    broadcast({ lane, token in .detach(port: lane.port, token: token) }) { [self] in
      for lane in lanes { lane.thread.givePort(lane.port) }
      // Nobody asks any more what a flush came to that a worker has not finished.
      flush = nil
      nextFlush = []
      completion()
    }
  }

  /// Which I/O thread a completion queue, and what feeds it, belongs to.
  public func thread(ofQueue identifier: UInt16) -> Int {
    lanes.isEmpty || identifier == 0 ? 0 : (Int(identifier) - 1 + lanes[0].port) % lanes.count
  }

  /// The events that announce the doorbells of queues on an I/O thread.
  public func doorbellEvents(ofThread thread: Int) -> DoorbellEvents { lanes[thread].events }

  /// The I/O threads that serve it.
  public var threadCount: Int { lanes.count }
}
