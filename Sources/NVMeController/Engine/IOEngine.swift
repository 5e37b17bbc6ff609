import CLinux
import Doorbells
import GuestMemory
import LinuxIO
import NVMeSpec
import Storage

/// What an I/O thread runs: it waits for doorbells, completions and messages, and moves commands along.
///
/// Order of a round: events, messages, completions, doorbells, interrupts, one submission. A round's commands share calls
/// of `io_submit` (see `AIOContext.defaultSubmitLimit`), and all completions of a queue one interrupt, before the
/// submission, as that takes longest: the host goes on meanwhile. What completes inside the submission is announced
/// after it.
public struct IOEngine: ~Copyable {
  /// The kinds of events, in the upper half of an epoll token; the port in the lower.
  private enum Source: UInt64 {
    case mailbox = 1
    case aio
    case workers
    case submission
    /// A submission queue tail whose value is in guest memory only.
    case valueless
    case heads

    func token(_ port: Int = 0) -> UInt64 { rawValue << 32 | UInt64(UInt32(truncatingIfNeeded: port)) }
  }

  private let epoll: Epoll
  private var events = EpollEvents()
  private let aioEvent: EventFD
  private let handle: IOThreadHandle
  /// The handle's.
  private let counters: ThreadCounters.Writer
  var resources: IOResources
  var ports: FixedTable<ControllerPort>
  /// Places up to the highest ever used: what a round looks at.
  private var portEnd = 0
  /// The place that is served first.
  private var firstPort = 0
  private var attachedPorts = 0
  /// Controllers that go when their requests in flight have ended.
  private var lateDetachments = 0
  private var isStopping = false
  /// Controllers whose doorbells raise no event.
  private var polledPorts = 0
  private var idle: IdlePolicy
  private var eventLook = EventLook()
  /// When the first interrupt that waits for more entries has waited long enough: CLOCK_MONOTONIC in ns; `UInt64.max`
  /// where none waits.
  private(set) var interruptDeadline = UInt64.max
  /// When the first of the commands that wait for rate limits may begin; `UInt64.max` where none waits.
  private var restsUntil = UInt64.max

  /// Sets up what the thread needs.
  ///
  /// - Parameters:
  ///   - handle: how others reach the thread.
  ///   - requestCount: commands in flight at most; the capacity of the aio context.
  ///   - maximumTransfer: bytes, the largest MDTS of any controller.
  ///   - portCount: controllers at most.
  ///   - spinLimit: ns that the thread looks on for work after work, at most.
  ///   - sleepLimit: ns that a polled controller's first command waits, at most.
  ///   - workers: who does what blocks.
  /// - Throws: the reason, in words.
  public init(
    handle: IOThreadHandle, requestCount: Int, maximumTransfer: Int, portCount: Int, spinLimit: UInt64,
    sleepLimit: UInt64, workers: WorkerPool
  ) throws(IOEngineError) {
    let aioEvent: EventFD
    do throws(Errno) { aioEvent = try EventFD() } catch { throw .system(error) }
    let aio: AIOContext
    do throws(AIOSetupError) {
      aio = try AIOContext(capacity: requestCount, eventfd: aioEvent.rawValue)
    } catch { throw .aio(error) }
    do throws(Errno) {
      let resources = try IOResources(
        aio: aio, maximumTransfer: maximumTransfer, portCount: portCount, workers: workers)
      let epoll = try Epoll()
      try epoll.add(handle.mailbox.descriptor, .readable, token: Source.mailbox.token())
      try epoll.add(aioEvent.rawValue, [.readable, .edge], token: Source.aio.token())
      try epoll.add(resources.completions.eventFD, .readable, token: Source.workers.token())
      self.epoll = epoll
      self.resources = resources
    } catch { throw .system(error) }
    self.aioEvent = aioEvent
    self.handle = handle
    unsafe counters = handle.counters.writer
    counters.setCapacity(resources.aio.capacity)
    idle = IdlePolicy(spinLimit: spinLimit, sleepLimit: sleepLimit)
    ports = FixedTable(count: portCount) { _ in ControllerPort() }
  }

