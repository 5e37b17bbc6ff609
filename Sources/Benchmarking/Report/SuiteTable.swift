/// Tables of a result, for a terminal.
extension SuiteView {
  /// Medians of all rounds, a line for each case and runner; of two builds their ratio instead.
  public func table(of summary: BenchSummary) -> String {
    let builds = summary.builds
    if builds.count == 2 { return comparison(of: summary, builds[0], builds[1]) }
    var table = TextTable(
      axes.map { TextTable.Column($0.title, isNumber: false) } + [TextTable.Column("", isNumber: false)]
        + columns.flatMap { column in
          [TextTable.Column(column.title)] + (column.hasSpread ? [TextTable.Column("min - max")] : [])
        }
        + (ratio.map { [TextTable.Column("to \($0.to)"), TextTable.Column("min - max")] } ?? []))
    for parameters in summary.cases where !parameters.isEmpty {
      for subject in summary.subjects where summary.has(subject, in: parameters) {
        var cells = axes.map { $0.text(parameters) } + [subject.runner]
        for column in columns {
          let spread = summary.spread(column.key, of: subject, in: parameters)
          cells.append(spread.map { column.text($0.median) } ?? "")
          if column.hasSpread {
            cells.append(spread.map { "\(column.text($0.minimum)) - \(column.text($0.maximum))" } ?? "")
          }
        }
        if let ratio, subject.runner != ratio.to,
          let spread = summary.ratio(
            ratio.key, of: subject, to: BenchSummary.Subject(ratio.to, build: subject.build), in: parameters)
        {
          cells += [decimal(spread.median, 3), "\(decimal(spread.minimum, 3)) - \(decimal(spread.maximum, 3))"]
        }
        table.add(cells)
      }
    }
    return ([table.text] + common(summary) + fitted(summary)).joined(separator: "\n")
  }

  /// What the second build's values are of the first one's, in the same round.
  private func comparison(of summary: BenchSummary, _ first: String, _ second: String) -> String {
    let compared = columns.filter(\.isCompared)
    var table = TextTable(
      axes.map { TextTable.Column($0.title, isNumber: false) } + [TextTable.Column("", isNumber: false)]
        + compared.flatMap { [TextTable.Column($0.title), TextTable.Column("ratio"), TextTable.Column("min - max")] })
    for parameters in summary.cases where !parameters.isEmpty {
      for subject in summary.subjects where subject.build == first && summary.has(subject, in: parameters) {
        let other = BenchSummary.Subject(subject.runner, build: second)
        var cells = axes.map { $0.text(parameters) } + [subject.runner]
        for column in compared {
          guard let before = summary.spread(column.key, of: subject, in: parameters),
            let after = summary.spread(column.key, of: other, in: parameters)
          else {
            cells += ["", "", ""]
            continue
          }
          cells.append("\(column.text(before.median)) -> \(column.text(after.median))")
          if let ratio = summary.ratio(column.key, of: other, to: subject, in: parameters) {
            cells += [decimal(ratio.median, 3), "\(decimal(ratio.minimum, 3)) - \(decimal(ratio.maximum, 3))"]
          } else {
            cells += ["", ""]
          }
        }
        table.add(cells)
      }
    }
    return "\(first) -> \(second), and the ratios of the turns of each round\n\(table.text)"
  }

  /// What was measured for all cases together.
  private func common(_ summary: BenchSummary) -> [String] {
    summary.subjects.compactMap { subject in
      summary.spread(BenchSummary.roundTrip, of: subject, in: [:]).map {
        "two threads that wake each other by eventfd: \(decimal($0.median, 0)) ns there and back"
          + " (\(decimal($0.minimum, 0)) - \(decimal($0.maximum, 0)))"
      }
    }
  }

  private func fitted(_ summary: BenchSummary) -> [String] {
    guard let fits else { return [] }
    return summary.subjects.flatMap { subject in
      columns.filter { fits.keys.contains($0.key) }.compactMap { column in
        summary.fit(column.key, over: fits.over, of: subject).map { line in
          let decimals = max(column.decimals, 2)
          return "\(column.title): \(decimal(line.slope / column.unit, decimals)) for each more of \(fits.over)"
            + ", \(decimal(line.value(at: 1) / column.unit, decimals)) for the first"
            + "; the farthest from that line is \(decimal(line.largestResidual / column.unit, decimals)) off"
        }
      }
    }
  }
}

extension BenchSummary {
  /// The value of the case without parameters: ns of two wake-ups by eventfd, there and back.
  public static let roundTrip = "round_trip_ns"
}

extension BenchResult {
  /// Machine, options, and the suite's table.
  ///
  /// - Returns: nil for a suite that is not known.
  public var report: String? {
    guard let view = SuiteView.named(suite) else { return nil }
    let names = ["cpu", "cpus", "memory", "kernel", "filesystem", "scheduler", "load", "fio", "qemu"]
    let facts = names.compactMap { name in machine[name].flatMap { $0.isEmpty ? nil : "\(name) \($0)" } }
    let chosen = options.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
    return [
      "\(suite): \(view.title)",
      facts.joined(separator: ", "),
      "nvmed \(commit); \(chosen.joined(separator: ", "))",
      placement,
      view.table(of: BenchSummary(self)),
    ].filter { !$0.isEmpty }.joined(separator: "\n")
  }
}
