import CLinux
import Glibc
import LinuxIO

/// The filter of system calls (`seccomp(2)`).
enum SystemCallFilter {
  /// `SECCOMP_FILTER_FLAG_TSYNC` and `SPEC_ALLOW`: all threads have it; and the kernel does not slow the process down by
  /// mitigations against code that it runs for others, as it runs none.
  private static let flags: UInt32 = 1 << 0 | 1 << 2
  /// `SECCOMP_FILTER_FLAG_LOG`: what it refuses is logged.
  private static let logs: UInt32 = 1 << 1

  /// Whether this kernel has filters that answer as is wanted.
  static var isAvailable: Bool { clinux_seccomp_has_action(FilterAction.fail(0).rawValue & 0xffff_0000) == 0 }

  /// Installs a filter in all threads of the process, beside those that it has: of their answers the strictest counts.
  /// After `no_new_privs`.
  ///
  /// - Parameter isLogged: whether the kernel logs what this filter refuses.
  /// - Throws: `EBUSY` where another thread has a filter of its own.
  static func install(_ rules: [SystemCallRule], refusal: FilterAction, isLogged: Bool = true) throws(Errno) {
    let program = FilterAssembler(rules: rules, refusal: refusal).instructions
    let result = unsafe program.withUnsafeBufferPointer { instructions in
      unsafe clinux_seccomp_filter(
        instructions.baseAddress, UInt16(clamping: instructions.count), isLogged ? flags | logs : flags)
    }
    try succeed(result)
  }
}
