import DeviceServer
import Glibc
import LinuxIO
import Logging
import NVMeController
import Storage

/// Owns the I/O threads and the servers of all controllers, and changes them while guests run.
///
/// Any thread may call any method but the I/O threads and the control threads of controllers. Changes are made one after
/// the other; `status` waits for none of them. No call disturbs a guest that it is not about.
public final class Supervisor: Sendable {
  /// Controllers at most.
  public static let controllerLimit = 256
  /// The largest `max_data_transfer`: I/O threads have buffers for it, whatever controllers come.
  static let maximumDataTransfer = 2 << 20
  /// ms that threads have to tell what they are doing.
  static let statusPatience: Int32 = 500
  /// ms that a change waits for the commands in flight, and for flushes.
  static let changePatience: Int32 = 30_000

  struct State {
    /// What is configured for the process; its controllers are those below.
    var daemon: DaemonConfiguration
    /// In the order in which they were added.
    var controllers: [ServedController] = []
    var nextNumber: UInt64 = 0
  }

  let pool: IOThreadPool
  let ways: PostWriteWays
  let logger: Logger
  let threshold: LogThreshold
  let state: Locked<State>
  /// Held while something changes.
  private let turn = Locked(())
  private let endings: Mailbox<UInt64>
  private let startedAt = Clock.monotonic

  private init(
    _ configuration: DaemonConfiguration, _ pool: IOThreadPool, _ ways: PostWriteWays, _ threshold: LogThreshold,
    _ logger: Logger
  ) throws(Errno) {
    self.pool = pool
    self.ways = ways
    self.threshold = threshold
    self.logger = logger
    var daemon = configuration
    daemon.controllers = []
    state = Locked(State(daemon: daemon))
    endings = try Mailbox()
  }

  /// Opens everything, then starts the threads.
  ///
  /// - Parameters:
  ///   - confine: called when everything is open and no thread is started: what the process gives up for good.
  ///   - handedOver: what was handed over, at the place of its controller; empty: nothing.
  /// - Throws: the reason why it cannot start; then nothing was started.
  static func start(
    _ configuration: DaemonConfiguration, confine: (PostWriteWays, Logger) throws(DaemonError) -> Void = { _, _ in },
    handedOver: consuming FixedTable<HandedOver> = FixedTable(count: 0) { _ in HandedOver() }
  ) throws(DaemonError) -> Supervisor {
    let threshold = LogThreshold(configuration.logLevel, LogOutput(configuration.logFormat))
    let logger = makeLogger("nvmed", threshold)
    // A thread that may not run where it is told to would run anywhere.
    let refused = ProcessorsCheck.refused(configuration.ioCPUs)
    if !refused.isEmpty {
      throw DaemonError(
        "daemon.io_cpus: no thread can be placed on CPU \(ProcessorsCheck.list(refused)); write CPUs that this host has "
          + "and that nvmed may use (AllowedCPUs= of systemd, cpuset of a container)")
    }
    // Everything that can fail for want of a file or socket comes before any thread.
    let ways = PostWriteWays(clients: controllerLimit, logger: logger)
    var opened = FixedTable<OpenedController?>(count: configuration.controllers.count) { _ in nil }
    for (index, controller) in configuration.controllers.enumerated() {
      var handed = HandedOver()
      if handedOver.has(index) { swap(&handed, &handedOver[index]) }
      opened[index] = try OpenedController.open(
        controller, handedOver: &handed, ways: ways, logger: makeLogger(controller.name, threshold))
    }
    try confine(ways, logger)
    var options = IOThreadPool.Options()
    options.threads = configuration.ioThreads
    options.cpus = configuration.ioCPUs
    options.workers = configuration.workerThreads
    options.spinLimit = UInt64(configuration.spinMicroseconds) * 1000
    options.sleepLimit = UInt64(configuration.pollSleepMicroseconds) * 1000
    options.controllers = controllerLimit
    options.maximumTransfer = maximumDataTransfer
    let pool: IOThreadPool
    do throws(IOEngineError) { pool = try IOThreadPool.start(options) } catch { throw DaemonError(error.description) }
    let supervisor: Supervisor
    do throws(Errno) { supervisor = try Supervisor(configuration, pool, ways, threshold, logger) } catch {
      pool.stop()
      throw DaemonError("the daemon cannot start: \(error)")
    }
    for index in 0..<opened.count {
      guard let controller = opened[index].take() else { continue }
      do throws(DaemonError) { try supervisor.serve(controller) } catch {
        supervisor.stop()
        throw error
      }
    }
    return supervisor
  }

