import Control
import LinuxIO

/// The control socket of a daemon.
enum ControlService {
  /// A control socket that is open, and who besides root and the daemon's user may use it.
  struct Socket: ~Copyable {
    let listener: UnixListener
    /// Its number: the names of groups are out of reach once the process is confined.
    let group: UInt32?
  }

  /// Opens the control socket that is configured; nil where none is.
  ///
  /// - Throws: one sentence on why it cannot be had.
  static func listen(_ configuration: DaemonConfiguration) throws(DaemonError) -> Socket? {
    let group = try group(configuration)
    guard let listener = try listener(configuration, group) else { return nil }
    return Socket(listener: listener, group: group)
  }

  private static func listener(
    _ configuration: DaemonConfiguration, _ group: UInt32?
  ) throws(DaemonError) -> UnixListener? {
    if let number = configuration.inheritedControlSocket {
      do throws(Errno) { return try UnixListener(inheriting: FileDescriptor(owning: number)) } catch {
        throw DaemonError(
          "the socket 'control' of systemd cannot be listened on: \(error); write ListenStream= with a path in its unit"
        )
      }
    }
    guard let path = configuration.controlSocket else { return nil }
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
    _ socket: consuming Socket?, _ configuration: DaemonConfiguration, _ supervisor: Supervisor,
    reread: Daemon.Rereading?, stop: @escaping @Sendable () -> Void
  ) throws(Errno) -> ControlServer? {
    guard let socket else { return nil }
    let policy = PeerPolicy(group: socket.group)
    let server = try ControlServer.start(
      socket.listener, methods: ControlMethods(supervisor, reread: reread, stop: stop).table, policy: policy,
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
