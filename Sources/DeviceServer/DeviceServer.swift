import GuestMemory
import LinuxIO
import Logging
import NVMeController

/// Serves one controller to one client at a time, on a control thread of its own.
///
/// What is asked of it is done by that thread, so that it disturbs no client. Any thread may ask but the I/O threads.
public final class DeviceServer: Sendable {
  private let requests: Mailbox<ControlRequest>
  private let thread: Thread
  private let counters: DeviceCounters

  /// Starts serving.
  ///
  /// - Parameters:
  ///   - options: the controller.
  ///   - pool: the I/O threads.
  ///   - endpoint: where clients come from.
  ///   - logger: takes what there is to say.
  ///   - ended: called on the control thread when it ends: after `stop`, or when the only client is gone.
  /// - Throws: `EMFILE` at the limit of open files, `EAGAIN` where no thread can be had.
  public init(
    _ options: DeviceOptions, pool: IOThreadPool, endpoint: consuming DeviceEndpoint, logger: Logger,
    ended: @escaping @Sendable () -> Void
  ) throws(Errno) {
    let requests = try Mailbox<ControlRequest>()
    let counters = DeviceCounters()
    let start = ControlStart.Box(ControlStart(options: options, endpoint: endpoint, requests: requests))
    thread = try Thread(name: "nvmed-\(options.name)") {
      defer {
        for request in requests.close() { request.answerAtEnd() }
        ended()
      }
      guard let content = start.take() else { return }
      do throws(Errno) {
        try ControlLoop(pool: pool, start: content, logger: logger, counters: counters).run()
      } catch {
        logger.error("the controller cannot be served: \(error)")
      }
    }
    self.requests = requests
    self.counters = counters
  }

  /// Ends it: what is in flight is awaited and made durable. Returns when the thread has ended. Once.
  public func stop() {
    beginStop()
    thread.join()
  }

  /// Has it begin to end, without waiting. `stop` follows.
  public func beginStop() { post(.stop) }

  /// Whether all that its clients were told is durable was made so when it was stopped; true until then.
  public var isDurable: Bool { counters.isDurable }

  /// ns of CPU time that its control thread has used; 0 once it is being stopped.
  public var cpuTime: UInt64 { thread.cpuTime }

  /// Has the control thread call `answer`, when it next looks at its messages: it is alive then.
  public func ping(_ answer: @escaping @Sendable () -> Void) { post(.ping(answer)) }

  /// What it has done, for all clients so far. Nobody is waited for.
  public var statistics: DeviceStatistics { counters.statistics }

  // MARK: Questions and changes

  /// What it is doing.
  ///
  /// - Parameter milliseconds: how long to wait for its threads to tell.
  /// - Returns: nil where they did not.
  /// - Throws: `EMFILE` at the limit of open files.
  public func status(milliseconds: Int32) throws(Errno) -> DeviceStatus? {
    try beginStatus().wait(milliseconds: milliseconds)
  }

  /// A status that was asked for.
  public struct PendingStatus: Sendable {
    fileprivate let answer: Answer<DeviceStatus>

    /// Waits for it so many ms; nil where it did not come.
    public func wait(milliseconds: Int32) -> DeviceStatus? { answer.wait(milliseconds: milliseconds) }
  }

  /// Asks what it is doing, without waiting.
  ///
  /// - Throws: `EMFILE` at the limit of open files.
  public func beginStatus() throws(Errno) -> PendingStatus {
    let answer = try Answer<DeviceStatus>()
    post(.status(answer))
    return PendingStatus(answer: answer)
  }

  /// Puts a namespace at an identifier, gives the one there another size, or (nil) takes it away; the guest is told, if it
  /// wants to be. See `Controller.setNamespace`.
  ///
  /// - Returns: whether it is done, so that nothing uses a namespace that was taken away; false where the identifier is
  ///   beyond the last, or another namespace still leaves that place; nil where it was not done in so many ms, and will be
  ///   when what is in flight ends.
  /// - Throws: `EMFILE` at the limit of open files.
  public func setNamespace(
    _ identifier: UInt32, _ namespace: Namespace?, milliseconds: Int32
  ) throws(Errno) -> Bool? {
    try ask(milliseconds) { .setNamespace(identifier, namespace, $0) }
  }

  /// Changes what the I/O queues may do at most, from the next command on.
  ///
  /// - Returns: nil where it was not done in so many ms, and will be later.
  /// - Throws: `EMFILE` at the limit of open files.
  public func setLimits(_ limits: RateLimits, milliseconds: Int32) throws(Errno) -> Bool? {
    try ask(milliseconds) { .setLimits(limits, $0) }
  }

  /// Lets the guest's commands rest for a moment, at which nothing is in flight and everything is durable.
  ///
  /// - Returns: whether all flushes worked; nil where the moment did not come in so many ms.
  /// - Throws: `EMFILE` at the limit of open files.
  public func drain(milliseconds: Int32) throws(Errno) -> Bool? { try ask(milliseconds) { .drain($0) } }

  /// The last commands of the client that failed, the newest first; nil where there was no answer in so many ms.
  ///
  /// - Throws: `EMFILE` at the limit of open files.
  public func errorLog(milliseconds: Int32) throws(Errno) -> [ErrorLog.Entry]? {
    try ask(milliseconds) { .errorLog($0) }
  }

  /// The guest memory that the client has mapped, in ascending order; nil where there was no answer in so many ms.
  ///
  /// - Throws: `EMFILE` at the limit of open files.
  public func dmaMap(milliseconds: Int32) throws(Errno) -> [MemoryRegion]? {
    try ask(milliseconds) { .dmaMap($0) }
  }

  private func ask<Value: Sendable>(
    _ milliseconds: Int32, _ request: (Answer<Value>) -> ControlRequest
  ) throws(Errno) -> Value? {
    let answer = try Answer<Value>()
    post(request(answer))
    return answer.wait(milliseconds: milliseconds)
  }

  /// Asks its thread, or answers for it where it has ended.
  private func post(_ request: ControlRequest) { if !requests.post(request) { request.answerAtEnd() } }
}

/// What a control thread takes with it when it starts.
///
/// Nobody else keeps it: namespaces that go are to be closed.
struct ControlStart: ~Copyable, Sendable {
  let options: DeviceOptions
  let endpoint: DeviceEndpoint
  let requests: Mailbox<ControlRequest>

  /// Hands it to the thread.
  final class Box: Sendable {
    private let content: Locked<ControlStart?>

    init(_ content: consuming ControlStart) { self.content = Locked(content) }

    func take() -> ControlStart? { content.withLock { $0.take() } }
  }
}
