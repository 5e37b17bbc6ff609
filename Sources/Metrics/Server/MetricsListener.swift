import Glibc
import LinuxIO

/// A socket that scrapers can connect to, opened before anybody answers: while the process may still open one.
public struct MetricsListener: ~Copyable, Sendable {
  /// Where it listens.
  public let address: MetricsAddress
  private let socket: FileDescriptor
  /// The socket file, which goes when this does.
  private let file: UnixListener?

  /// Listens at an address.
  ///
  /// - Throws: why that is not possible.
  public init(_ address: MetricsAddress) throws(MetricsServerError) {
    self.address = address
    do throws(Errno) {
      switch address {
      case .tcp(let host, let port):
        socket = try MetricsListener.listen(host, port)
        file = nil
      case .unix(let path):
        let listener = try UnixListener(path: path, mode: 0o660)
        socket = try listener.descriptor.duplicate()
        file = consume listener
      }
    } catch { throw MetricsServerError(address, error) }
  }

  /// A second descriptor of the socket, which the caller must close.
  borrowing func duplicate() throws(Errno) -> Int32 { try socket.duplicate().release() }

  private static func listen(_ host: String, _ port: UInt16) throws(Errno) -> FileDescriptor {
    let isIPv6 = host.contains(":")
    let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
    let number = Glibc.socket(isIPv6 ? AF_INET6 : AF_INET, type, 0)
    guard number >= 0 else { throw Errno.current }
    let descriptor = FileDescriptor(owning: number)
    // A daemon that is started again gets the port of the one before at once.
    var on: Int32 = 1
    _ = unsafe setsockopt(number, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
    let result: Int32
    if isIPv6 {
      var address = sockaddr_in6()
      address.sin6_family = sa_family_t(AF_INET6)
      address.sin6_port = port.bigEndian
      guard unsafe inet_pton(AF_INET6, host, &address.sin6_addr) == 1 else { throw .invalidArgument }
      result = unsafe withUnsafePointer(to: &address) { pointer in
        unsafe bind(number, UnsafeRawPointer(pointer).assumingMemoryBound(to: sockaddr.self), 28)
      }
    } else {
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_port = port.bigEndian
      guard unsafe inet_pton(AF_INET, host, &address.sin_addr) == 1 else { throw .invalidArgument }
      result = unsafe withUnsafePointer(to: &address) { pointer in
        unsafe bind(number, UnsafeRawPointer(pointer).assumingMemoryBound(to: sockaddr.self), 16)
      }
    }
    guard result == 0, Glibc.listen(number, 16) == 0 else { throw Errno.current }
    return descriptor
  }
}
