import CLinux
import Glibc

/// Why `io_setup(2)` gave no context, in words.
public struct AIOSetupError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The error of the last attempt.
  public let error: Errno
  /// The number of requests that was asked for at first.
  public let requested: Int
  /// The number of requests of the last attempt.
  public let minimum: Int
  /// `fs.aio-nr`: the requests that all contexts of the system hold; nil where `/proc` does not tell.
  public let inUse: Int?
  /// `fs.aio-max-nr`: the limit of that sum; nil where `/proc` does not tell.
  public let limit: Int?

  /// One sentence on what failed and one on what to do.
  public var description: String {
    switch error {
    case .wouldBlock:
      return """
        no Linux AIO context for \(requested) requests, nor for \(minimum): the system-wide limit is reached \
        (fs.aio-nr = \(AIOSetupError.text(inUse)), fs.aio-max-nr = \(AIOSetupError.text(limit))). \
        Raise it: sysctl fs.aio-max-nr=\(suggestedLimit)
        """
    case Errno(rawValue: ENOSYS):
      return """
        no Linux AIO context: this kernel has no io_setup(2) (CONFIG_AIO), or a seccomp filter hides it. \
        Allow io_setup, io_submit, io_getevents and io_destroy
        """
    default:
      return "no Linux AIO context for \(minimum) requests: \(error)"
    }
  }

  /// A limit that leaves room for what was asked, a power of two of at least twice today's.
  private var suggestedLimit: Int {
    let wanted = (inUse ?? 0) + requested
    var value = 65536
    while value < 1 << 30 && (value < wanted || value < 2 * (limit ?? 0)) { value *= 2 }
    return value
  }

  private static func text(_ value: Int?) -> String { value.map(String.init) ?? "unknown" }

  /// Reads one of the numbers under `/proc/sys/fs`.
  static func systemValue(_ name: String) -> Int? {
    guard let file = unsafe fopen("/proc/sys/fs/\(name)", "re") else { return nil }
    defer { unsafe fclose(file) }
    return unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 32) { line in
      guard let text = unsafe fgets(line.baseAddress, 32, file) else { return nil }
      return unsafe Int(strtol(text, nil, 10))
    }
  }
}
