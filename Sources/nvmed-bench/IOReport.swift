import Benchmarking
import LinuxIO

/// What `nvmed-bench io` prints.
struct IOReport {
  private let bench: IOBench
  private let load: Load
  private let daemon: DaemonMeter.Usage?

  init(bench: IOBench, load: Load, daemon: DaemonMeter.Usage?) {
    self.bench = bench
    self.load = load
    self.daemon = daemon
  }

  private var count: UInt64 { load.latencies.totalCount }
  private var seconds: Double { Double(load.duration) / 1e9 }
  private var iops: Double { seconds > 0 ? Double(count) / seconds : 0 }
  private var hostCPU: Double { count > 0 ? Double(load.cpuTime) / Double(count) : 0 }

  private static let percentiles: [(name: String, value: Double)] = [("p50", 50), ("p99", 99), ("p99.9", 99.9)]

  /// For people.
  var text: String {
    let megabytes = iops * Double(bench.bs) / 1e6
    var lines = [
      "\(bench.pattern.rawValue) \(bench.bs) B, \(bench.queues) x \(bench.qd) in flight, \(bench.doorbells.rawValue), "
        + "\(bench.completion.rawValue), \(fixed(seconds, 2)) s",
      "IOPS     \(fixed(iops, 0))  (\(fixed(megabytes, 1)) MB/s)",
      "latency  mean \(microseconds(load.latencies.mean)) us",
    ]
    for percentile in Self.percentiles {
      lines[2] += "  \(percentile.name) \(microseconds(Double(load.latencies.valueAtPercentile(percentile.value))))"
    }
    lines[2] += "  max \(microseconds(Double(load.latencies.maxRecorded)))"
    lines.append("host     \(fixed(hostCPU, 0)) ns of CPU for each command")
    if let daemon {
      lines.append(
        "daemon   \(fixed(perCommand(daemon.cpuTime), 0)) ns of CPU for each command, "
          + "\(fixed(perCommand(daemon.switches), 4)) switches of context")
      if let calls = daemon.systemCalls {
        let names = callsPerCommand(calls).map { "\($0.name) \(fixed($0.count, 4))" }
        lines.append("calls    \(fixed(perCommand(calls.values.reduce(0, +)), 4)): \(names.joined(separator: ", "))")
      }
    }
    return lines.joined(separator: "\n")
  }

  /// For programs: one line. Latencies are in ns.
  var json: String {
    var latencies = ["\"mean\":\(fixed(load.latencies.mean, 0))", "\"min\":\(load.latencies.min)"]
    for percentile in Self.percentiles {
      latencies.append("\"\(percentile.name)\":\(load.latencies.valueAtPercentile(percentile.value))")
    }
    latencies.append("\"max\":\(load.latencies.maxRecorded)")
    var fields = [
      "\"pattern\":\"\(bench.pattern.rawValue)\"", "\"block_size\":\(bench.bs)", "\"queue_depth\":\(bench.qd)",
      "\"queues\":\(bench.queues)", "\"doorbells\":\"\(bench.doorbells.rawValue)\"",
      "\"completion\":\"\(bench.completion.rawValue)\"", "\"seconds\":\(fixed(seconds, 3))", "\"commands\":\(count)",
      "\"iops\":\(fixed(iops, 1))", "\"bytes_per_second\":\(fixed(iops * Double(bench.bs), 0))",
      "\"latency_ns\":{\(latencies.joined(separator: ","))}", "\"host_cpu_ns_per_command\":\(fixed(hostCPU, 0))",
    ]
    if let daemon {
      fields.append("\"daemon_cpu_ns_per_command\":\(fixed(perCommand(daemon.cpuTime), 1))")
      fields.append("\"daemon_switches_per_command\":\(fixed(perCommand(daemon.switches), 6))")
      if let calls = daemon.systemCalls {
        let names = callsPerCommand(calls).map { "\"\($0.name)\":\(fixed($0.count, 6))" }
        fields.append(
          "\"daemon_calls_per_command\":\(fixed(perCommand(calls.values.reduce(0, +)), 6))")
        fields.append("\"daemon_calls\":{\(names.joined(separator: ","))}")
      }
    }
    return "{\(fields.joined(separator: ","))}"
  }

  /// The daemon's share of each command of the load, the warm-up included: all of it was paid for.
  private func perCommand(_ total: UInt64) -> Double {
    load.commands > 0 ? Double(total) / Double(load.commands) : 0
  }

  /// The most frequent first.
  private func callsPerCommand(_ calls: [Int: UInt64]) -> [(name: String, count: Double)] {
    calls.sorted { ($0.value, $1.key) > ($1.value, $0.key) }.map { (SystemCallName.of($0.key), perCommand($0.value)) }
  }

  private func microseconds(_ nanoseconds: Double) -> String { fixed(nanoseconds / 1000, 1) }

  private func fixed(_ value: Double, _ decimals: Int) -> String {
    value.isFinite ? decimal(value, decimals) : "0"
  }
}