  static func makeLogger(_ label: String, _ threshold: LogThreshold) -> Logger {
    Logger(label: label) { DaemonLog(label: $0, threshold: threshold) }
  }

  /// Makes a change when the one before is made.
  func change<Result: Sendable>(_ body: () throws(DaemonError) -> Result) throws(DaemonError) -> Result {
    try turn.withLock { _ throws(DaemonError) in try body() }
  }

  /// Ends all controllers, each as `removeController` does, and the threads. Nothing is called after it.
  public func stop() {
    let controllers = state.withLock { state in
      defer { state.controllers = [] }
      return state.controllers
    }
    // All of them at the same time.
    for controller in controllers { controller.server.beginStop() }
    for controller in controllers { controller.server.stop() }
    pool.stop()
  }

  // MARK: Controllers that end

  /// Readable when a controller may have ended by itself: `collectEnded` is due.
  public var endedDescriptor: Int32 { endings.descriptor }

  /// Lets go of controllers that have ended by themselves: their only client has gone, or they could not be served.
  ///
  /// - Returns: whether there were any, and no controller is left. The last one that was removed does not count.
  public func collectEnded() -> Bool {
    var collected = false
    for number in endings.takeAll() {
      guard let controller = take(number) else { continue }
      controller.server.stop()
      _ = controller.letGo()
      if !controller.state.withLock({ $0.isLeaving }) { collected = true }
    }
    return collected && state.withLock { $0.controllers.isEmpty }
  }

  /// Takes a controller out of the table; nil where somebody else has.
  func take(_ number: UInt64) -> ServedController? {
    state.withLock { state in
      guard let index = state.controllers.firstIndex(where: { $0.number == number }) else { return nil }
      return state.controllers.remove(at: index)
    }
  }

  /// Starts the server of a controller.
  func serve(_ opened: consuming OpenedController) throws(DaemonError) {
    let number = state.withLock { state in
      defer { state.nextNumber += 1 }
      return state.nextNumber
    }
    let configuration = opened.configuration
    let namespaces = opened.namespaces
    let options = opened.options
    let logger = opened.logger
    do throws(Errno) {
      let ended = try EventFD()
      let signal = EndSignal(try ended.duplicate())
      let server = try DeviceServer(options, pool: pool, endpoint: opened.endpoint, logger: logger) { [endings] in
        signal.give()
        endings.post(number)
      }
      let served = ServedController(
        number: number, configuration, namespaces, server: server, ended: ended, logger: logger)
      state.withLock { $0.controllers.append(served) }
      // Who collects those that end may have looked for it too early.
      if served.ended.wait(timeout: 0) { endings.post(number) }
    } catch {
      throw DaemonError("controller '\(configuration.name)' cannot be served: \(error)")
    }
    logger.info("serving '\(configuration.name)'\(configuration.socketPath.map { " on \($0)" } ?? "")")
  }

  /// What a control thread signals when it ends.
  private final class EndSignal: Sendable {
    private let event: EventFD
    init(_ event: consuming EventFD) { self.event = event }
    func give() { event.signal() }
  }

  // MARK: Who is meant

  /// The controller of a name.
  func controller(_ name: String) throws(DaemonError) -> ServedController {
    let controllers = state.withLock { $0.controllers }
    guard let controller = controllers.first(where: { $0.name == name }) else {
      let names = controllers.map(\.name)
      throw DaemonError(
        "no controller is called \(quoted(name)); "
          + (names.isEmpty
            ? "there is none" : "there \(names.count == 1 ? "is" : "are") \(names.joined(separator: ", "))"))
    }
    return controller
  }

  /// What is served now, in words of a configuration.
  public var configuration: DaemonConfiguration {
    let (daemon, controllers) = state.withLock { ($0.daemon, $0.controllers) }
    var configuration = daemon
    configuration.logLevel = threshold.level
    configuration.controllers = controllers.map(\.configuration)
    return configuration
  }

  // MARK: Log

  /// Changes the least important lines that are logged.
  public func setLogLevel(_ level: LogLevel) {
    guard threshold.level != level else { return }
    threshold.level = level
    logger.notice("the log level is '\(level.rawValue)' now")
  }

  /// ns since it began.
  var uptime: UInt64 { Clock.monotonic &- startedAt }
}
