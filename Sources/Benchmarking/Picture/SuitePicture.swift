/// The picture of a result.
extension BenchResult {
  /// The diagrams of the suite.
  ///
  /// - Returns: nil for a suite that is not known.
  public var picture: Picture? {
    guard let view = SuiteView.named(suite) else { return nil }
    let summary = BenchSummary(self)
    let charts = SuiteCharts(view, summary)
    let builds = summary.builds
    let rows: [[Chart]] =
      switch suite {
      case _ where builds.count == 2: charts.comparison(builds[0], builds[1])
      case "path":
        [
          [
            charts.bars("instructions", "Instructions for each command"),
            charts.ratios("instructions", "Instructions, of the C reference's", to: "c", limit: (1.2, "target")),
          ],
          [charts.bars("ns", "CPU time for each command, ns", isLogarithmic: true)],
        ]
      case "null", "memory":
        charts.byDepth([("iops", "IOPS"), ("cpu_ns", "daemon CPU for each command, ns"), ("p99_ns", "p99 latency, ns")])
      case "file":
        charts.byLayout { charts, name in
          [
            [charts.ratios("iops", "IOPS, of fio's\(name)", to: "fio", limit: (1, "fio"))],
            [charts.bars("cpu_ns", "CPU for each command, ns\(name)")],
            [charts.bars("mean_ns", "Mean latency, ns\(name)", isLogarithmic: true)],
          ]
        }
      case "guest":
        [
          [charts.ratios("iops", "IOPS, of QEMU's own device's", to: "qemu", limit: (1, "QEMU"))],
          [charts.bars("iops", "IOPS in the guest")],
        ]
      case "scale":
        [
          [
            charts.lines("Memory, KiB", [("rss_bytes", "RSS", 1024), ("pss_bytes", "Pss", 1024)]),
            charts.overFirst(
              "Memory for each controller over the first, KiB",
              [("rss_bytes", "RSS", 1024), ("pss_bytes", "Pss", 1024)], of: "controllers"),
          ],
          [
            charts.lines("Start, ms", [("ready_ms", "ready", 1), ("first_command_ms", "first command", 1)]),
            charts.lines("Threads and descriptors", [("threads", "threads", 1), ("descriptors", "descriptors", 1)]),
            charts.lines("Daemon CPU for each command, ns", [("cpu_ns", "CPU", 1)]),
          ],
        ]
      case "idle":
        [
          [charts.bars("idle_wakeups", "Wake-ups while nobody asks for anything")],
          [charts.bars("idle_cpu_ns", "CPU time meanwhile, ns")],
        ]
      case "isolation":
        [
          [charts.bars("p99_factor", "p99 latency next to an attack, of that alone", isLogarithmic: true)],
          [charts.bars("attacked_p99_ns", "p99 latency next to an attack, ns", isLogarithmic: true)],
        ]
      default: []
      }
    return Picture(
      "\(suite): \(view.title)",
      subtitles: [
        [
          "nvmed \(commit)", machine["cpu"], machine["cpus"].map { "\($0) CPUs" },
          machine["kernel"].map { "Linux \($0)" },
        ].compactMap(\.self).joined(separator: ", "),
        placement, "Medians; thin lines from the least to the greatest of all rounds.",
      ].filter { !$0.isEmpty },
      rows: rows)
  }
}

/// Diagrams of a suite's values.
private struct SuiteCharts {
  private let view: SuiteView
  private let summary: BenchSummary
  private let cases: [[String: String]]
  /// The axes in which the cases differ.
  private let axes: [SuiteView.Axis]

  init(_ view: SuiteView, _ summary: BenchSummary) {
    self.init(view, summary, summary.cases.filter { !$0.isEmpty })
  }

  private init(_ view: SuiteView, _ summary: BenchSummary, _ cases: [[String: String]]) {
    self.view = view
    self.summary = summary
    self.cases = cases
    let varying = view.axes.filter { axis in Set(cases.map { $0[axis.key] }).count > 1 }
    axes = varying.isEmpty ? Array(view.axes.suffix(1)) : varying
  }

  private func place(_ parameters: [String: String]) -> String {
    axes.map { axis in (axis.key == "depth" ? "QD " : "") + axis.text(parameters) }.joined(separator: "\n")
  }

  private func name(_ subject: BenchSummary.Subject) -> String {
    [subject.runner, subject.build].compactMap(\.self).joined(separator: " ")
  }

  func bars(_ key: String, _ title: String, isLogarithmic: Bool = false) -> Chart {
    Chart(
      title, .bars, isLogarithmic: isLogarithmic, places: cases.map(place),
      series: summary.subjects.map { subject in
        Chart.Series(name(subject), cases.map { summary.spread(key, of: subject, in: $0) })
      })
  }

