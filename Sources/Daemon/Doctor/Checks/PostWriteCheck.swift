import LinuxIO

#if canImport(KVM)
  import KVM
#endif

/// Whether this kernel stores a doorbell's value before it signals (POST_WRITE).
struct PostWriteCheck: HostCheck {
  var devicePath = "/dev/kvm"

  func findings() -> [Finding] {
    #if canImport(KVM)
      return [finding(of: PostWriteSupport.probe(devicePath: devicePath))]
    #else
      return [finding(.limited, "not tried on this architecture. \(PostWriteCheck.messages)")]
    #endif
  }

  /// What happens without.
  private static let messages =
    "By post_write = \"auto\" nvmed stores the values by eBPF, where it can (see eBPF); else monitors forward doorbells as "
    + "messages, which works, and costs an exit and a message for each."

  #if canImport(KVM)
    func finding(of support: PostWriteSupport) -> Finding {
      switch support {
      case .supported:
        finding(
          .ok,
          "a guest rang a doorbell, and its value was in memory with the signal. A monitor that asks nvmed for the "
            + "doorbells' eventfds rings without a message.")
      case .refused(let error):
        finding(
          .limited,
          "KVM_IOEVENTFD refuses the flag (\(error)): this kernel does not have it. "
            + PostWriteCheck.messages,
          remedy: "nothing, where eBPF is ok; else run a kernel with the POST_WRITE patch")
      case .acceptsMisuse(let misuse):
        finding(
          .limited,
          "bit 5 of KVM_IOEVENTFD's flags is something else in this kernel: it accepts \(misuse). "
            + PostWriteCheck.messages,
          remedy: "run a kernel with the POST_WRITE patch; keep monitors from using that bit on this one")
      case .doesNotPost(let exit, let signals, let value):
        finding(
          .limited,
          "the flag is accepted, and a guest's doorbell does not arrive as it must (\(exit), \(signals) "
            + "signals, value \(value)). " + PostWriteCheck.messages,
          remedy: "report it with the version of the kernel; keep monitors from using the flag on this one")
      case .noVirtualMachine(let error):
        finding(.limited, "cannot be tried without KVM (\(error)).", remedy: "see KVM")
      }
    }
  #endif

  private func finding(_ verdict: Finding.Verdict, _ reason: String, remedy: String? = nil) -> Finding {
    Finding("kvm.post_write", "POST_WRITE", verdict, reason, remedy: remedy)
  }
}