  /// Runs until `IOThreadHandle.stop`. On the thread that the engine belongs to.
  public mutating func run() {
    handle.counters.begin()
    defer { handle.counters.end() }
    var pause = IdlePolicy.Pause.none
    while !isStopping {
      takeEvents(pause)
      pause = round()
    }
  }

  /// Takes what has happened, and does one round of work. Never sleeps.
  ///
  /// - Returns: whether anything happened.
  package mutating func turn() -> Bool {
    epoll.wait(timeout: 0, into: &events)
    for index in 0..<events.count { take(events[index].token) }
    let hadEvents = events.count > 0
    if polledPorts > 0 { lookAtDoorbells() }
    return round() == .none || hadEvents
  }

  /// Where workers' finished jobs arrive.
  package var completions: CompletionPort { resources.completions }

  /// ns after which a round makes no further call of `io_submit`, though it has more: where the kernel takes its time, the
  /// thread would hear nobody for as long as the whole batch takes.
  var submissionTime: UInt64 = 1_000_000

  /// Sleeps as long as there is nothing to do, and takes what has happened.
  private mutating func takeEvents(_ pause: IdlePolicy.Pause) {
    switch pause {
    case .none:
      guard eventLook.isDue(now: resources.clock.now) else {
        lookAtDoorbells()
        return
      }
      epoll.wait(timeout: 0, into: &events)
    case .sleep(let time):
      epoll.wait(nanoseconds: time, into: &events)
      counters.countWakeUp()
    case .untilEvent:
      let start = Clock.monotonic
      epoll.wait(timeout: -1, into: &events)
      counters.countWakeUp()
      resources.clock.set(Clock.monotonic)
      idle.slept(resources.clock.now &- start)
    }
    eventLook.looked(now: resources.clock.now)
    for index in 0..<events.count { take(events[index].token) }
    if polledPorts > 0 || pause == .none { lookAtDoorbells() }
  }

  /// Has the doorbells looked at though no event asks for it.
  ///
  /// A slot may be looked at without its event only because its value cannot tear: see `Device.doorbellPlan`.
  private mutating func lookAtDoorbells() {
    for port in 0..<portEnd where ports[port].isAttached {
      ports[port].isKicked = true
      if ports[port].isPolled { ports[port].pollAdminDoorbells() }
    }
  }

  /// One round.
  ///
  /// - Returns: what to do before the next.
  mutating func round() -> IdlePolicy.Pause {
    let before = resources.progress
    if restsUntil != UInt64.max { rouse() }
    if resources.aio.inFlight > 0 { reap() }
    if resources.mayResume { resumeWaiters() }
    serviceAll()
    var backlog = 0
    if resources.aio.pendingCount > 0 {
      for port in 0..<portEnd { ports[port].signalInterrupts() }
      submit()
      backlog = resources.aio.pendingCount
      // What completes inside io_submit (buffered files, errors) is seen before the thread sleeps.
      if resources.aio.inFlight > 0 { reap() }
      if resources.mayResume { resumeWaiters() }
    }
    var hasMore = endRound()
    if resources.aio.pendingCount > backlog || resources.aio.wasCut { hasMore = true }
    resources.clock.expire()
    if resources.progress != before || hasMore {
      if resources.progress != before {
        idle.worked()
        counters.countRound(aioInFlight: resources.aio.inFlight)
      }
      return .none
    }
    // The kernel had no memory for a request: it is tried again soon, as nothing will announce that there is some.
    var pause =
      backlog > 0
      ? .sleep(1_000_000)
      : idle.pause(now: Clock.monotonic, isPolled: polledPorts > 0, isStorageBusy: resources.aio.inFlight > 0)
    if pause != .none, hasUnannouncedCommands() { return .none }
    if interruptDeadline != UInt64.max { pause = pause.limited(to: interruptDeadline, now: Clock.monotonic) }
    return restsUntil == UInt64.max ? pause : pause.limited(to: restsUntil, now: resources.rateClock.now)
  }

