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
  enum Source: UInt64 {
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
  enum Listening {
    /// Clients.
    case clients
    /// Nothing until the end of the last client is over: the next one waits in the backlog, and is not refused.
    case nothing
    /// Nothing for a while: a client could not be accepted, and still waits.
    case retry
  }

  /// A message that waits for its effects.
  struct Hold {
    let number: UInt64
    /// When it is answered without them, of `Clock.monotonic`; `UInt64.max`: never.
    let deadline: UInt64
  }

  /// How long a message waits for its effects, in ns: commands in flight may be with a disk that does not answer. QEMU
  /// gives up a device that has not answered for 5 s.
  static let defaultHoldLimit: UInt64 = 3_000_000_000
  /// Messages received before other events have their turn.
  static let burst = 64
  /// How long the socket is left alone after a client could not be accepted, in ms.
  static let retryInterval: UInt64 = 100

  /// What is served; namespaces and limits as they are now.
  var options: DeviceOptions
  /// What other threads ask.
  let requests: Mailbox<ControlRequest>
  let pool: IOThreadPool
  /// How long a message waits for its effects, in ns; nil: as long as it takes.
  let holdLimit: UInt64?
  let epoll: Epoll
  var events = EpollEvents()
  var listener: UnixListener?
  var listening = Listening.clients
  /// When clients are waited for again, where that is a while off: CLOCK_MONOTONIC in ns.
  var retryTime: UInt64 = 0
  /// Whether the client has held up a thread, and is sent away for it.
  var isDismissed = false
  var connection: ServerConnection?
  var device: Device?
  var state = State.idle
  /// The process behind the connection; nil where the kernel does not say.
  var client: pid_t?
  /// What is to be done at the end of the client, unless it is done before.
  var endActions: [UInt64: () -> Void] = [:]
  var nextAction: UInt64 = 0
  /// The message that waits for its effects before it is answered.
  var heldMessage: Hold?
  var nextHold: UInt64 = 0
  /// What the connection is watched for.
  var watched: Epoll.Events?
  var isStopping = false
  /// It has ended: no client, and none to come.
  var isOver = false
  /// How doorbell values arrive: what is configured, or less after it failed.
  var postWrite: PostWrite
  var log: RateLimitedLog
  let counters: DeviceCounters

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

  func take(_ event: Epoll.Event) {
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
}
