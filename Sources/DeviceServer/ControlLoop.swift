import Glibc
import LinuxIO
import Logging
import NVMeController
import VFIOUser

/// The control thread of one controller: its socket, registers, admin queue and configuration space.
///
/// It waits in epoll and nowhere else. Where a message needs I/O threads to let go of something first, the socket is
/// held: no further message is received until the reply is sent, while admin commands and everything else go on.
final class ControlLoop {
  private enum Source: UInt64 {
    case requests = 1
    case listener
    case connection
    case mailbox
    case adminSubmission
    case adminCompletion
    case work
    case fault
  }

  enum State {
    /// No client.
    case idle
    /// A client is connected.
    case serving
    /// The client is gone, or the server ends: what is in flight is awaited.
    case ending
  }

  /// What the listening socket is watched for.
  private enum Listening {
    /// Clients.
    case clients
    /// Nothing until the end of the last client is over: the next one waits in the backlog, and is not refused.
    case nothing
    /// Nothing for a while: a client could not be accepted, and still waits.
    case retry
  }

  /// A message that waits for its effects.
  private struct Hold {
    let number: UInt64
    /// When it is answered without them, of `Clock.monotonic`; `UInt64.max`: never.
    let deadline: UInt64
  }

  /// How long a message waits for its effects, in ns: commands in flight may be with a disk that does not answer. QEMU
  /// gives up a device that has not answered for 5 s.
  static let defaultHoldLimit: UInt64 = 3_000_000_000
  /// Messages received before other events have their turn.
  private static let burst = 64
  /// How long the socket is left alone after a client could not be accepted, in ms.
  private static let retryInterval: UInt64 = 100

  /// What is served; namespaces and limits as they are now.
  var options: DeviceOptions
  /// What other threads ask.
  let requests: Mailbox<ControlRequest>
  private let pool: IOThreadPool
  /// How long a message waits for its effects, in ns; nil: as long as it takes.
  private let holdLimit: UInt64?
  private let epoll: Epoll
  private var events = EpollEvents()
  private var listener: UnixListener?
  private var listening = Listening.clients
  /// When clients are waited for again, where that is a while off: CLOCK_MONOTONIC in ns.
  private var retryTime: UInt64 = 0
  /// Whether the client has held up a thread, and is sent away for it.
  private var isDismissed = false
  private var connection: ServerConnection?
  private(set) var device: Device?
  private(set) var state = State.idle
  /// The process behind the connection; nil where the kernel does not say.
  private(set) var client: pid_t?
  /// What is to be done at the end of the client, unless it is done before.
  var endActions: [UInt64: () -> Void] = [:]
  var nextAction: UInt64 = 0
  /// The message that waits for its effects before it is answered.
  private var heldMessage: Hold?
  private var nextHold: UInt64 = 0
  /// What the connection is watched for.
  private var watched: Epoll.Events?
  private var isStopping = false
  /// It has ended: no client, and none to come.
  private(set) var isOver = false
  /// How doorbell values arrive: what is configured, or less after it failed.
  private var postWrite: PostWrite
  private var log: RateLimitedLog
  private let counters: DeviceCounters

  init(
    pool: IOThreadPool, start: consuming ControlStart, logger: Logger, counters: DeviceCounters,
    holdLimit: UInt64? = ControlLoop.defaultHoldLimit
  ) throws(Errno) {
    let options = start.options
    self.holdLimit = holdLimit
    self.counters = counters
    self.options = options
    self.pool = pool
    postWrite = options.postWrite
    log = RateLimitedLog(logger, counters: counters)
    epoll = try Epoll()
    requests = start.requests
    try epoll.add(requests.descriptor, .readable, token: Source.requests.rawValue)
    switch consume start.endpoint {
    case .listener(let listener):
      try epoll.add(listener.descriptor.rawValue, .readable, token: Source.listener.rawValue)
      self.listener = consume listener
    case .connected(let socket):
      do throws(Errno) { try begin(socket) } catch {
        // What the I/O threads know of it by now is taken back by `run`.
        guard state == .serving else { throw error }
        end("it could not begin")
      }
    }
  }

  /// Runs until `stop` is signalled, or the only client is gone.
  func run() {
    WriteWatch.watched {
      while !isOver { _ = turn(timeout: retryTimeout) }
    }
  }

  /// How long to wait for events, in ms.
  private var retryTimeout: Int32 {
    guard listening == .retry else { return -1 }
    let now = Clock.monotonic
    return retryTime > now ? Int32(clamping: (retryTime - now) / 1_000_000 + 1) : 0
  }