  /// Serves the controllers again whose commands have waited long enough for their rate limits.
  private mutating func rouse() {
    let now = resources.rateClock.now
    for port in 0..<portEnd where ports[port].restsUntil <= now { ports[port].isKicked = true }
  }

  /// Has hosts with shadow doorbells announce their next commands, as the thread is about to sleep.
  ///
  /// - Returns: whether there are some already.
  private mutating func hasUnannouncedCommands() -> Bool {
    // A polled thread looks at every queue whenever it wakes, and wakes by itself.
    guard polledPorts == 0 else { return false }
    var hasCommands = false
    for port in 0..<portEnd where ports[port].askForDoorbells() { hasCommands = true }
    return hasCommands
  }

  private mutating func take(_ token: UInt64) {
    let port = Int(token & 0xffff_ffff)
    switch Source(rawValue: token >> 32) {
    case .mailbox: for command in handle.mailbox.takeAll() { perform(command) }
    case .aio: break  // Edge-triggered: the ring is read in every round.
    case .workers: takeWork()
    case .submission:
      announce(port: port)
    case .valueless: announceValueless(port: port)
    case .heads: takeHeads(port)
    case nil: break
    }
  }

  /// A submission queue tail of a controller was stored.
  @inline(__always)
  mutating func announce(port: Int) {
    guard port < ports.count else { return }
    ports[port].isKicked = true
    ports[port].isAnnounced = true
    ports[port].counters.countWakeUp()
    if ports[port].forwards.isEmpty { return }
    forwardKick(port)
  }

  /// A submission queue tail of a controller was rung whose value is in guest memory.
  mutating func announceValueless(port: Int) {
    guard port < ports.count else { return }
    ports[port].takeValuelessDoorbell()
    if !ports[port].forwards.isEmpty { forwardKick(port) }
  }

  /// Tells the threads of queues whose doorbells are announced to this one.
  @inline(never)
  private func forwardKick(_ port: Int) {
    for other in ports[port].forwards where other.kick.post() {
      other.thread.mailbox.post(.kick(port: other.port, other.kick))
    }
  }

  /// Takes completions from the aio ring.
  private mutating func reap() {
    var next = resources.aio.nextCompletion()
    if next != nil { resources.clock.read() }
    while let completion = next {
      resources.progress &+= 1
      if let index = resources.requests.index(cookie: completion.cookie) {
        ports[resources.requests[index].port].complete(index, result: completion.result, &resources)
      }
      // Where nothing is in flight any more, the ring need not be looked at.
      next = resources.aio.inFlight > 0 ? resources.aio.nextCompletion() : nil
    }
  }

  /// Takes what workers have finished.
  private mutating func takeWork() {
    resources.clock.read()
    for result in resources.completions.take() {
      resources.progress &+= 1
      guard let index = resources.requests.index(cookie: result.token) else { continue }
      resources.endWork(index)
      let value = result.error.map { -Int64($0.rawValue) } ?? 0
      ports[resources.requests[index].port].complete(index, result: value, &resources)
    }
  }

  /// Lets requests that waited for a bounce buffer go on.
  private mutating func resumeWaiters() {
    while let index = resources.nextWaiter() {
      ports[resources.requests[index].port].resumeWaiter(index, &resources)
    }
  }

  @inline(__always)
  private mutating func serviceAll() {
    // Another begins each time, as the first may leave no requests for the last.
    var port = firstPort
    var left = portEnd
    while left > 0 {
      left &-= 1
      if ports[port].isKicked || (ports[port].isStarved && resources.requests.next != nil) {
        ports[port].service(&resources)
      }
      port = port &+ 1 < portEnd ? port &+ 1 : 0
    }
    firstPort = firstPort &+ 1 < portEnd ? firstPort &+ 1 : 0
  }

