import LinuxIO

/// What `nvmed-bench io` prints.
struct IOReport {
  private let bench: IOBench
  private let load: Load

  init(bench: IOBench, load: Load) {
    self.bench = bench
    self.load = load
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
    return lines.joined(separator: "\n")
  }

  /// For programs: one line. Latencies are in ns.
  var json: String {
    var latencies = ["\"mean\":\(fixed(load.latencies.mean, 0))", "\"min\":\(load.latencies.min)"]
    for percentile in Self.percentiles {
      latencies.append("\"\(percentile.name)\":\(load.latencies.valueAtPercentile(percentile.value))")
    }
    latencies.append("\"max\":\(load.latencies.maxRecorded)")
    let fields = [
      "\"pattern\":\"\(bench.pattern.rawValue)\"", "\"block_size\":\(bench.bs)", "\"queue_depth\":\(bench.qd)",
      "\"queues\":\(bench.queues)", "\"doorbells\":\"\(bench.doorbells.rawValue)\"",
      "\"completion\":\"\(bench.completion.rawValue)\"", "\"seconds\":\(fixed(seconds, 3))", "\"commands\":\(count)",
      "\"iops\":\(fixed(iops, 1))", "\"bytes_per_second\":\(fixed(iops * Double(bench.bs), 0))",
      "\"latency_ns\":{\(latencies.joined(separator: ","))}", "\"host_cpu_ns_per_command\":\(fixed(hostCPU, 0))",
    ]
    return "{\(fields.joined(separator: ","))}"
  }

  private func microseconds(_ nanoseconds: Double) -> String { fixed(nanoseconds / 1000, 1) }

  /// A number that is not negative, with so many decimals.
  private func fixed(_ value: Double, _ decimals: Int) -> String {
    var unit: UInt64 = 1
    for _ in 0..<decimals { unit *= 10 }
    let scaled = (value * Double(unit)).rounded()
    guard scaled.isFinite, scaled >= 0, scaled < 1e18 else { return "0" }
    let whole = UInt64(scaled)
    if decimals == 0 { return "\(whole)" }
    let fraction = String(whole % unit)
    return "\(whole / unit)." + String(repeating: "0", count: decimals - fraction.count) + fraction
  }
}
