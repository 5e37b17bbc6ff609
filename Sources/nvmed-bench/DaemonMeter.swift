import Benchmarking
import Glibc
import LinuxIO

/// What a daemon uses for the commands of a load: measured from outside, between two calls.
struct DaemonMeter: ~Copyable {
  /// What it has used for some commands.
  struct Usage: Sendable {
    let cpuTime: UInt64
    let switches: UInt64
    /// System calls by number; nil: they were not counted.
    let systemCalls: [Int: UInt64]?
  }

  private let process: pid_t
  private let calls: SystemCallCounter?
  private var before: ProcessUsage
  private var callsBefore: [Int: UInt64] = [:]

  /// - Parameter countsCalls: whether system calls are counted, which costs each of them some ns.
  init(process: pid_t, countsCalls: Bool) throws {
    let before = try ProcessUsage(process: process)
    let calls = countsCalls ? try SystemCallCounter(process: process) : nil
    self.process = process
    self.calls = calls
    self.before = before
  }

  /// Begins here.
  mutating func begin() throws(Errno) {
    callsBefore = calls?.counts() ?? [:]
    before = try ProcessUsage(process: process)
  }

  /// What was used since.
  func end() throws(Errno) -> Usage {
    let after = try ProcessUsage(process: process)
    let counts = calls?.counts()
    return Usage(
      cpuTime: after.cpuTime - before.cpuTime, switches: after.switches - before.switches,
      systemCalls: counts.map { counts in
        var difference: [Int: UInt64] = [:]
        for (number, count) in counts where count > callsBefore[number] ?? 0 {
          difference[number] = count - (callsBefore[number] ?? 0)
        }
        return difference
      })
  }
}