  /// Hands all commands of the round to the kernel.
  @inline(__always)
  private mutating func submit() {
    let pending = resources.aio.pendingCount
    let rejected = resources.aio.submit(until: resources.clock.now &+ submissionTime)
    // What was refused has ended, and freed what others may wait for.
    resources.progress &+= UInt64(truncatingIfNeeded: rejected)
    let submitted = pending &- resources.aio.pendingCount
    counters.countSubmission(submitted)
    clinux_trace_submit(UInt64(truncatingIfNeeded: submitted))
    // The kernel may have taken its time: a buffered file is read before it returns.
    resources.clock.expire()
    if rejected > 0 || resources.aio.wasCut { resources.clock.read() }
    for index in 0..<rejected {
      let rejection = resources.aio.rejection(at: index)
      guard let request = resources.requests.index(cookie: rejection.cookie) else { continue }
      ports[resources.requests[request].port].complete(
        request, result: -Int64(rejection.error.rawValue), &resources)
    }
  }

  /// Interrupts, watching of head doorbells.
  ///
  /// - Returns: whether a port has to be served again at once.
  @inline(__always)
  private mutating func endRound() -> Bool {
    var hasMore = false
    restsUntil = UInt64.max
    interruptDeadline = UInt64.max
    for port in 0..<portEnd where ports[port].isAttached {
      restsUntil = min(restsUntil, ports[port].restsUntil)
      ports[port].signalInterrupts()
      if ports[port].vectors.hasStalled { ports[port].reportStall() }
      if ports[port].vectors.deadline != UInt64.max {
        ports[port].releaseInterrupts(until: Clock.monotonic)
        interruptDeadline = min(interruptDeadline, ports[port].vectors.deadline)
      }
      ports[port].counters.setInFlight(ports[port].inFlight)
      if ports[port].isBlocked != ports[port].watchesHeads { watchHeads(port) }
      if ports[port].isKicked { hasMore = true }
    }
    if lateDetachments > 0 { finishDetachments() }
    return hasMore
  }

  /// Lets go of controllers that had requests in flight, as far as they have ended.
  @inline(never)
  private mutating func finishDetachments() {
    for port in 0..<portEnd where ports[port].inFlight == 0 {
      guard let token = ports[port].detachment else { continue }
      lateDetachments -= 1
      detach(port, token)
    }
  }

  /// Watches the completion queue head doorbells of a port while one of its queues is full.
  private mutating func watchHeads(_ port: Int) {
    guard let description = ports[port].description else { return }
    let event = description.events.completion.rawValue
    if ports[port].isBlocked {
      description.interest.set(true)
      do throws(Errno) {
        try epoll.add(event, .readable, token: Source.heads.token(port))
        ports[port].watchesHeads = true
      } catch {
        // The queue is looked at in every round until it can be watched or has room.
        description.interest.set(false)
      }
      // A head that was stored before somebody cared for it.
      ports[port].isKicked = true
    } else {
      ports[port].watchesHeads = false
      description.interest.set(false)
      epoll.remove(event)
    }
  }

  private mutating func takeHeads(_ port: Int) {
    guard port < ports.count, let description = ports[port].description else { return }
    ports[port].counters.countWakeUp()
    ports[port].counters.countHeadSignals(description.events.completion.drain())
    ports[port].isKicked = true
  }

  // MARK: Messages

