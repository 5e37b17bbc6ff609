import Histogram
import LinuxIO
import NVMeHost

/// What a thread has measured.
struct Load: Sendable {
  /// Latencies in ns.
  var latencies = Histogram<UInt64>(
    highestTrackableValue: 100_000_000_000, numberOfSignificantValueDigits: .three)
  /// How long was measured, in ns.
  var duration: UInt64 = 0
  /// CPU time of the thread meanwhile, in ns.
  var cpuTime: UInt64 = 0
  /// All commands, those before and after the measurement among them.
  var commands: UInt64 = 0
}

/// What the threads have measured. Any thread.
final class ThreadResults: Sendable {
  private let results = Locked<[Result<Load, HostError>]>([])

  func add(_ result: Result<Load, HostError>) { results.withLock { $0.append(result) } }

  /// All of it; the duration is the longest one.
  ///
  /// - Throws: what the first thread to fail threw.
  func total() throws(HostError) -> Load {
    var total = Load()
    for result in results.withLock({ $0 }) {
      let load = try result.get()
      total.latencies.add(load.latencies)
      total.duration = max(total.duration, load.duration)
      total.cpuTime += load.cpuTime
      total.commands += load.commands
    }
    return total
  }
}