  func ratios(_ key: String, _ title: String, to base: String, limit: (value: Double, name: String)) -> Chart {
    Chart(
      title, .bars, places: cases.map(place),
      series: summary.subjects.filter { $0.runner != base }.map { subject in
        Chart.Series(
          name(subject),
          cases.map {
            summary.ratio(key, of: subject, to: BenchSummary.Subject(base, build: subject.build), in: $0)
          })
      }, reference: limit)
  }

  /// What the values of the second build are of the first one's, a diagram for each.
  func comparison(_ first: String, _ second: String) -> [[Chart]] {
    let runners = summary.subjects.filter { $0.build == first }.map(\.runner)
    return view.columns.filter(\.isCompared).map { column in
      [
        Chart(
          "\(column.title): \(second), of \(first)'s", .bars, places: cases.map(place),
          series: runners.map { runner in
            Chart.Series(
              runner,
              cases.map {
                summary.ratio(
                  column.key, of: BenchSummary.Subject(runner, build: second),
                  to: BenchSummary.Subject(runner, build: first), in: $0)
              })
          }, reference: (1, first))
      ]
    }
  }

  /// A line for each value, over the suite's one axis.
  func lines(_ title: String, _ values: [(key: String, name: String, unit: Double)]) -> Chart {
    Chart(
      title, .lines, places: cases.map(place),
      series: values.flatMap { value in
        summary.subjects.map { subject in
          Chart.Series(
            [value.name, subject.build].compactMap(\.self).joined(separator: " "),
            cases.map { parameters in
              Spread(summary.rounds(value.key, of: subject, in: parameters).values.map { $0 / value.unit })
            })
        }
      })
  }

  /// The same of what each more of a parameter costs: flat, if they all cost the same.
  func overFirst(
    _ title: String, _ values: [(key: String, name: String, unit: Double)], of parameter: String
  ) -> Chart {
    let others = cases.dropFirst()
    return Chart(
      title, .lines, places: others.map(place),
      series: values.flatMap { value in
        summary.subjects.map { subject in
          let first = cases.first.map { summary.rounds(value.key, of: subject, in: $0) } ?? [:]
          let start = cases.first?[parameter].flatMap(Double.init) ?? 0
          return Chart.Series(
            [value.name, subject.build].compactMap(\.self).joined(separator: " "),
            others.map { parameters in
              let more = (parameters[parameter].flatMap(Double.init) ?? 0) - start
              return Spread(
                summary.rounds(value.key, of: subject, in: parameters).compactMap { round, bytes in
                  first[round].map { (bytes - $0) / value.unit / more }
                })
            })
        }
      })
  }

  /// A row for each size and number of queues: diagrams of values over the depth, a line for each way.
  func byDepth(_ values: [(key: String, title: String)]) -> [[Chart]] {
    let shapes = distinct(cases.map { [$0["size"] ?? "", $0["queues"] ?? ""] })
    let ways = distinct(cases.compactMap { $0["way"] })
    return shapes.map { shape in
      let own = cases.filter { $0["size"] == shape[0] && $0["queues"] == shape[1] }
      let depths = distinct(own.compactMap { $0["depth"] })
      let queues = shape[1] == "1" ? "1 queue" : "\(shape[1]) queues"
      return values.map { value in
        Chart(
          "\(blockSize(shape[0])), \(queues): \(value.title)", .lines, isLogarithmic: true,
          places: depths.map { "QD \($0)" },
          series: ways.flatMap { way in
            summary.subjects.map { subject in
              Chart.Series(
                [way, subject.build].compactMap(\.self).joined(separator: " "),
                depths.map { depth in
                  own.first { $0["way"] == way && $0["depth"] == depth }
                    .flatMap { summary.spread(value.key, of: subject, in: $0) }
                })
            }
          })
      }
    }
  }

  /// The diagrams of each layout; its name is told where there are several.
  func byLayout(_ make: (SuiteCharts, String) -> [[Chart]]) -> [[Chart]] {
    let layouts = distinct(cases.compactMap { $0["layout"] })
    return layouts.flatMap { layout in
      let own = SuiteCharts(view, summary, cases.filter { $0["layout"] == layout })
      return make(own, layouts.count > 1 ? " (\(layout))" : "")
    }
  }

  private func distinct<Value: Hashable>(_ values: [Value]) -> [Value] {
    var seen: Set<Value> = []
    return values.filter { seen.insert($0).inserted }
  }
}
