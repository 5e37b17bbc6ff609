/// The documentation of all metrics, as a table in Markdown: a part of `docs/metrics.md`.
public enum MetricTable {
  /// The table, with a line break at its end.
  public static var markdown: String {
    var lines = ["| Metric | Type | Labels | Meaning |", "|---|---|---|---|"]
    for metric in MetricCatalogue.metrics {
      let labels = metric.labels.map { "`\($0)`" }.joined(separator: ", ")
      lines.append("| `\(metric.name)` | \(metric.kind.rawValue) | \(labels) | \(metric.help) |")
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
