import Glibc
import LinuxIO

/// The limits of the process that a daemon with many clients runs into.
enum ResourceLimits {
  /// Raises the soft limit of open files to the hard one: at the limit the kernel drops descriptors of messages silently.
  static func raiseOpenFiles() {
    var limit = rlimit()
    guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
    limit.rlim_cur = limit.rlim_max
    _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
  }
}
