import CLinux
import Glibc

/// An error number of the kernel, as `errno(3)` names them.
public struct Errno: Error, Equatable, Hashable, Sendable, RawRepresentable, CustomStringConvertible {
  /// The positive error number.
  public let rawValue: Int32

  /// Wraps a positive error number.
  @inlinable public init(rawValue: Int32) { self.rawValue = rawValue }

  /// The calling thread's `errno`; read directly after the call that failed.
  public static var current: Errno { Errno(rawValue: Glibc.errno) }

  /// The text of `strerror(3)`.
  public var description: String {
    guard let text = unsafe strerror(rawValue) else { return "error \(rawValue)" }
    return unsafe String(cString: text)
  }

  /// Operation not permitted.
  public static let notPermitted = Errno(rawValue: EPERM)
  /// No such file or directory.
  public static let noSuchFile = Errno(rawValue: ENOENT)
  /// Interrupted call.
  public static let interrupted = Errno(rawValue: EINTR)
  /// Input/output error.
  public static let inputOutput = Errno(rawValue: EIO)
  /// Bad file descriptor.
  public static let badFileDescriptor = Errno(rawValue: EBADF)
  /// Try again; the call would block.
  public static let wouldBlock = Errno(rawValue: EAGAIN)
  /// Out of memory.
  public static let outOfMemory = Errno(rawValue: ENOMEM)
  /// Permission denied.
  public static let accessDenied = Errno(rawValue: EACCES)
  /// Bad address.
  public static let badAddress = Errno(rawValue: EFAULT)
  /// Device or resource busy.
  public static let busy = Errno(rawValue: EBUSY)
  /// File exists.
  public static let fileExists = Errno(rawValue: EEXIST)
  /// Invalid argument.
  public static let invalidArgument = Errno(rawValue: EINVAL)
  /// Too many open files.
  public static let tooManyOpenFiles = Errno(rawValue: EMFILE)
  /// No space left on device.
  public static let noSpace = Errno(rawValue: ENOSPC)
  /// Disk quota exceeded.
  public static let quotaExceeded = Errno(rawValue: EDQUOT)
  /// Read-only file system.
  public static let readOnlyFileSystem = Errno(rawValue: EROFS)
  /// Broken pipe.
  public static let brokenPipe = Errno(rawValue: EPIPE)
  /// Connection reset by peer.
  public static let connectionReset = Errno(rawValue: ECONNRESET)
  /// Connection refused.
  public static let connectionRefused = Errno(rawValue: ECONNREFUSED)
  /// Address already in use.
  public static let addressInUse = Errno(rawValue: EADDRINUSE)
  /// Message too long.
  public static let messageTooLong = Errno(rawValue: EMSGSIZE)
  /// Operation not supported.
  public static let notSupported = Errno(rawValue: EOPNOTSUPP)
  /// Inappropriate ioctl for device.
  public static let notATerminal = Errno(rawValue: ENOTTY)
  /// Value too large.
  public static let overflow = Errno(rawValue: EOVERFLOW)
  /// Protocol error.
  public static let protocolError = Errno(rawValue: EPROTO)
}

/// Runs a system call until it is not interrupted; throws `errno` where it answers -1.
func retrying<Result: FixedWidthInteger & SignedInteger>(
  _ call: () -> Result
) throws(Errno) -> Result {
  while true {
    let result = call()
    if result != -1 { return result }
    let error = Errno.current
    if error != .interrupted { throw error }
  }
}

/// Runs a system call once; throws `errno` where it answers -1.
func checked<Result: FixedWidthInteger & SignedInteger>(_ call: () -> Result) throws(Errno) -> Result {
  let result = call()
  if result == -1 { throw Errno.current }
  return result
}
