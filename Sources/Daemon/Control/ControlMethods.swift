import Control
import LinuxIO
import NVMeController

/// What clients of the control socket can ask of the daemon.
///
/// Methods that ask a controller's thread, or change something, may wait for it, and so have threads of their own.
public struct ControlMethods: Sendable {
  let supervisor: Supervisor
  private let reread: Daemon.Rereading?
  private let stop: @Sendable () -> Void

  /// The methods of a daemon.
  ///
  /// - Parameters:
  ///   - reread: reads the configuration file again; nil where there is none.
  ///   - stop: asks the main thread to end the daemon, and returns at once.
  public init(_ supervisor: Supervisor, reread: Daemon.Rereading?, stop: @escaping @Sendable () -> Void) {
    self.supervisor = supervisor
    self.reread = reread
    self.stop = stop
  }

  /// All of them.
  public var table: MethodTable { MethodTable(daemonMethods + controllerMethods + namespaceMethods) }

  // MARK: The daemon

  private var daemonMethods: [ControlMethod] {
    [
      ControlMethod("daemon.status", "Tells what the daemon and its controllers are doing.", takesLong: true) {
        [supervisor] (_: NoParameters, _) throws(RPCError) in supervisor.status()
      },
      ControlMethod("daemon.stop", "Ends the daemon, as SIGTERM does: what is in flight is completed.") {
        [stop] (_: NoParameters, _) throws(RPCError) in
        stop()
        return NoResult()
      },
      ControlMethod("config.show", "Gives what is served now as a configuration file.") {
        [supervisor] (_: NoParameters, _) throws(RPCError) in
        ConfigurationResult(toml: ConfigurationSchema.text(of: supervisor.configuration))
      },
      ControlMethod(
        "config.reload", "Reads the configuration file again and applies it as a whole, or not at all.", takesLong: true
      ) { [self] (_: NoParameters, _) throws(RPCError) in try reload() },
      ControlMethod("log.set_level", "Changes the least important messages that are logged.") {
        [supervisor] (parameters: NewLogLevel, _) throws(RPCError) in
        guard let level = LogLevel(rawValue: parameters.level) else {
          throw RPCError(
            .invalidParameters,
            "parameter 'level': \(quoted(parameters.level)) is no level; write \(NewLogLevel.descriptions[0].type)")
        }
        supervisor.setLogLevel(level)
        return LogLevelResult(level: level)
      },
    ]
  }

  private func reload() throws(RPCError) -> ReloadReport {
    guard let reread else {
      throw RPCError(.refused, "there is no configuration file to read again: nvmed was started without --config")
    }
    let configuration: DaemonConfiguration
    do throws(ConfigurationErrors) { configuration = try reread() } catch {
      throw RPCError(
        .refused, "the configuration file has errors; nothing has changed", reasons: error.errors.map(\.description))
    }
    do throws(ReloadRefusal) { return try supervisor.reload(configuration) } catch {
      throw RPCError(
        .refused, "the configuration cannot be applied while nvmed runs; nothing has changed",
        reasons: error.reasons.map(\.description))
    }
  }

  // MARK: Support

  /// What the supervisor has against it, for a client.
  static func refusal(_ error: DaemonError) -> RPCError {
    // Errors of a configuration are several lines.
    let lines = error.description.split(separator: "\n").map(String.init)
    if lines.count < 2 { return RPCError(.refused, error.description) }
    return RPCError(.refused, "it does not fit what is there: \(lines.count) errors", reasons: lines)
  }

  /// What a controller is doing.
  ///
  /// - Throws: `notFound`.
  static func status(_ supervisor: Supervisor, _ name: String) throws(RPCError) -> ControllerStatus {
    try require(supervisor, name)
    guard let status = supervisor.status().controllers.first(where: { $0.name == name }) else {
      throw RPCError(.notFound, "no controller is called \(quoted(name)) any more")
    }
    return status
  }

  /// Makes sure that there is a controller of a name.
  ///
  /// - Throws: `notFound`, with the names that there are.
  static func require(_ supervisor: Supervisor, _ name: String) throws(RPCError) {
    do throws(DaemonError) { _ = try supervisor.controller(name) } catch {
      throw RPCError(.notFound, error.description)
    }
  }
}
