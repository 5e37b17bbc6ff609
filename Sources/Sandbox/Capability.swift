import CLinux
import LinuxIO

/// A right of `capabilities(7)` that a mode of the daemon needs after start-up.
public enum Capability: Int32, Sendable, CaseIterable {
  /// `CAP_PERFMON`: attaching an eBPF program to a tracepoint.
  case performanceMonitoring = 38
  /// `CAP_BPF`: loading and changing what eBPF programs use.
  case bpf = 39
  /// `CAP_SYS_PTRACE`: seeing whether another user's process runs a virtual machine.
  case trace = 19
}

/// The capabilities of the process, which are those of its first thread as long as there is no other.
enum Capabilities {
  /// Gives up all capabilities but those of `kept` that the process has, also for programs that it could run.
  ///
  /// Of the calling thread and of those that it starts from then on.
  static func limit(to kept: Set<Capability>) throws(Errno) {
    var effective: UInt64 = 0
    var permitted: UInt64 = 0
    var inheritable: UInt64 = 0
    try succeed(unsafe clinux_get_capabilities(&effective, &permitted, &inheritable))
    let wanted = kept.reduce(0 as UInt64) { $0 | 1 << UInt64($1.rawValue) } & permitted
    dropBounding(except: wanted)
    // EINVAL before Linux 4.3, which had no ambient ones.
    _ = clinux_clear_ambient_capabilities()
    // A service manager's filter may forbid the call to who has none.
    if effective == wanted, permitted == wanted, inheritable == 0 { return }
    try succeed(clinux_set_capabilities(wanted, wanted, 0))
  }

  /// Which of the permitted capabilities the calling thread has.
  static func current() throws(Errno) -> UInt64 {
    var effective: UInt64 = 0
    var permitted: UInt64 = 0
    var inheritable: UInt64 = 0
    try succeed(unsafe clinux_get_capabilities(&effective, &permitted, &inheritable))
    return permitted
  }

  /// Only who has CAP_SETPCAP may do it; without, `no_new_privs` has the same effect.
  private static func dropBounding(except kept: UInt64) {
    for number in 0..<64 as Range<Int32> where kept & 1 << UInt64(number) == 0 {
      if clinux_drop_bounding_capability(number) != 0 { return }
    }
  }
}

/// Throws `errno` where a call answered -1.
func succeed(_ result: Int32) throws(Errno) { if result < 0 { throw Errno.current } }