  /// Waits for events, and takes them.
  ///
  /// - Parameter timeout: ms; 0: takes what is there; -1: until there is one.
  /// - Returns: whether there were any.
  func turn(timeout: Int32) -> Bool {
    epoll.wait(timeout: limited(timeout), into: &events)
    if listening == .retry, Clock.monotonic >= retryTime { listen() }
    for index in 0..<events.count {
      let event = events[index]
      take(event)
      if isOver { break }
    }
    if let heldMessage, Clock.monotonic >= heldMessage.deadline { giveUpHold() }
    if isDismissed, state == .serving { end("it held up a thread") }
    return events.count > 0
  }

  /// A timeout that does not go beyond the deadline of a message that waits.
  private func limited(_ timeout: Int32) -> Int32 {
    guard let heldMessage, heldMessage.deadline != UInt64.max else { return timeout }
    let now = Clock.monotonic
    let left = Int32(clamping: heldMessage.deadline > now ? (heldMessage.deadline - now) / 1_000_000 + 1 : 0)
    return timeout < 0 ? left : min(timeout, left)
  }

  private func take(_ event: Epoll.Event) {
    switch Source(rawValue: event.token) {
    case .requests: takeRequests()
    case .listener: accept()
    case .connection: receive(event.events)
    case .mailbox: device?.controller.handleEvents()
    case .adminSubmission: device?.controller.takeAdminSubmissionEvent()
    case .adminCompletion:
      device?.controller.adminEvents.completion.drain()
      device?.controller.processAdminQueue()
    case .work: device?.controller.handleWork()
    case .fault:
      guard let device else { return }
      device.memory.faultEvent.drain()
      device.controller.fail("the client has taken guest memory away: its file is shorter than what was mapped")
      device.dropFaultedMemory()
    case nil: break
    }
  }

  /// What it is in the middle of, for who did not expect it.
  var diagnosis: String {
    "state \(state), \(heldMessage == nil ? "no message" : "a message") waits for its effects, "
      + "socket \(connection?.descriptor ?? -1), watched \(watched?.rawValue ?? 0), "
      + "its client is \(isClientGone ? "gone" : "there")"
  }

  /// The server ends: what is in flight is awaited and made durable.
  func stop() {
    isStopping = true
    end("the server stops")
  }

  // MARK: Clients

  private func accept() {
    // Who connects at the end of another client, as a machine that starts anew, is the next and not the second.
    if state == .ending || state == .serving && isClientGone { return stopListening(.nothing) }
    let accepted: FileDescriptor?
    do throws(Errno) {
      accepted = try listener?.accept()
    } catch {
      log.log(.error, "a client cannot be accepted: \(error)")
      return retry(after: ControlLoop.retryInterval)
    }
    guard let socket = accepted else { return }
    guard state == .idle, !isStopping else {
      // The socket is closed at the end of this scope, which the second client sees as the end of the connection.
      counters.refuse()
      log.log(.warning, "a second client was refused: the controller has one")
      return
    }
    do throws(Errno) {
      try begin(socket)
    } catch {
      log.log(.error, "a client cannot be served: \(error)")
      if state == .serving { end("it could not begin") }
    }
  }

  /// Whether the client has closed its end, also where that was not received yet.
  private var isClientGone: Bool {
    guard let descriptor = connection?.descriptor else { return true }
    return UnixSocket.isPeerClosed(descriptor)
  }

  private func stopListening(_ listening: Listening) {
    if let descriptor = listener?.descriptor.rawValue { epoll.remove(descriptor) }
    self.listening = listening
  }

  /// Waits for clients after so many ms.
  private func retry(after milliseconds: UInt64) {
    stopListening(.retry)
    retryTime = Clock.monotonic + milliseconds * 1_000_000
  }

  private func listen() {
    guard let descriptor = listener?.descriptor.rawValue, listening != .clients else { return }
    do throws(Errno) {
      try epoll.add(descriptor, .readable, token: Source.listener.rawValue)
      listening = .clients
    } catch {
      log.log(.error, "clients cannot be waited for: \(error)")
      retry(after: ControlLoop.retryInterval)
    }
  }

