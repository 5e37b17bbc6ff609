import BPF
import LinuxIO

/// Why doorbell values cannot be had by eBPF: a sentence that says what to do.
public enum DoorbellTracerError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The process has not the rights.
  case notPermitted(BPFError)
  /// The tracepoint `kvm_mmio` is not there.
  case noTracepoint
  /// The kernel lacks something, or refuses the program.
  case refused(BPFError)
  /// Process numbers of this process are not those of the kernel, so that a client's process cannot be told.
  case pidNamespace
  /// A kernel on which runs of a program can interrupt each other, and are left out then.
  case realTimeKernel

  init(_ error: BPFError) {
    switch (error, error.number) {
    case (.attach, .noSuchFile): self = .noTracepoint
    case (.rejected, _): self = .refused(error)
    case (_, .notPermitted), (_, .accessDenied): self = .notPermitted(error)
    default: self = .refused(error)
    }
  }

  /// The sentence.
  public var description: String {
    switch self {
    case .notPermitted(let error):
      "\(error); run as root, or with CAP_BPF and CAP_PERFMON, and without lockdown=confidentiality"
    case .noTracepoint: "the kernel has no tracepoint kvm_mmio; load the module kvm, of a kernel with CONFIG_BPF_EVENTS"
    case .refused(let error):
      "\(error); it needs Linux 5.10 or newer with CONFIG_BPF_SYSCALL, CONFIG_BPF_EVENTS and, best, CONFIG_BPF_JIT"
    case .pidNamespace:
      "this process runs in a PID namespace of its own, where the processes of clients have other numbers; run it in that "
        + "of the host"
    case .realTimeKernel: "the kernel is preemptible everywhere (PREEMPT_RT), which can lose values; use another kernel"
    }
  }
}