  mutating func perform(_ command: IOCommand) {
    resources.clock.read()
    switch command {
    case .attach(let port, let description): attach(port, description)
    case .detach(let port, let token): detach(port, token)
    case .createCompletionQueue(let port, let queue): ports[port].create(queue)
    case .createSubmissionQueue(let port, let queue): ports[port].create(queue)
    case .forward(let port, let thread, let place): ports[port].forward(to: thread, place)
    case .kick(let port, let kick):
      kick.take()
      ports[port].isKicked = true
    case .deleteSubmissionQueue(let port, let queue, let token):
      ports[port].deleteSubmissionQueue(queue, token: token, &resources)
    case .deleteCompletionQueue(let port, let queue, let token):
      ports[port].deleteCompletionQueue(queue, token: token)
    case .quiesce(let port, let token):
      ports[port].quiescences.append(token)
      ports[port].quiesce(&resources)
      ports[port].acknowledgeWhatIsDone()
    case .pause(let port, let token): ports[port].pause(token, &resources)
    case .resume(let port):
      ports[port].isPaused = false
      ports[port].isKicked = true
      ports[port].unpark(&resources)
    case .map(let port, let region, let token):
      ports[port].map(region, &resources)
      ports[port].acknowledge(token)
    case .unmap(let port, let iova, let size, let token):
      ports[port].unmap(iova: iova, size: size, token: token, &resources)
    case .setVector(let port, let vector, let descriptor, let token):
      ports[port].setVector(vector, descriptor: descriptor)
      ports[port].acknowledge(token)
    case .setNamespace(let port, let index, let namespace, let token):
      ports[port].setNamespace(index, namespace)
      ports[port].acknowledge(token)
    case .removeNamespace(let port, let index, let token):
      ports[port].removeNamespace(index, token: token, &resources)
    case .setLimited(let port, let isLimited):
      ports[port].isLimited = isLimited
      // Commands that wait may begin earlier, or at once.
      ports[port].isKicked = true
    case .inspect(let port, let token): ports[port].inspect(token: token)
    case .setWriteCache(let port, let enabled, let token):
      ports[port].setWriteCache(enabled, token: token, &resources)
    case .setCoalescing(let port, let coalescing, let token):
      ports[port].releaseInterrupts()
      ports[port].vectors.setCoalescing(coalescing)
      ports[port].acknowledge(token)
    case .setDoorbellBuffers(let port, let buffers, let token):
      ports[port].setDoorbellBuffers(buffers)
      ports[port].acknowledge(token)
    case .abort(let port, let queue, let identifier, let token):
      let isAborted = ports[port].abort(queue, identifier, &resources)
      ports[port].description?.mailbox.post(.aborted(token: token, isAborted))
    case .ping(let answer): answer()
    case .stop: isStopping = true
    }
  }

  private mutating func attach(_ port: Int, _ description: PortDescription) {
    ports[port] = ControllerPort(port, description)
    portEnd = max(portEnd, port + 1)
    attachedPorts += 1
    if description.isPolled { polledPorts += 1 }
    resources.share(among: attachedPorts)
    // Edge-triggered and never read: each store of a doorbell is announced by an edge of its own, which saves a system
    // call for each wake-up. The slot is read after the event was taken from epoll.
    do throws(Errno) {
      try epoll.add(
        description.events.submission.rawValue, [.readable, .edge], token: Source.submission.token(port))
      if let valueless = description.events.valueless {
        try epoll.add(valueless, [.readable, .edge], token: Source.valueless.token(port))
      }
    } catch {
      description.mailbox.post(.failed(error))
    }
  }

  private mutating func detach(_ port: Int, _ token: UInt64) {
    guard let description = ports[port].description else { return }
    // The controller has quiesced, so nothing of it is in flight. What is nevertheless must not end in the place of
    // another controller.
    guard ports[port].inFlight == 0 else {
      ports[port].quiesce(&resources)
      ports[port].detachment = token
      lateDetachments += 1
      return
    }
    epoll.remove(description.events.submission.rawValue)
    if let valueless = description.events.valueless { epoll.remove(valueless) }
    if ports[port].watchesHeads { epoll.remove(description.events.completion.rawValue) }
    ports[port].counters.setInFlight(0)
    ports[port] = ControllerPort()
    attachedPorts -= 1
    if description.isPolled { polledPorts -= 1 }
    resources.share(among: attachedPorts)
    description.mailbox.post(.acknowledged(token: token))
  }
}