  private func begin(_ socket: consuming FileDescriptor) throws(Errno) {
    let device = try Device(options, pool: pool)
    self.device = device
    counters.begin(device.controller.counters)
    let process = ControlLoop.process(behind: socket.rawValue)
    client = process > 0 ? process : nil
    connection = ServerConnection(socket)
    state = .serving
    heldMessage = nil
    isDismissed = false
    watched = nil
    let controller = device.controller
    controller.report = { [unowned self] report in log(report) }
    device.warn = { [unowned self] reason in log.log(.warning, "\(reason)") }
    device.stalled = { [unowned self] in isDismissed = true }
    try epoll.add(controller.mailbox.descriptor, .readable, token: Source.mailbox.rawValue)
    try epoll.add(controller.adminEvents.submission.rawValue, .readable, token: Source.adminSubmission.rawValue)
    try epoll.add(controller.adminEvents.completion.rawValue, .readable, token: Source.adminCompletion.rawValue)
    try epoll.add(controller.workCompletions.eventFD, .readable, token: Source.work.rawValue)
    try epoll.add(device.memory.faultEvent.rawValue, .readable, token: Source.fault.rawValue)
    try watchConnection()
    log.log(.info, "client connected")
  }

  /// Watches the connection for what is due: commands unless one is held, and room for replies that wait.
  private func watchConnection() throws(Errno) {
    guard let descriptor = connection?.descriptor else { return }
    let wantsWrite = connection?.wantsWrite == true
    var wanted: Epoll.Events? = nil
    if heldMessage == nil { wanted = [.readable] }
    if wantsWrite { wanted = (wanted ?? []).union(.writable) }
    guard wanted != watched else { return }
    // A connection that is watched for nothing would still report its end, over and over.
    if let wanted {
      if watched == nil {
        try epoll.add(descriptor, wanted, token: Source.connection.rawValue)
      } else {
        try epoll.modify(descriptor, wanted, token: Source.connection.rawValue)
      }
    } else {
      epoll.remove(descriptor)
    }
    watched = wanted
  }

  private func updateWatch() {
    do throws(Errno) { try watchConnection() } catch {
      log.log(.error, "the connection cannot be watched: \(error)")
      end("epoll failed")
    }
  }

  /// The client goes, or is sent away: in-flight I/O is awaited, its memory unmapped, its eventfds closed.
  private func end(_ reason: String) {
    switch state {
    case .idle:
      if isStopping { isOver = true }
    case .ending: break
    case .serving:
      state = .ending
      log.log(.info, "client disconnected: \(reason)")
      unwatchConnection()
      // A server that stops tells its client last, when everything that was acknowledged is durable.
      if !isStopping { connection = nil }
      guard let device else { return finish() }
      let controller = device.controller
      controller.reset { [self] in
        let rest = { [self] in
          device.removeInterrupts { [self] in
            // Nothing is in flight: the order of the three does not matter to the guest.
            do throws(Errno) {
              try device.unmap(.all) { [self] in controller.detach { [self] in finish() } }
            } catch { controller.detach { [self] in finish() } }
          }
        }
        // A server that stops leaves nothing to the host's page cache and the disk's.
        guard isStopping else { return rest() }
        controller.flushAll { [self] succeeded in
          if !succeeded { log(.shutdownNotDurable) }
          rest()
        }
      }
    }
  }

  private func unwatchConnection() {
    if watched != nil, let descriptor = connection?.descriptor { epoll.remove(descriptor) }
    watched = nil
  }

  private func finish() {
    unwatchConnection()
    connection = nil
    if let device {
      let controller = device.controller
      epoll.remove(controller.mailbox.descriptor)
      epoll.remove(controller.adminEvents.submission.rawValue)
      epoll.remove(controller.adminEvents.completion.rawValue)
      epoll.remove(controller.workCompletions.eventFD)
      epoll.remove(device.memory.faultEvent.rawValue)
      device.endTracing()
      counters.end()
    }
    device = nil
    state = .idle
    performEndActions()
    if isStopping || listener == nil {
      isOver = true
    } else if isDismissed {
      retry(after: ClientLimits.dismissal)
    } else {
      listen()
    }
  }

