import CLinux
import Glibc

/// Calls on `AF_UNIX` stream sockets (`unix(7)`): connect, and bytes with file descriptors on them.
///
/// Descriptors are given by number; the caller keeps their owners alive during the call. Any thread.
public enum UnixSocket {
  /// The most file descriptors of one message: the kernel's `SCM_MAX_FD`.
  public static let maxDescriptors = Int(CLINUX_SCM_MAX_FD)

  /// Connects to the listener at `path`. The descriptor blocks and closes on exec.
  ///
  /// - Throws: `ENAMETOOLONG` for a path of more than 107 bytes, else the `errno` of `socket(2)` or `connect(2)`:
  ///   `ENOENT` without a file, `ECONNREFUSED` where nobody listens.
  public static func connect(path: String) throws(Errno) -> FileDescriptor {
    let descriptor = try create()
    let number = descriptor.rawValue
    try unsafe withAddress(path) { (address, length) throws(Errno) in
      _ = try retrying { unsafe Glibc.connect(number, address, length) }
    }
    return descriptor
  }

  /// Connects to the datagram socket at `path`. The descriptor blocks and closes on exec.
  ///
  /// - Throws: `ENAMETOOLONG` for a path of more than 107 bytes, else the `errno` of `socket(2)` or `connect(2)`:
  ///   `ENOENT` without a file, `ECONNREFUSED` where nobody receives.
  public static func connectDatagram(path: String) throws(Errno) -> FileDescriptor {
    let type = Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue)
    let descriptor = FileDescriptor(owning: try checked { socket(AF_UNIX, type, 0) })
    let number = descriptor.rawValue
    try unsafe withAddress(path) { (address, length) throws(Errno) in
      _ = try retrying { unsafe Glibc.connect(number, address, length) }
    }
    return descriptor
  }

  /// Whether the descriptor is an `AF_UNIX` stream socket; false too where it is not open.
  public static func isSocket(_ fd: Int32) -> Bool {
    option(fd, SO_DOMAIN) == AF_UNIX && option(fd, SO_TYPE) == Int32(SOCK_STREAM.rawValue)
  }

  /// Whether the descriptor is an `AF_UNIX` stream socket that listens.
  public static func isListening(_ fd: Int32) -> Bool { isSocket(fd) && option(fd, SO_ACCEPTCONN) == 1 }

  /// Whether the peer has closed its writing half, whatever it sent before and is not received yet.
  public static func isPeerClosed(_ fd: Int32) -> Bool {
    // POLLRDHUP, which _GNU_SOURCE hides, is the same bit.
    var entry = pollfd(fd: fd, events: Int16(EPOLLRDHUP.rawValue), revents: 0)
    return unsafe poll(&entry, 1, 0) == 1
  }

  /// Who is at the other end, as the kernel recorded it at `connect(2)` or `socketpair(2)`.
  ///
  /// - Throws: the `errno` of `getsockopt(2)`.
  public static func peerCredentials(_ fd: Int32) throws(Errno) -> PeerCredentials {
    var process: pid_t = 0
    var user: uid_t = 0
    var group: gid_t = 0
    _ = try checked { unsafe clinux_peer_credentials(fd, &process, &user, &group) }
    return PeerCredentials(processID: process, userID: user, groupID: group)
  }

  /// What one receive brought.
  public struct Receipt: Equatable, Sendable {
    /// Bytes; 0: the peer has closed.
    public let count: Int
    /// Whether descriptors were dropped, as there was no room for them or this process is at its limit of open files.
    public let descriptorsLost: Bool
  }

  /// Receives bytes, and the descriptors that come with them (`recvmsg(2)`). Received descriptors close on exec.
  ///
  /// - Parameters:
  ///   - fd: the socket.
  ///   - buffer: where the bytes go.
  ///   - range: the part of the buffer to fill; not empty, inside the buffer. At most so many bytes are received.
  ///   - descriptors: gathers the descriptors.
  ///   - wait: whether to wait for bytes where none are there.
  /// - Throws: `EAGAIN` where none are there and it does not wait, `ECONNRESET` where the peer closed and left bytes
  ///   from here unread.
  public static func receive(
    _ fd: Int32, into buffer: inout [UInt8], at range: Range<Int>, descriptors: inout ReceivedDescriptors, wait: Bool
  ) throws(Errno) -> Receipt {
    precondition(!range.isEmpty && range.lowerBound >= 0 && range.upperBound <= buffer.count)
    let flags = wait ? 0 : Int32(MSG_DONTWAIT)
    let room = descriptors.room
    var arrived = 0
    var lost = false
    // One element more than asked for, so that the allocation is never empty.
    let count = unsafe withUnsafeTemporaryAllocation(of: Int32.self, capacity: room + 1) { numbers in
      let result = unsafe buffer.withUnsafeMutableBytes { bytes in
        uninterrupted {
          unsafe clinux_receive_descriptors(
            fd, bytes.baseAddress.map { unsafe $0 + range.lowerBound }, range.count, numbers.baseAddress, room,
            &arrived, &lost, flags)
        }
      }
      if result >= 0 {
        for index in 0..<arrived { descriptors.append(FileDescriptor(owning: unsafe numbers[index])) }
      }
      return result
    }
    guard count >= 0 else { throw Errno(rawValue: Int32(truncatingIfNeeded: -count)) }
    return Receipt(count: count, descriptorsLost: lost)
  }

  /// Sends `head`, then `body`, in one `sendmsg(2)`, with descriptors on the first byte. Never raises `SIGPIPE`.
  ///
  /// - Parameters:
  ///   - fd: the socket.
  ///   - head: the first bytes; head and body together are not empty where there are descriptors.
  ///   - body: the bytes after them; may be empty.
  ///   - descriptors: the numbers of the descriptors to hand over, at most 253. All of them go with the first byte.
  ///   - wait: whether to wait for room in the socket.
  /// - Returns: how many bytes were sent: less than all only where it does not wait.
  /// - Throws: `EAGAIN` where there is no room and it does not wait, `EPIPE` or `ECONNRESET` where the peer has closed,
  ///   `EBADF` for a descriptor that is not open, `ETOOMANYREFS` where too many are under way.
  public static func send(
    _ fd: Int32, _ head: Span<UInt8>, _ body: Span<UInt8> = Span(), descriptors: [Int32] = [], wait: Bool
  ) throws(Errno) -> Int {
    let flags = wait ? 0 : Int32(MSG_DONTWAIT)
    let count = unsafe head.withUnsafeBytes { head in
      unsafe body.withUnsafeBytes { body in
        // sendmsg(2) only reads from the parts.
        let first = unsafe iovec(iov_base: UnsafeMutableRawPointer(mutating: head.baseAddress), iov_len: head.count)
        let second = unsafe iovec(iov_base: UnsafeMutableRawPointer(mutating: body.baseAddress), iov_len: body.count)
        return unsafe withUnsafeTemporaryAllocation(of: iovec.self, capacity: 2) { parts in
          unsafe parts.initializeElement(at: 0, to: first)
          unsafe parts.initializeElement(at: 1, to: second)
          return uninterrupted {
            unsafe clinux_send_descriptors(fd, parts.baseAddress, 2, descriptors, descriptors.count, flags)
          }
        }
      }
    }
    guard count >= 0 else { throw Errno(rawValue: Int32(truncatingIfNeeded: -count)) }
    return count
  }

  /// A new `AF_UNIX` stream socket that closes on exec.
  static func create() throws(Errno) -> FileDescriptor {
    let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
    return FileDescriptor(owning: try checked { socket(AF_UNIX, type, 0) })
  }

  /// Hands the `sockaddr_un` of a path to `body`.
  ///
  /// - Throws: `EINVAL` for an empty path or one with a NUL, `ENAMETOOLONG` for more than 107 bytes, what `body` throws.
  static func withAddress<Result>(
    _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) throws(Errno) -> Result
  ) throws(Errno) -> Result {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let text = Array(path.utf8)
    guard !text.isEmpty, !text.contains(0) else { throw .invalidArgument }
    // The last byte of sun_path stays NUL.
    guard text.count < MemoryLayout.size(ofValue: address.sun_path) else { throw Errno(rawValue: ENAMETOOLONG) }
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: text) }
    let length = socklen_t(MemoryLayout<sockaddr_un>.size)
    return try unsafe withUnsafePointer(to: &address) { (pointer) throws(Errno) in
      // A sockaddr_un begins as every sockaddr; the kernel reads it as what sun_family says.
      try unsafe body(UnsafeRawPointer(pointer).assumingMemoryBound(to: sockaddr.self), length)
    }
  }

  private static func option(_ fd: Int32, _ name: Int32) -> Int32? {
    var value: Int32 = 0
    var length = socklen_t(MemoryLayout<Int32>.size)
    guard unsafe getsockopt(fd, SOL_SOCKET, name, &value, &length) == 0 else { return nil }
    return value
  }

  /// Runs a call again as long as a signal interrupts it. Its result, or the negated `errno`.
  private static func uninterrupted(_ call: () -> Int) -> Int {
    while true {
      let result = call()
      if result >= 0 { return result }
      let error = Glibc.errno
      if error != EINTR { return -Int(error) }
    }
  }
}

/// Who is at the other end of a socket (`SO_PEERCRED`).
public struct PeerCredentials: Equatable, Sendable {
  /// The process; 0 where it lives in a PID namespace that is not visible from here.
  public let processID: pid_t
  /// Its effective user.
  public let userID: uid_t
  /// Its effective group.
  public let groupID: gid_t

  /// Credentials of these parts.
  public init(processID: pid_t, userID: uid_t, groupID: gid_t) {
    self.processID = processID
    self.userID = userID
    self.groupID = groupID
  }
}

/// Two sockets connected with each other (`socketpair(2)`). Both block and close on exec.
@frozen public struct UnixSocketPair: ~Copyable, Sendable {
  /// One end.
  public let first: FileDescriptor
  /// The other end.
  public let second: FileDescriptor

  /// Creates the pair.
  ///
  /// - Throws: `EMFILE` at the limit of open files.
  public init() throws(Errno) {
    let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
    var numbers: [Int32] = [-1, -1]
    _ = try checked { unsafe socketpair(AF_UNIX, type, 0, &numbers) }
    first = FileDescriptor(owning: numbers[0])
    second = FileDescriptor(owning: numbers[1])
  }
}
