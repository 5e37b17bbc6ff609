import CLinux
import Glibc

/// A listening `AF_UNIX` stream socket, and the file that names it.
///
/// One thread accepts.
public struct UnixListener: ~Copyable, Sendable {
  /// The listening socket; non-blocking, for an epoll set.
  public let descriptor: FileDescriptor
  /// The file that it made; nil where the socket was inherited.
  public let path: String?
  /// Whether the file is removed at the end, where it is still the one it made. A process that hands the socket over to
  /// its successor clears it.
  public var removesPath: Bool
  /// The file that it made. Its number cannot be used again as long as the socket is open, which holds it.
  private let file: FileIdentity

  private struct FileIdentity: Equatable, Sendable {
    var device: UInt64 = 0
    var inode: UInt64 = 0
  }

  /// Binds a socket to `path` and listens.
  ///
  /// A socket file that nobody listens on any more is replaced. The check and the replacement are done under a lock of
  /// the directory (`flock(2)`), so that of two processes that start together only one gets the path.
  ///
  /// - Parameters:
  ///   - path: at most 107 bytes.
  ///   - mode: the permissions of the file, whatever the umask: who may connect needs write permission.
  ///   - backlog: how many connections wait for `accept()`.
  /// - Throws: `EADDRINUSE` where another process listens there, or where the path is not a socket; `ENAMETOOLONG`;
  ///   the `errno` of `bind(2)` or `listen(2)`.
  public init(path: String, mode: mode_t = 0o600, backlog: Int32 = 16) throws(Errno) {
    let descriptor = try UnixSocket.create()
    let number = descriptor.rawValue
    // The file gets the permissions of the unbound socket, less the umask: never more than asked for.
    _ = try checked { fchmod(number, mode) }
    let lock = UnixListener.lockDirectory(of: path)
    do throws(Errno) {
      try UnixListener.bind(number, path)
    } catch Errno.addressInUse {
      try UnixListener.removeStale(path)
      try UnixListener.bind(number, path)
    }
    let file = try UnixListener.identity(path)
    do throws(Errno) {
      _ = try checked { unsafe chmod(path, mode) }
      _ = try checked { listen(number, backlog) }
      try descriptor.setNonBlocking()
    } catch {
      unsafe unlink(path)
      throw error
    }
    _ = consume lock
    self.descriptor = descriptor
    self.path = path
    self.file = file
    removesPath = true
  }

  /// Takes a listening socket that another process opened: systemd, or the predecessor of this one.
  ///
  /// - Throws: `EINVAL` where it is not an `AF_UNIX` stream socket that listens.
  public init(inheriting descriptor: consuming FileDescriptor) throws(Errno) {
    guard UnixSocket.isListening(descriptor.rawValue) else { throw .invalidArgument }
    try descriptor.setNonBlocking()
    try descriptor.setCloseOnExec(true)
    self.descriptor = descriptor
    path = nil
    file = FileIdentity()
    removesPath = false
  }

  deinit {
    guard removesPath, let path else { return }
    let lock = UnixListener.lockDirectory(of: path)
    if let now = try? UnixListener.identity(path), now == file { unsafe unlink(path) }
    _ = consume lock
  }

  /// Accepts one waiting connection. The descriptor is non-blocking and closes on exec.
  ///
  /// - Returns: nil where none waits.
  /// - Throws: `EMFILE` at the limit of open files; the connection then still waits.
  public borrowing func accept() throws(Errno) -> FileDescriptor? {
    let listener = descriptor.rawValue
    while true {
      do throws(Errno) {
        return FileDescriptor(owning: try retrying { clinux_accept(listener) })
      } catch Errno.wouldBlock {
        return nil
      } catch Errno(rawValue: ECONNABORTED) {
        continue  // The peer went away while it waited.
      }
    }
  }

  private static func bind(_ number: Int32, _ path: String) throws(Errno) {
    try unsafe UnixSocket.withAddress(path) { (address, length) throws(Errno) in
      _ = try checked { unsafe Glibc.bind(number, address, length) }
    }
  }

  /// Removes the socket file at `path` if nobody listens on it.
  private static func removeStale(_ path: String) throws(Errno) {
    guard try fileStatus(path).st_mode & S_IFMT == S_IFSOCK else { throw .addressInUse }
    let probe = try UnixSocket.create()
    // A full backlog must not stop the probe.
    try probe.setNonBlocking()
    let number = probe.rawValue
    do throws(Errno) {
      try unsafe UnixSocket.withAddress(path) { (address, length) throws(Errno) in
        _ = try retrying { unsafe Glibc.connect(number, address, length) }
      }
    } catch Errno.connectionRefused {
      _ = try checked { unsafe unlink(path) }
      return
    } catch {
      throw .addressInUse
    }
    throw .addressInUse
  }

  /// Locks the directory of `path` until the descriptor is closed; nil where it cannot be opened for reading.
  private static func lockDirectory(of path: String) -> FileDescriptor? {
    var directory = "."
    if let slash = path.lastIndex(of: "/") { directory = slash == path.startIndex ? "/" : String(path[..<slash]) }
    guard let descriptor = try? FileDescriptor(path: directory, flags: O_RDONLY | O_DIRECTORY) else { return nil }
    let number = descriptor.rawValue
    _ = try? retrying { flock(number, LOCK_EX) }
    return descriptor
  }

  private static func fileStatus(_ path: String) throws(Errno) -> stat {
    var status = stat()
    _ = try checked { unsafe lstat(path, &status) }
    return status
  }

  private static func identity(_ path: String) throws(Errno) -> FileIdentity {
    let status = try fileStatus(path)
    return FileIdentity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
  }
}
