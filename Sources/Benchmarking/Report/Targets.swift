/// What nvmed is to reach, on two CPUs, in medians of one run.
extension Target {
  /// All targets, in order.
  public static let all: [Target] = path + null + memory + file + systemCalls + idle

  private static let path =
    ["null", "file"].map {
      Target(
        "path", "read 4 KiB, \($0): instructions, of the C reference's", ["storage": $0, "command": "read-4k"],
        .ratio("instructions", to: "c"), .atMost(1.2))
    } + [
      Target("path", "retains, allocations, locks for each command", [:], .value("forbidden"), .atMost(0))
    ]

  private static func device(_ way: String, depth: Int) -> [String: String] {
    ["way": way, "size": "4096", "queues": "1", "depth": "\(depth)"]
  }

  private static let null =
    [(1, 0.85e6), (32, 3.5e6), (128, 5e6)].map { depth, iops in
      Target(
        "null", "null 4 KiB, polled, QD \(depth): IOPS", device("polled", depth: depth), .value("iops"), .atLeast(iops))
    } + [
      Target(
        "null", "null 4 KiB, polled, QD 128: daemon CPU for each command", device("polled", depth: 128),
        .value("cpu_ns"), .atMost(200), unit: (1, " ns")),
      Target(
        "null", "null 4 KiB, events, QD 1: latency, of an eventfd round trip", device("events", depth: 1),
        .ratioToRoundTrip("mean_ns"), .atMost(1.3)),
    ]

  private static let memory = [(1, 0.6e6), (128, 1.5e6)].map { depth, iops in
    Target(
      "memory", "memory 4 KiB, polled, QD \(depth): IOPS", device("polled", depth: depth), .value("iops"),
      .atLeast(iops))
  }

  private static func image(_ pattern: String, size: Int, depth: Int) -> [String: String] {
    ["pattern": pattern, "size": "\(size)", "depth": "\(depth)"]
  }

  private static let file: [Target] = ["randread", "randwrite"].flatMap { pattern in
    [
      Target(
        "file", "file \(pattern) 4 KiB, QD 1: latency over fio's, in wake-ups by eventfd",
        image(pattern, size: 4096, depth: 1), .wakeUpsOver("mean_ns", runner: "fio"), .atMost(1))
    ]
      + [32, 128].flatMap { depth in
        [
          Target(
            "file", "file \(pattern) 4 KiB, QD \(depth): IOPS, of fio's", image(pattern, size: 4096, depth: depth),
            .ratio("iops", to: "fio"), .atLeast(0.97)),
          Target(
            "file", "file \(pattern) 4 KiB, QD \(depth), two I/O threads: IOPS, of fio's", runner: "nvmed-2",
            image(pattern, size: 4096, depth: depth), .ratio("iops", to: "fio"), .atLeast(1)),
        ]
      } + [
        Target(
          "file", "file \(pattern) 128 KiB, QD 8: IOPS, of fio's", image(pattern, size: 131_072, depth: 8),
          .ratio("iops", to: "fio"), .atLeast(0.99))
      ]
  }

  private static let systemCalls =
    ["null", "memory"].map {
      Target(
        $0, "\($0) 4 KiB, events, QD 32: system calls for each command", device("events", depth: 32),
        .value("syscalls"), .atMost(0.15))
    }
    + ["randread", "randwrite"].map {
      Target(
        "file", "file \($0) 4 KiB, QD 32: system calls for each command", image($0, size: 4096, depth: 32),
        .value("syscalls"), .atMost(0.15))
    }

  private static let idle = [
    Target("idle", "16 attached guests, events: wake-ups", ["way": "events"], .value("idle_wakeups"), .atMost(0)),
    Target(
      "scale", "RSS for each controller over the first", [:], .slope("rss_bytes"), .atMost(1.5),
      unit: (1_048_576, " MiB")),
    Target(
      "scale", "ready on the socket", ["controllers": "1"], .value("ready_ms"), .atMost(30), unit: (1, " ms")),
  ]

  /// Holds results against the targets of their suites: in the order of the targets, those without a result left out.
  public static func outcomes(_ results: [BenchResult]) -> [Outcome] {
    let summaries = results.filter { BenchSummary($0).builds.isEmpty }.map { ($0.suite, BenchSummary($0)) }
    return all.flatMap { target in
      summaries.filter { $0.0 == target.suite }.flatMap { target.outcomes($0.1) }
    }
  }

  /// The table of outcomes.
  public static func table(_ outcomes: [Outcome]) -> String {
    var table = TextTable([
      TextTable.Column("target", isNumber: false), TextTable.Column("limit"), TextTable.Column("measured"),
      TextTable.Column("", isNumber: false),
    ])
    for outcome in outcomes {
      let verdict =
        switch outcome.isMet {
        case true?: "met"
        case false?: "MISSED"
        case nil: "-"
        }
      table.add([outcome.text, outcome.limit, outcome.measured, verdict])
    }
    return table.text
  }
}
