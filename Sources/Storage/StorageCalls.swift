import CLinux
import Glibc
import LinuxIO

/// The blocking system calls that jobs make: those of the kernel, or others where a test needs a failure that no
/// healthy machine shows. Each answers nil or its error.
struct StorageCalls: Sendable {
  /// `fallocate(2)`: descriptor, mode, offset, length.
  var allocate: @Sendable (Int32, Int32, UInt64, UInt64) -> Errno?
  /// `ioctl(BLKDISCARD)`: descriptor, offset, length.
  var discard: @Sendable (Int32, UInt64, UInt64) -> Errno?
  /// `fdatasync(2)`.
  var dataSync: @Sendable (Int32) -> Errno?

  /// Those of the kernel.
  static let system = StorageCalls(
    allocate: { fd, mode, offset, length in
      let offset = off_t(truncatingIfNeeded: offset)
      let length = off_t(truncatingIfNeeded: length)
      return clinux_fallocate(fd, mode, offset, length) == 0 ? nil : Errno.current
    },
    discard: { fd, offset, length in
      var range = (offset, length)
      return unsafe ioctl(fd, UInt(CLINUX_BLKDISCARD), &range) == 0 ? nil : Errno.current
    },
    dataSync: { fd in fdatasync(fd) == 0 ? nil : Errno.current })
}
