import LinuxIO

/// Why a client has no result.
public enum ControlClientError: Error, Equatable, CustomStringConvertible {
  /// Nobody can be reached.
  case cannotConnect(path: String, Errno)
  /// The connection ended, or what came is no reply.
  case broken(String)
  /// The daemon refuses.
  case refused(RPCError)

  /// One sentence, with every reason on a line of its own.
  public var description: String {
    switch self {
    case .cannotConnect(let path, .noSuchFile):
      "\(path): there is no control socket; is nvmed running, and with --control-socket or control_socket?"
    case .cannotConnect(let path, .connectionRefused): "\(path): nobody listens there; nvmed is not running"
    case .cannotConnect(let path, .accessDenied):
      "\(path): permission denied; become root, the user of the daemon or a member of its control_group"
    case .cannotConnect(let path, let error): "\(path): \(error)"
    case .broken(let text): text
    case .refused(let error): ([error.message] + (error.data?.reasons.map { "  \($0)" } ?? [])).joined(separator: "\n")
    }
  }
}
