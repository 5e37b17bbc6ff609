import DeviceServer
import Glibc
import LinuxIO
import NVMeController
import NVMeSpec

extension Supervisor {
  /// What everybody is doing.
  ///
  /// Threads tell when they next look at their messages; who has not told in half a second is `busy`.
  public func status() -> DaemonStatus {
    let (daemon, controllers) = state.withLock { ($0.daemon, $0.controllers) }
    // All are asked before the first is waited for.
    var pending: [DeviceServer.PendingStatus?] = []
    for controller in controllers {
      do throws(Errno) { pending.append(try controller.server.beginStatus()) } catch { pending.append(nil) }
    }
    let deadline = Clock.monotonic + UInt64(Supervisor.statusPatience) * 1_000_000
    let statuses = zip(controllers, pending).map { controller, pending in
      let left = deadline - min(deadline, Clock.monotonic)
      return ControllerStatus(
        controller, pending?.wait(milliseconds: Int32(clamping: left / 1_000_000)), ioThreads: daemon.ioThreads)
    }
    let threads = zip(pool.cpuTimes, pool.statistics).enumerated().map { index, thread in
      IOThreadStatus(
        name: "nvmed-io\(index)", cpu: daemon.ioCPUs.isEmpty ? nil : daemon.ioCPUs[index % daemon.ioCPUs.count],
        cpuTime: thread.0, statistics: thread.1)
    }
    return DaemonStatus(
      version: "0.1.0", processID: getpid(), uptime: uptime, logLevel: threshold.level, ioThreads: threads,
      workerThreads: daemon.workerThreads, controllers: statuses)
  }

  /// The last commands of a controller's guest that failed, the newest first; none where nobody is connected.
  ///
  /// - Throws: where there is no such controller, or it does not answer.
  public func errorLog(controller name: String) throws(DaemonError) -> [ErrorLogEntryStatus] {
    let entries = try ask(name) { (server) throws(Errno) in
      try server.errorLog(milliseconds: Supervisor.statusPatience)
    }
    return entries.map { entry in
      ErrorLogEntryStatus(
        errorCount: entry.errorCount, submissionQueue: entry.submissionQueue, commandIdentifier: entry.command,
        status: entry.status.rawValue, statusText: "\(entry.status)", lba: entry.slba,
        nsid: entry.namespaceIdentifier)
    }
  }

  /// The guest memory that a controller's client has mapped; none where nobody is connected.
  ///
  /// - Throws: where there is no such controller, or it does not answer.
  public func dmaMap(controller name: String) throws(DaemonError) -> DMAMapStatus {
    DMAMapStatus(
      try ask(name) { (server) throws(Errno) in try server.dmaMap(milliseconds: Supervisor.statusPatience) })
  }

  /// - Parameter question: gives nil where there was no answer in time.
  private func ask<Reply>(
    _ name: String, _ question: (DeviceServer) throws(Errno) -> Reply?
  ) throws(DaemonError) -> Reply {
    let controller = try controller(name)
    let reply: Reply?
    do throws(Errno) { reply = try question(controller.server) } catch {
      throw DaemonError("controller '\(name)' cannot be asked: \(error)")
    }
    guard let reply else { throw DaemonError("controller '\(name)' is busy; try again") }
    return reply
  }
}

extension ControllerStatus {
  /// What a controller has, and what its threads have told; nil: they have not.
  init(_ controller: ServedController, _ device: DeviceStatus?, ioThreads: Int) {
    let configuration = controller.configuration
    // Made of them while they are there: a query keeps no image open.
    let served = controller.state.withLock { state in
      (
        isLeaving: state.isLeaving, limits: state.limits,
        namespaces: state.namespaces.sorted { $0.key < $1.key }.map { NamespaceStatus($0.key, $0.value) }
      )
    }
    let snapshot = device?.controller
    name = configuration.name
    socketPath = configuration.socketPath
    serial = configuration.serial
    state = ControllerStatus.state(device, isLeaving: served.isLeaving)
    client = device.flatMap { $0.state == .serving ? ClientStatus(processID: $0.client) : nil }
    controllerStatus = snapshot?.status ?? 0
    controllerConfiguration = snapshot?.configuration ?? 0
    doorbells = DoorbellStatus(
      choice: configuration.doorbells, postWrite: configuration.postWrite,
      shadowDoorbells: configuration.shadowDoorbells.rawValue, path: ControllerStatus.path(device, configuration))
    queues = (snapshot?.queues ?? []).map { queue in
      // A controller that has a thread of its own counts it as its first.
      QueueStatus(queue, thread: queue.thread.map { configuration.ioThread.map { $0 % ioThreads } ?? $0 })
    }
    dma = DMAStatus(mapCount: device?.dmaMapCount ?? 0, byteCount: device?.dmaByteCount ?? 0)
    interruptVectors = configuration.ioQueues + 1
    installedVectors = device?.installedVectors ?? []
    namespaces = served.namespaces
    limits = served.limits
    isLimited = snapshot?.isLimited ?? false
    let done = controller.server.statistics
    statistics = done.controller
    connections = done.connections
    refusedConnections = done.refusedConnections
    suppressedLogLines = done.suppressedLogLines
    controlCPUTime = controller.server.cpuTime
  }

  private static func state(_ device: DeviceStatus?, isLeaving: Bool) -> State {
    guard !isLeaving else { return .ending }
    guard let device else { return .busy }
    switch device.state {
    case .idle: return .waiting
    case .ending: return .ending
    case .serving: break
    }
    let status = NVMeSpec.ControllerStatus(rawValue: device.controller?.status ?? 0)
    if status.controllerFatalStatus { return .failed }
    if status.shutdownStatus != .normalOperation { return .shutdown }
    return status.ready ? .ready : .attached
  }

  private static func path(_ device: DeviceStatus?, _ configuration: ControllerConfiguration) -> DoorbellStatus.Path {
    guard let device, device.state == .serving else { return .none }
    if device.controller?.usesShadowDoorbells == true { return .shadow }
    if configuration.doorbells == .poll { return .page }
    switch device.doorbells {
    case .unsettled, .none: return .messages
    case .slots: return .slots
    case .traced: return .traced
    }
  }
}

extension QueueStatus {
  init(_ queue: QueueSnapshot, thread: Int?) {
    identifier = queue.identifier
    size = queue.size
    head = queue.head
    tail = queue.tail
    self.thread = thread
    switch queue.kind {
    case .submission(let completionQueue, let inFlight):
      kind = .submission
      self.completionQueue = completionQueue
      self.inFlight = inFlight
    case .completion(let interruptVector):
      kind = .completion
      self.interruptVector = interruptVector
    }
  }
}

extension NamespaceStatus {
  init(_ nsid: UInt32, _ served: ServedNamespace) {
    let namespace = served.namespace
    func text(_ bytes: [UInt8]) -> String? { bytes.allSatisfy { $0 == 0 } ? nil : hexadecimal(bytes) }
    self.nsid = nsid
    backend = served.configuration.backend
    image = namespace.backend.image?.path
    size = namespace.blockCount << UInt64(namespace.blockShift)
    blockSize = 1 << Int(namespace.blockShift)
    isReadOnly = namespace.backend.readOnly
    discards = namespace.discards
    writeCacheFailed = namespace.writeCacheFailed
    uuid = uuidText(namespace.uuid)
    nguid = text(namespace.nguid)
    eui64 = text(namespace.eui64)
  }
}
