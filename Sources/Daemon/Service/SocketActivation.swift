import Glibc
import LinuxIO

/// The sockets that systemd opened for the daemon (`sd_listen_fds(3)`), by the names of their units
/// (`FileDescriptorName=`).
public struct SocketActivation: Equatable, Sendable {
  /// The first number of an inherited socket (`SD_LISTEN_FDS_START`).
  static let firstNumber: Int32 = 3
  /// The name of the control socket, which no controller's socket can have.
  static let controlName = "control"
  /// More than any service has.
  static let limit = 1024

  /// Numbers of the sockets by name.
  private(set) var sockets: [String: Int32]

  /// Whether there are none.
  public var isEmpty: Bool { sockets.isEmpty }

  /// Takes the sockets that the environment tells of, and what it says out of it.
  ///
  /// - Throws: a sentence on what it says that cannot be.
  public static func take() throws(DaemonError) -> SocketActivation {
    let activation = try SocketActivation(environment: ProcessEnvironment.value)
    for name in ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PIDFDID"] { ProcessEnvironment.remove(name) }
    return activation
  }

  /// As `take`, by any environment.
  init(environment: (String) -> String?, process: pid_t = getpid()) throws(DaemonError) {
    sockets = [:]
    // They are for one process, and inherited by its children.
    guard let text = environment("LISTEN_FDS"), environment("LISTEN_PID").flatMap({ pid_t($0) }) == process else {
      return
    }
    guard let count = Int(text), (0...SocketActivation.limit).contains(count) else {
      throw DaemonError("LISTEN_FDS=\(printable(text, limit: 20)) is no number of sockets; start nvmed by systemd")
    }
    guard count > 0 else { return }
    let names =
      environment("LISTEN_FDNAMES").map { $0.split(separator: ":", omittingEmptySubsequences: false).map(String.init) }
      ?? [String](repeating: "unknown", count: count)
    guard names.count == count else {
      throw DaemonError("LISTEN_FDNAMES has \(names.count) names and LISTEN_FDS is \(count); start nvmed by systemd")
    }
    for (index, name) in names.enumerated() {
      guard sockets.updateValue(SocketActivation.firstNumber + Int32(index), forKey: name) == nil else {
        throw DaemonError(
          "systemd hands over two sockets named \(quoted(name)); write FileDescriptorName= of each socket unit, one "
            + "ListenStream= in each")
      }
    }
  }

  /// Gives the sockets to the controllers that have none, by their names; "control" is the control socket.
  ///
  /// - Parameters:
  ///   - configuration: gets their numbers.
  ///   - byName: false: the configuration is that of a command line, whose only controller takes the only socket,
  ///     whatever its name.
  /// - Throws: a sentence on a controller without a socket, or a socket without a controller.
  public func assign(to configuration: inout DaemonConfiguration, byName: Bool = true) throws(DaemonError) {
    guard !sockets.isEmpty else { return }
    var rest = sockets
    if let number = rest.removeValue(forKey: SocketActivation.controlName) {
      guard configuration.controlSocket == nil else {
        throw DaemonError("daemon.control_socket is set, and systemd hands over a socket named \"control\"; remove one")
      }
      configuration.inheritedControlSocket = number
    }
    for index in configuration.controllers.indices {
      let controller = configuration.controllers[index]
      guard controller.socketPath == nil, controller.inheritedSocket == nil else {
        guard rest[controller.name] == nil || !byName else {
          throw DaemonError(
            "controller '\(controller.name)' has 'socket', and systemd hands over a socket of its name; remove one")
        }
        continue
      }
      let name = byName ? controller.name : rest.count == 1 ? rest.keys.first ?? "" : controller.name
      guard let number = rest.removeValue(forKey: name) else {
        throw DaemonError(
          "controller '\(controller.name)' has no 'socket', and systemd hands over none named \(quoted(name)) (it has "
            + "\(SocketActivation.list(sockets))); write FileDescriptorName=\(name) in its socket unit")
      }
      configuration.controllers[index].inheritedSocket = number
    }
    guard rest.isEmpty else {
      throw DaemonError(
        "systemd hands over \(SocketActivation.list(rest)), and no controller without 'socket' has that name; write the "
          + "name of one in FileDescriptorName=, or stop that socket unit")
    }
  }

  private static func list(_ sockets: [String: Int32]) -> String {
    sockets.keys.sorted().map { quoted($0) }.joined(separator: ", ")
  }
}
