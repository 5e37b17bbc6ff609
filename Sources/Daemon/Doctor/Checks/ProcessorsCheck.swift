import CLinux
import LinuxIO

/// Whether there are CPUs for the I/O threads, and whether they can be placed as configured.
struct ProcessorsCheck: HostCheck {
  /// The I/O threads that are wanted.
  var ioThreads = 1
  /// The CPUs that they are to run on; empty: any.
  var ioCPUs: [Int32] = []
  /// CPUs that this process may run on.
  var available = Int(clinux_affinity_count())

  func findings() -> [Finding] { [count()] + (ioCPUs.isEmpty ? [] : [placement()]) }

  private func count() -> Finding {
    let (identifier, title) = ("limits.cpus", "CPUs")
    guard available > 0 else {
      return Finding(identifier, title, .limited, "how many nvmed may run on cannot be found out.")
    }
    let state = "nvmed may run on \(available); I/O threads wanted: \(ioThreads)."
    guard ioThreads > available else { return Finding(identifier, title, .ok, state) }
    return Finding(
      identifier, title, .limited, state + " Threads that wait for each other's CPU are slower than fewer.",
      remedy: "set io_threads = \(available) at most, or give nvmed more CPUs (taskset, AllowedCPUs= of systemd)")
  }

  private func placement() -> Finding {
    let (identifier, title) = ("limits.io_cpus", "io_cpus")
    let refused = ProcessorsCheck.refused(ioCPUs)
    guard !refused.isEmpty else {
      return Finding(identifier, title, .ok, "a thread can be placed on each of \(ProcessorsCheck.list(ioCPUs)).")
    }
    return Finding(
      identifier, title, .missing,
      "no thread can be placed on CPU \(ProcessorsCheck.list(refused)), and I/O threads are to run there.",
      remedy: "correct io_cpus, or allow those CPUs (AllowedCPUs= of systemd, cpuset of a container)")
  }

  /// Those of `cpus` that a thread cannot be placed on.
  static func refused(_ cpus: [Int32]) -> [Int32] {
    final class Result: Sendable { let refused = Locked<[Int32]>([]) }
    let result = Result()
    // A thread of its own, as its place stays.
    let thread = try? Thread(name: "nvmed-doctor") {
      let found = cpus.filter { cpu in
        let places = [cpu]
        return unsafe clinux_set_affinity(places, 1) != 0
      }
      result.refused.withLock { $0 = found }
    }
    thread?.join()
    return result.refused.withLock { $0 }
  }

  static func list(_ cpus: [Int32]) -> String { cpus.map(String.init).joined(separator: ", ") }
}
