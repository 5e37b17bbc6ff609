import CLinux
import Glibc

/// The only owner of an open file descriptor; closes it when it goes out of scope.
///
/// Any thread may use it; the owner decides when it ends.
public struct FileDescriptor: ~Copyable, Sendable {
  /// The descriptor's number; valid as long as this owner lives.
  public let rawValue: Int32

  /// Takes ownership of an open descriptor.
  public init(owning rawValue: Int32) { self.rawValue = rawValue }

  deinit { _ = close(rawValue) }

  /// Opens `path` (`open(2)`) with `O_CLOEXEC` added.
  ///
  /// - Throws: the `errno` of `open(2)`.
  public init(path: String, flags: Int32, mode: mode_t = 0o600) throws(Errno) {
    self.rawValue = try retrying { unsafe Glibc.open(path, flags | O_CLOEXEC, mode) }
  }

  /// Gives the descriptor up: the caller must close it.
  public consuming func release() -> Int32 {
    let number = rawValue
    discard self
    return number
  }

  /// A second descriptor of the same open file (`F_DUPFD_CLOEXEC`).
  ///
  /// - Throws: `EMFILE` at the limit of open files.
  public borrowing func duplicate() throws(Errno) -> FileDescriptor {
    let number = rawValue
    return FileDescriptor(owning: try checked { fcntl(number, F_DUPFD_CLOEXEC, 0) })
  }

  /// Sets `O_NONBLOCK` on the open file description.
  ///
  /// - Throws: the `errno` of `fcntl(2)`.
  public borrowing func setNonBlocking() throws(Errno) {
    let number = rawValue
    let flags = try checked { fcntl(number, F_GETFL) }
    if flags & O_NONBLOCK == 0 { _ = try checked { fcntl(number, F_SETFL, flags | O_NONBLOCK) } }
  }

  /// Sets or clears `FD_CLOEXEC`.
  ///
  /// - Throws: the `errno` of `fcntl(2)`.
  public borrowing func setCloseOnExec(_ on: Bool) throws(Errno) {
    let number = rawValue
    _ = try checked { fcntl(number, F_SETFD, on ? FD_CLOEXEC : 0) }
  }

  /// `fstat(2)` of the open file.
  ///
  /// - Throws: the `errno` of `fstat(2)`.
  public borrowing func status() throws(Errno) -> stat {
    let number = rawValue
    var result = stat()
    _ = try checked { unsafe fstat(number, &result) }
    return result
  }
}
