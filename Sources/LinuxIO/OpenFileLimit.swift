import Glibc

/// How many descriptors the process may have open (`RLIMIT_NOFILE`).
public enum OpenFileLimit {
  private static var kind: __rlimit_resource_t { __rlimit_resource_t(RLIMIT_NOFILE.rawValue) }

  private static var both: rlimit? {
    var limit = rlimit()
    return unsafe getrlimit(kind, &limit) == 0 ? limit : nil
  }

  /// The limit that only root can raise; nil where the kernel does not say.
  public static var hard: UInt64? { both.map { UInt64($0.rlim_max) } }

  /// Raises the soft limit to the hard one: at the limit the kernel drops descriptors of messages silently.
  public static func raise() {
    guard var limit = both else { return }
    limit.rlim_cur = limit.rlim_max
    _ = unsafe setrlimit(kind, &limit)
  }
}
