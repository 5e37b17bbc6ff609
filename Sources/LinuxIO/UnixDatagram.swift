import CLinux
import Glibc

/// An `AF_UNIX` datagram socket that is connected to a service of the host: systemd's notifications, the journal.
///
/// Any thread may send.
public struct UnixDatagram: ~Copyable, Sendable {
  private let descriptor: FileDescriptor

  /// Connects to the socket at `path`.
  ///
  /// - Parameters:
  ///   - path: at most 107 bytes; one that begins with '@' is a name in the abstract namespace (`unix(7)`).
  ///   - milliseconds: how long a send waits for room.
  /// - Throws: `EINVAL` or `ENAMETOOLONG` for a path that cannot be, else the `errno` of `socket(2)` or `connect(2)`.
  public init(path: String, milliseconds: Int = 1000) throws(Errno) {
    let type = Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue)
    let descriptor = FileDescriptor(owning: try checked { socket(AF_UNIX, type, 0) })
    let number = descriptor.rawValue
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    var text = Array(path.utf8)
    guard text.count > 1, !text.contains(0) else { throw .invalidArgument }
    guard text.count < MemoryLayout.size(ofValue: address.sun_path) else { throw Errno(rawValue: ENAMETOOLONG) }
    let isAbstract = text[0] == UInt8(ascii: "@")
    if isAbstract { text[0] = 0 }
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: text) }
    // An abstract name is as long as the address says, NUL bytes included.
    let header = MemoryLayout<sa_family_t>.size
    let length = socklen_t(isAbstract ? header + text.count : MemoryLayout<sockaddr_un>.size)
    try unsafe withUnsafePointer(to: &address) { (pointer) throws(Errno) in
      let generic = unsafe UnsafeRawPointer(pointer).assumingMemoryBound(to: sockaddr.self)
      _ = try retrying { unsafe Glibc.connect(number, generic, length) }
    }
    var wait = timeval(tv_sec: milliseconds / 1000, tv_usec: milliseconds % 1000 * 1000)
    _ = try checked {
      unsafe setsockopt(number, SOL_SOCKET, SO_SNDTIMEO, &wait, socklen_t(MemoryLayout<timeval>.size))
    }
    self.descriptor = descriptor
  }

  /// Sends one datagram.
  ///
  /// - Throws: `ECONNREFUSED` where nobody receives any more, `EAGAIN` where there was no room in time.
  public borrowing func send(_ text: String) throws(Errno) {
    let number = descriptor.rawValue
    let bytes = Array(text.utf8)
    _ = try retrying { unsafe Glibc.send(number, bytes, bytes.count, Int32(MSG_NOSIGNAL)) }
  }
}
