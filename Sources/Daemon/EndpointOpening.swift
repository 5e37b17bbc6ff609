import DeviceServer
import LinuxIO

/// Opens the socket of a controller, or takes the one that was handed over.
enum EndpointOpening {
  /// The endpoint of a controller.
  ///
  /// - Parameter handedOver: its socket, where it has one, is taken; the path of the configuration is not used then.
  /// - Throws: one sentence on why there is none.
  static func open(
    _ configuration: ControllerConfiguration, handedOver: inout HandedOver
  ) throws(DaemonError) -> DeviceEndpoint {
    if let socket = handedOver.takeSocket() { return try adopt(socket, of: configuration) }
    guard let path = configuration.socketPath else {
      throw DaemonError(
        "controller '\(configuration.name)' has no socket: set 'socket', or hand one over (--fd, a systemd socket unit "
          + "with FileDescriptorName=\(configuration.name))")
    }
    do throws(Errno) { return .listener(try UnixListener(path: path)) } catch .addressInUse {
      throw DaemonError("\(path): another process listens there, or it is no socket; choose another path")
    } catch .noSuchFile {
      throw DaemonError("\(path): the folder does not exist; create it first")
    } catch { throw DaemonError("\(path): \(error)") }
  }

  private static func adopt(
    _ socket: consuming FileDescriptor, of configuration: ControllerConfiguration
  ) throws(DaemonError) -> DeviceEndpoint {
    let number = socket.rawValue
    guard UnixSocket.isSocket(number) else {
      throw DaemonError(
        "controller '\(configuration.name)': descriptor \(number) is no AF_UNIX stream socket; hand over a connected or "
          + "listening one")
    }
    do throws(Errno) {
      if UnixSocket.isListening(number) { return .listener(try UnixListener(inheriting: socket)) }
      try socket.setCloseOnExec(true)
      return .connected(socket)
    } catch { throw DaemonError("controller '\(configuration.name)': descriptor \(number): \(error)") }
  }
}
