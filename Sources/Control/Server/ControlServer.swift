import LinuxIO
import Logging

/// Answers JSON-RPC 2.0 requests on a unix socket: one line each, one thread that sleeps until there is something to do.
///
/// A request that may take long runs on a thread of its own, so that it delays its client only. Whatever one client
/// does, the others are served: each has bounds for what it sends and for what it does not read.
public final class ControlServer: Sendable {
  /// Bounds of a server.
  public struct Limits: Sendable {
    /// Clients at a time.
    public var clients = 32
    /// Requests on threads of their own at a time, those of clients that are gone included.
    public var longCalls = 32
    /// Bytes of a line that a client sends.
    public var lineBytes = LineReceiver.lineLimit
    /// Bytes of replies that a client has not taken, besides one.
    public var replyBytes = OutgoingBytes.limit

    /// The defaults.
    public init() {}
  }

  private let stopSignal: EventFD
  private let thread: Thread

  private init(_ stopSignal: consuming EventFD, _ thread: Thread) {
    self.stopSignal = stopSignal
    self.thread = thread
  }

  /// Starts serving.
  ///
  /// - Parameters:
  ///   - listener: where clients come from.
  ///   - methods: what they can call.
  ///   - policy: who they may be.
  ///   - limits: how much of each thing they may have.
  ///   - logger: takes what there is to say.
  /// - Throws: `EMFILE` at the limit of open files, `EAGAIN` where no thread can be had.
  public static func start(
    _ listener: consuming UnixListener, methods: MethodTable, policy: PeerPolicy, limits: Limits = Limits(),
    logger: Logger
  ) throws(Errno) -> ControlServer {
    let signal = try EventFD()
    let resources = ControlServerResources.Box(try ControlServerResources(listener, stop: try signal.duplicate()))
    let thread = try Thread(name: "nvmed-control") {
      guard let resources = resources.take() else { return }
      ControlServerLoop(resources, methods: methods, policy: policy, limits: limits, logger: logger).run()
    }
    return ControlServer(signal, thread)
  }

  /// Ends it: requests under way are done, their replies sent as far as clients take them at once. Returns when the
  /// thread has ended.
  public func stop() {
    stopSignal.signal()
    thread.join()
  }
}

/// What a server's thread works with.
struct ControlServerResources: ~Copyable, Sendable {
  let listener: UnixListener
  let stop: EventFD
  let epoll: Epoll
  let finished: Mailbox<FinishedCall>

  init(_ listener: consuming UnixListener, stop: consuming EventFD) throws(Errno) {
    let epoll = try Epoll()
    let finished = try Mailbox<FinishedCall>()
    // Told once for each connection: one that cannot be accepted for want of descriptors does not wake the thread again.
    try epoll.add(
      listener.descriptor.rawValue, [.readable, .edge], token: ControlServerLoop.Source.listener.rawValue)
    try epoll.add(stop.rawValue, .readable, token: ControlServerLoop.Source.stop.rawValue)
    try epoll.add(finished.descriptor, .readable, token: ControlServerLoop.Source.finished.rawValue)
    self.listener = listener
    self.stop = stop
    self.epoll = epoll
    self.finished = finished
  }

  /// Hands it to the thread.
  final class Box: Sendable {
    private let content: Locked<ControlServerResources?>

    init(_ content: consuming ControlServerResources) { self.content = Locked(content) }

    func take() -> ControlServerResources? { content.withLock { $0.take() } }
  }
}

/// What a request that ran on a thread of its own leaves.
struct FinishedCall: Sendable {
  /// Whose it was.
  let client: UInt64
  /// Which of the calls.
  let number: UInt64
  /// The line to send, if any.
  let reply: [UInt8]?
}