  private func log(_ report: ControllerReport) {
    switch report {
    case .commandFailed(let entry):
      log.log(
        .notice, "a command failed",
        [
          "status": "\(entry.status)", "queue": "\(entry.submissionQueue)", "command": "\(entry.command)",
          "nsid": "\(entry.namespaceIdentifier)", "lba": "\(entry.slba)",
        ])
    case .invalidDoorbell(let queue):
      log.log(.notice, "the guest wrote an invalid doorbell", ["queue": "\(queue)"])
    case .usesShadowDoorbells: log.log(.info, "the guest keeps its doorbells in its memory")
    case .doorbellsLost:
      // The VMM of this client keeps its ioeventfds; the next client is not led into the same.
      if case .automatic = postWrite { postWrite = .byClient } else { postWrite = .none }
      log.log(
        .error,
        "the monitor does not say where the guest's BAR0 is, and doorbells by eBPF are lost; they are not offered again: restart the virtual machine, and set post_write = \"off\""
      )
    case .stalled: isDismissed = true
    case .shutdownNotDurable:
      log.log(.error, "a shutdown cannot make durable all that was acknowledged: an image cannot be flushed")
    case .failed(let reason): log.log(.error, "the controller failed: \(reason)")
    }
  }

  // MARK: Messages

  private func receive(_ events: Epoll.Events) {
    if events.contains(.writable) { connection?.flush() }
    var budget = ControlLoop.burst
    while state == .serving, heldMessage == nil, !isDismissed, budget > 0 {
      budget -= 1
      guard let reception = connection?.receive() else { return }
      switch reception {
      case .wouldBlock:
        updateWatch()
        return
      case .negotiated: log.log(.debug, "version negotiated")
      case .message: handle()
      case .closed: return end("it closed the connection")
      case .failed(let error):
        log.log(.warning, "the connection is given up: \(error)")
        return end("protocol error")
      }
    }
    if state == .serving { updateWatch() }
  }

  private func handle() {
    do throws(Errno) {
      guard let request = try connection?.request() else { return }
      try handle(request)
    } catch {
      let number = connection?.header.commandNumber ?? 0
      log.log(.notice, "a message of the client was refused: \(error)", ["message_number": "\(number)"])
      connection?.reply(.error(error))
    }
  }

  private func handle(_ request: Request) throws(Errno) {
    guard let device else { return }
    switch request {
    case .regionWrite(let write):
      try check(write.access, device)
      if write.access.region == .bar0 {
        // Registers and doorbells, which need not be awaited.
        device.write(write) {}
        connection?.reply(.regionWrite(write.access))
        return
      }
      hold { done in
        device.write(write, then: done)
      } reply: {
        .regionWrite(write.access)
      }
    case .regionRead(let access):
      try check(access, device)
      connection?.reply(.regionRead(access, device.read(access)))
    case .regionWriteMulti(let writes):
      for write in writes { try check(write.access, device) }
      let number = nextHold
      hold { [self] done in
        write(writes[...], to: device, heldAs: number, then: done)
      } reply: {
        .regionWriteMulti(UInt64(writes.count))
      }
    case .dmaMap(let map):
      guard var descriptors = connection?.takeDescriptors() else { return }
      // It waits for no command: only until every thread knows of it. Who is told that it failed may take the guest down.
      let finish = beginHold(isLimited: false) { .done }
      do throws(Errno) {
        try device.map(map, descriptors.take(0), then: finish)
      } catch {
        heldMessage = nil
        throw error
      }
    case .dmaUnmap(let unmap):
      var failure: Errno?
      hold { done in
        do throws(Errno) { try device.unmap(unmap, then: done) } catch {
          failure = error
          done()
        }
      } reply: {
        failure.map { .error($0) } ?? .dmaUnmap(unmap)
      }
    case .deviceGetInfo:
      connection?.reply(
        .deviceInfo(DeviceInfo(flags: [.reset, .pci], regionCount: RegionIndex.count, irqCount: IRQIndex.count)))
    case .deviceGetRegionInfo(let query):
      let info = device.info(of: query.index)
      let descriptors = info.flags.contains(.mmap) ? [device.controller.slots.descriptor] : []
      connection?.reply(.regionInfo(info, room: query.room), descriptors: descriptors)
    case .deviceGetRegionIOFDs(let query):
      replyIOFDs(query, device)
    case .deviceGetIRQInfo(let index):
      connection?.reply(.irqInfo(device.info(of: index)))
    case .deviceSetIRQs(let change):
      guard let descriptors = connection?.takeDescriptors() else { return }
      try setIRQs(change, descriptors, device)
    case .deviceReset:
      hold { done in
        device.reset(then: done)
      } reply: {
        .done
      }
    case .deviceFeature:
      // Migration and dirty tracking are not supported: the answer of kernel VFIO.
      throw .notATerminal
    case .migrationDataRead, .migrationDataWrite:
      throw .notSupported
    }
  }

