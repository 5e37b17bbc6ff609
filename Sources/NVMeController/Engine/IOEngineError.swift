import LinuxIO

/// Why an I/O thread cannot start.
public enum IOEngineError: Error, CustomStringConvertible {
  /// A system call failed.
  case system(Errno)
  /// No aio context is to be had.
  case aio(AIOSetupError)

  /// The reason, in words.
  public var description: String {
    switch self {
    case .system(let error): return "an I/O thread cannot start: \(error)"
    case .aio(let error): return "an I/O thread cannot start: \(error)"
    }
  }
}
