import LinuxIO
import Logging
import Synchronization

/// Serves one controller to one client at a time, on a control thread of its own.
public final class DeviceServer: Sendable {
  private let stopSignal: EventFD
  private let thread: Thread

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
    let signal = try EventFD()
    let stop = try signal.duplicate()
    let start = ControlStart.Box(ControlStart(endpoint: endpoint, stop: stop))
    thread = try Thread(name: "nvmed-\(options.name)") {
      defer { ended() }
      guard let content = start.take() else { return }
      do throws(Errno) {
        try ControlLoop(options, pool: pool, start: content, logger: logger).run()
      } catch {
        logger.error("the controller cannot be served: \(error)")
      }
    }
    stopSignal = signal
  }

  /// Ends it: what is in flight is awaited and made durable. Returns when the thread has ended.
  public func stop() {
    stopSignal.signal()
    thread.join()
  }
}

/// What a control thread takes with it when it starts.
struct ControlStart: ~Copyable, Sendable {
  let endpoint: DeviceEndpoint
  let stop: EventFD

  /// Hands it to the thread.
  final class Box: Sendable {
    private let content: Mutex<ControlStart?>

    init(_ content: consuming ControlStart) { self.content = Mutex(content) }

    func take() -> ControlStart? { content.withLock { $0.take() } }
  }
}