  private func check(_ access: RegionAccess, _ device: Device) throws(Errno) {
    let size = device.size(of: access.region)
    guard size > 0, access.fits(in: size) else { throw .invalidArgument }
  }

  /// Does writes one after the other, each when the effects of the one before are there.
  ///
  /// Most are there when the call returns. They are not nested in each other's completion: a message holds so many that
  /// the stack would not be deep enough.
  ///
  /// - Parameter number: of the message that they are of. Once it was answered without them, or its client is gone, none
  ///   is done any more: the client may have written something else, and its controller may be at its end.
  private func write(
    _ writes: ArraySlice<RegionWrite>, to device: Device, heldAs number: UInt64, then completion: @escaping () -> Void
  ) {
    var writes = writes
    while let write = writes.popFirst() {
      let rest = writes
      var isDone = false
      var isAwaited = false
      device.write(write) { [self] in
        isDone = true
        guard isAwaited, state == .serving, heldMessage?.number == number else { return }
        self.write(rest, to: device, heldAs: number, then: completion)
      }
      isAwaited = !isDone
      if isAwaited { return }
    }
    completion()
  }

  private func setIRQs(
    _ change: SetIRQs, _ descriptors: consuming ReceivedDescriptors, _ device: Device
  ) throws(Errno) {
    let finish = beginHold(isLimited: false) { .done }
    do throws(Errno) {
      try device.setIRQs(change, descriptors, then: finish)
    } catch {
      heldMessage = nil
      throw error
    }
  }

  private func replyIOFDs(_ query: RegionIOFDsQuery, _ device: Device) {
    guard query.index == .bar0 else {
      connection?.reply(.regionIOFDs(RegionIOFDs(index: query.index), room: query.room))
      return
    }
    let description = device.controller.description
    if description.doorbells == .ioeventfd, description.shadowDoorbells != .required {
      if let reason = device.settleDoorbells(postWrite, process: client ?? 0) {
        log.log(.warning, "doorbells by eBPF are not offered: \(reason)")
      }
    }
    let plan = device.doorbellPlan(budget: connection?.session?.maxReplyDescriptors ?? 0)
    let isTraced = device.doorbellOffer == .traced
    let entries = plan.entries.map { entry in
      // The width matters: for an entry of any width KVM does not pass the tracepoint, as it does not read the value.
      IOFDEntry(
        kind: isTraced || entry.slotOffset == nil ? .ioeventfd : .shadow, offset: entry.offset, length: 4,
        descriptorIndex: UInt32(entry.eventIndex), shadowDescriptorIndex: 0,
        shadowOffset: isTraced ? 0 : entry.slotOffset ?? 0)
    }
    connection?.reply(
      .regionIOFDs(RegionIOFDs(index: query.index, entries: entries), room: query.room),
      descriptors: plan.descriptors.map { device.descriptor($0) })
  }

  /// Who connected the socket; 0 where the kernel does not say.
  private static func process(behind descriptor: Int32) -> pid_t {
    do throws(Errno) { return try UnixSocket.peerCredentials(descriptor).processID } catch { return 0 }
  }

  // MARK: Held messages

  /// Begins the effects of a message, and answers it when they are there.
  private func hold(_ begin: (@escaping () -> Void) -> Void, reply: @escaping () -> Reply) {
    begin(beginHold(reply))
  }

  /// Notes that a message waits for its effects.
  ///
  /// - Parameter isLimited: whether it is answered as busy after a while.
  /// - Returns: to be called when they are there.
  private func beginHold(isLimited: Bool = true, _ reply: @escaping () -> Reply) -> () -> Void {
    let number = nextHold
    nextHold += 1
    let limit = isLimited ? holdLimit : nil
    heldMessage = Hold(number: number, deadline: limit.map { Clock.monotonic + $0 } ?? UInt64.max)
    return { [self] in
      guard heldMessage?.number == number else { return }
      heldMessage = nil
      guard state == .serving else { return }
      connection?.reply(reply())
      updateWatch()
    }
  }

  /// Answers a message that commands in flight have kept waiting for too long. What it asks for is done when they end.
  private func giveUpHold() {
    heldMessage = nil
    guard state == .serving else { return }
    let number = connection?.header.commandNumber ?? 0
    log.log(
      .warning,
      "the storage does not answer: a message of the client that waits for commands in flight is refused as busy",
      ["message_number": "\(number)"])
    device?.finishFunctionReset()
    connection?.reply(.error(.busy))
    updateWatch()
  }
}
