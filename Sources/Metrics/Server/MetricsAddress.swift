import Glibc

/// Where metrics are served: a TCP port of the loopback device, or a unix socket.
///
/// There is no authentication, so other addresses are refused: a proxy or the file's permissions decide who may ask.
public enum MetricsAddress: Sendable, Equatable {
  /// A loopback address in numbers, and a port.
  case tcp(host: String, port: UInt16)
  /// The absolute path of a unix socket.
  case unix(path: String)

  /// What an address looks like, as the second half of a sentence.
  public static let expected =
    "a loopback address with a port, as in \"127.0.0.1:9911\" or \"[::1]:9911\", or a path, as in "
    + "\"unix:/run/nvmed/metrics.sock\""

  /// Reads an address: `127.0.0.1:9911`, `[::1]:9911` or `unix:/run/nvmed/metrics.sock`; nil where it is none.
  public init?(text: String) {
    if text.hasPrefix("unix:") {
      let path = String(text.dropFirst("unix:".count))
      guard path.utf8.first == UInt8(ascii: "/"), (2...107).contains(path.utf8.count), !path.utf8.contains(0) else {
        return nil
      }
      self = .unix(path: path)
      return
    }
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]), port > 0 else {
      return nil
    }
    var host = String(text[..<colon])
    if host.hasPrefix("["), host.hasSuffix("]") {
      host = String(host.dropFirst().dropLast())
      guard host == "::1" else { return nil }
    } else {
      var address = in_addr()
      guard unsafe inet_pton(AF_INET, host, &address) == 1, UInt32(bigEndian: address.s_addr) >> 24 == 127 else {
        return nil
      }
    }
    self = .tcp(host: host, port: port)
  }

  /// The path of a unix socket; nil for a TCP port.
  public var path: String? {
    if case .unix(let path) = self { path } else { nil }
  }

  /// As `init(text:)` reads it.
  public var text: String {
    switch self {
    case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    case .unix(let path): "unix:\(path)"
    }
  }
}
