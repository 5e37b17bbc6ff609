import BPF
import Doorbells

/// Whether doorbell values can be had by eBPF, on a kernel whose KVM does not store them: the program is loaded, attached
/// to the tracepoint, and gone again.
struct EBPFCheck: HostCheck {
  /// Whether a configuration says `post_write = "ebpf"`, with which the daemon does not start without.
  var isRequired = false

  func findings() -> [Finding] {
    do throws(DoorbellTracerError) {
      _ = try DoorbellTracer.load(clients: 1)
      return [finding(of: nil)]
    } catch { return [finding(of: error)] }
  }

  func finding(of error: DoorbellTracerError?) -> Finding {
    switch error {
    case nil:
      finding(
        .ok,
        "the program that stores doorbells' values was loaded and attached. A monitor that asks nvmed for the "
          + "doorbells' eventfds rings without a message, on a KVM without POST_WRITE too.")
    case .notPermitted(let error):
      finding(
        isRequired ? .missing : .limited, "this user may not load programs (\(error)).",
        remedy: "run nvmed as root, or with CAP_BPF and CAP_PERFMON, and without lockdown=confidentiality")
    case .noTracepoint:
      finding(
        isRequired ? .missing : .limited, "the kernel has no tracepoint kvm_mmio.",
        remedy: "load the module kvm, of a kernel with CONFIG_BPF_EVENTS")
    case .refused(let error):
      finding(
        isRequired ? .missing : .limited, "\(EBPFCheck.firstLine(error)).",
        remedy: "run Linux 5.10 or newer with CONFIG_BPF_SYSCALL and CONFIG_BPF_EVENTS")
    case .pidNamespace:
      finding(
        isRequired ? .missing : .limited,
        "this process is in a PID namespace of its own, where the processes of monitors have other numbers.",
        remedy: "run nvmed in the PID namespace of the host")
    case .realTimeKernel:
      finding(
        isRequired ? .missing : .limited, "this kernel is preemptible everywhere (PREEMPT_RT) and could lose values.",
        remedy: "run another kernel")
    }
  }

  /// What the verifier says besides is for developers.
  private static func firstLine(_ error: BPFError) -> String {
    let line = "\(error)".prefix { $0 != "\n" }
    return String(line.hasSuffix(":") ? line.dropLast() : line)
  }

  private func finding(_ verdict: Finding.Verdict, _ reason: String, remedy: String? = nil) -> Finding {
    Finding("kvm.ebpf", "eBPF", verdict, reason, remedy: remedy)
  }
}
