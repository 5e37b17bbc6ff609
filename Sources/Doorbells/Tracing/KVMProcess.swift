import Glibc
import LinuxIO

/// How many virtual machines a process runs.
///
/// Who connects a socket, or makes a pair of them, need not be who uses it: a launcher may hand it over, and a process
/// that forks keeps the number of its parent on it (`SO_PEERCRED`). An entry for a process without a VM would never match.
/// And the tracepoint tells the process and the address, not the VM: of several VMs in one process, which usually have
/// their devices at the same addresses, it is not known whose doorbell it was.
public enum KVMProcess {
  /// What `/proc/PID/fd` shows of the descriptor of a VM.
  private static let machineLink = "anon_inode:kvm-vm"
  /// Descriptors that are looked at; more are no VMM.
  private static let limit = 65_536

  /// How many descriptors of VMs the process has; a second one of the same VM counts too.
  ///
  /// - Parameter process: as this process numbers it; 0: it is not visible from here.
  /// - Throws: the `errno` of `opendir(3)`: `ENOENT` without such a process, `EACCES` where its descriptors may not be
  ///   seen, which takes its user or CAP_SYS_PTRACE.
  public static func machineCount(_ process: pid_t) throws(Errno) -> Int {
    guard process > 0 else { throw .noSuchFile }
    let path = "/proc/\(process)/fd"
    guard let folder = unsafe opendir(path) else { throw Errno.current }
    defer { unsafe closedir(folder) }
    let number = unsafe dirfd(folder)
    let expected = Array(machineLink.utf8)
    var count = 0
    for _ in 0..<limit {
      guard let entry = unsafe readdir(folder) else { return count }
      let isMachine = unsafe withUnsafePointer(to: &entry.pointee.d_name) { name in
        unsafe name.withMemoryRebound(to: CChar.self, capacity: 256) { name in
          unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { target in
            guard let base = target.baseAddress,
              unsafe readlinkat(number, name, base, target.count) == expected.count
            else { return false }
            return unsafe zip(target, expected).allSatisfy { UInt8(bitPattern: $0) == $1 }
          }
        }
      }
      if isMachine { count += 1 }
    }
    return count
  }
}
