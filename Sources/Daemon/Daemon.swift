import CLinux
import Control
import LinuxIO
import Logging
import Metrics

/// The daemon: from the configuration to the last signal.
public enum Daemon {
  /// What wakes the main thread.
  private enum Source: UInt64 {
    case signals = 1
    case ended
    case stop
  }

  /// Reads the configuration again, with what the command line says on top of it.
  public typealias Rereading = @Sendable () throws(ConfigurationErrors) -> DaemonConfiguration

  /// Serves until SIGTERM or SIGINT, or until every client that was handed over has gone. SIGHUP reads the configuration
  /// again.
  ///
  /// Call it on the main thread, before any other thread is started.
  ///
  /// - Parameters:
  ///   - configuration: what is served, and how.
  ///   - file: the configuration file, which may be read again.
  ///   - reread: reads it again; nil where there is none.
  /// - Throws: the reason why it cannot start; then nothing was started.
  public static func run(
    _ configuration: DaemonConfiguration, file: String? = nil, reread: Rereading? = nil
  ) throws(DaemonError) {
    // Each arena keeps what it once had: with one for each thread, the process would hold for ever what each of its
    // threads has needed at its worst moment. Who has to be fast does not allocate.
    clinux_limit_arenas(2)
    // Descriptors that were handed over have their numbers; nothing else may be opened before they have owners.
    var handedOver = FixedTable<HandedOver>(count: configuration.controllers.count) { _ in HandedOver() }
    for (index, controller) in configuration.controllers.enumerated() {
      handedOver[index] = try HandedOver.inherited(by: controller)
    }
    let controlSocket = try ControlService.listen(configuration)
    var metricsListener: MetricsListener?
    do throws(MetricsServerError) {
      if let address = configuration.metricsAddress { metricsListener = try MetricsListener(address) }
    } catch { throw DaemonError(error.description) }
    let manager = try ServiceManager.find()
    OpenFileLimit.raise()
    let signals = try need { () throws(Errno) in try Signals() }
    let stops = try need { () throws(Errno) in try Mailbox<Void>() }
    let epoll = try need { () throws(Errno) in
      let epoll = try Epoll()
      try epoll.add(signals.rawValue, .readable, token: Source.signals.rawValue)
      try epoll.add(stops.descriptor, .readable, token: Source.stop.rawValue)
      return epoll
    }
    let supervisor = try Supervisor.start(
      configuration,
      confine: { ways, logger throws(DaemonError) in
        try Confinement.enter(configuration, file: file, ways: ways, logger: logger)
      }, handedOver: handedOver)
    let metrics: MetricsServer?
    let control: ControlServer?
    let heartbeat: Heartbeat?
    do {
      heartbeat = manager.isPresent ? try Heartbeat.start(manager) { supervisor.probe() } : nil
      try epoll.add(supervisor.endedDescriptor, .readable, token: Source.ended.rawValue)
      control = try ControlService.start(controlSocket, configuration, supervisor, reread: reread) { stops.post(()) }
      if let listener = metricsListener.take() {
        metrics = try MetricsServer.start(listener) { MetricsSnapshot(supervisor.status()) }
      } else {
        metrics = nil
      }
    } catch {
      supervisor.stop()
      throw DaemonError("the daemon cannot start: \(error)")
    }
    let logger = supervisor.logger
    if let address = configuration.metricsAddress { logger.info("metrics on \(address.text)") }
    manager.ready(status(supervisor))
    var events = EpollEvents()
    wait: while true {
      epoll.wait(timeout: -1, into: &events)
      for index in 0..<events.count {
        switch Source(rawValue: events[index].token) {
        case .signals:
          switch signals.take() {
          case .end(let number)?:
            logger.info("signal \(number): completing what is in flight")
            break wait
          case .reload?:
            manager.reloading()
            reload(supervisor, reread, logger)
            manager.ready(status(supervisor))
          case nil: break
          }
        case .ended:
          // With a control socket the next controller may come.
          if supervisor.collectEnded(), control == nil { break wait }
        case .stop:
          logger.info("a control client ends the daemon: completing what is in flight")
          break wait
        case nil: break
        }
      }
    }
    // First of all: a control client's request may take half a minute to end.
    manager.stopping("completing what is in flight")
    heartbeat?.stopping()
    metrics?.stop()
    control?.stop()
    supervisor.stop()
    heartbeat?.end()
    logger.info("ended")
  }

  /// What the service manager shows of the daemon.
  private static func status(_ supervisor: Supervisor) -> String {
    let count = supervisor.configuration.controllers.count
    return "serving \(count) \(count == 1 ? "controller" : "controllers")"
  }

  /// Reads the configuration again, and logs what came of it.
  private static func reload(_ supervisor: Supervisor, _ reread: Rereading?, _ logger: Logger) {
    guard let reread else {
      return logger.notice("signal SIGHUP: there is no configuration file to read again (--config)")
    }
    do throws(ConfigurationErrors) {
      let configuration = try reread()
      do throws(ReloadRefusal) {
        let report = try supervisor.reload(configuration)
        for line in report.lines { logger.notice("reload: \(line)") }
        logger.notice("reloaded\(report.isEmpty ? ", and nothing has changed" : "")")
      } catch {
        for reason in error.reasons { logger.error("reload: \(reason)") }
        logger.error("reload refused: nothing has changed")
      }
    } catch {
      for error in error.errors { logger.error("reload: \(error)") }
      logger.error("reload refused: nothing has changed")
    }
  }

  /// What the daemon cannot be without.
  private static func need<Value: ~Copyable>(_ make: () throws(Errno) -> Value) throws(DaemonError) -> Value {
    do throws(Errno) { return try make() } catch { throw DaemonError("the daemon cannot start: \(error)") }
  }
}
