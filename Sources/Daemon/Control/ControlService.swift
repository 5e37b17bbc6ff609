import Control
import LinuxIO

/// The control socket of a daemon.
enum ControlService {
  /// Opens the control socket that is configured; nil where none is.
  ///
  /// - Throws: one sentence on why it cannot be had.
  static func listen(_ configuration: DaemonConfiguration) throws(DaemonError) -> UnixListener? {
    if let number = configuration.inheritedControlSocket {
      do throws(Errno) { return try UnixListener(inheriting: FileDescriptor(owning: number)) } catch {
        throw DaemonError(
          "the socket 'control' of systemd cannot be listened on: \(error); write ListenStream= with a path in its unit"
        )
      }
    }
    guard let path = configuration.controlSocket else { return nil }
    let group = try group(configuration)
    do throws(Errno) { return try ControlSocket.listen(path: path, group: group) } catch .addressInUse {
      throw DaemonError(
        "\(path): another nvmed has its control socket there, or it is no socket; choose another control_socket")
    } catch .noSuchFile {
      throw DaemonError("\(path): the folder of the control socket does not exist; create it first")
    } catch .notPermitted {
      throw DaemonError(
        "\(path): the control socket cannot be given to group '\(configuration.controlGroup ?? "")'; run nvmed as a "
          + "member of it, or remove control_group")
    } catch { throw DaemonError("\(path): the control socket cannot be opened: \(error)") }
  }

  /// Serves the control socket.
  ///
  /// - Parameter stop: asks the main thread to end the daemon.
  /// - Throws: `EMFILE` at the limit of open files, `EAGAIN` where no thread can be had.
  static func start(
    _ listener: consuming UnixListener?, _ configuration: DaemonConfiguration, _ supervisor: Supervisor,
    reread: Daemon.Rereading?, stop: @escaping @Sendable () -> Void
  ) throws(Errno) -> ControlServer? {
    guard let listener else { return nil }
    let group = configuration.controlGroup.flatMap { ControlSocket.group(named: $0) }
    let server = try ControlServer.start(
      listener, methods: ControlMethods(supervisor, reread: reread, stop: stop).table, policy: PeerPolicy(group: group),
      logger: supervisor.logger)
    supervisor.logger.info("control socket \(configuration.controlSocket ?? "of systemd")")
    return server
  }

  private static func group(_ configuration: DaemonConfiguration) throws(DaemonError) -> UInt32? {
    guard let name = configuration.controlGroup else { return nil }
    guard let group = ControlSocket.group(named: name) else {
      throw DaemonError("daemon.control_group: there is no group '\(name)'; create it, or remove the key")
    }
    return group
  }
}
