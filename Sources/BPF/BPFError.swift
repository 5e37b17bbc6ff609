import LinuxIO

/// Why the kernel does not take a map, a program or a link.
public enum BPFError: Error, Equatable, Sendable, CustomStringConvertible {
  /// A map cannot be made or mapped: `EPERM` without CAP_BPF, `ENOSYS` in a kernel without bpf(2).
  case map(Errno)
  /// The program was not loaded, and the verifier did not say why: `EPERM` without CAP_BPF and CAP_PERFMON.
  case program(Errno)
  /// The verifier refused the program; what it said.
  case rejected(Errno, log: String)
  /// The program cannot be attached to the tracepoint: `ENOENT` where there is none of that name.
  case attach(Errno)
  /// The program cannot be run for a test.
  case testRun(Errno)

  /// The error number behind it.
  public var number: Errno {
    switch self {
    case .map(let error), .program(let error), .rejected(let error, _), .attach(let error), .testRun(let error): error
    }
  }

  /// A sentence for people; with the verifier's log, of several lines.
  public var description: String {
    switch self {
    case .map(let error): "a BPF map cannot be made: \(error)"
    case .program(let error): "a BPF program cannot be loaded: \(error)"
    case .rejected(let error, let log): "the kernel's verifier refuses the BPF program (\(error)):\n\(log)"
    case .attach(let error): "a BPF program cannot be attached: \(error)"
    case .testRun(let error): "a BPF program cannot be run for a test: \(error)"
    }
  }
}
