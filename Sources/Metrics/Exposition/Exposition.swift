/// The text that a scraper gets.
///
/// Source: Prometheus text-based exposition format 0.0.4; OpenMetrics 1.0.
public enum Exposition: Sendable, CaseIterable {
  /// Prometheus text format 0.0.4.
  case prometheus
  /// OpenMetrics 1.0.
  case openMetrics

  /// The one that an `Accept` header asks for: OpenMetrics where it is named, as scrapers that know it do.
  public init(accept: String) {
    let types = accept.split(separator: ",").map { $0.prefix { $0 != ";" }.filter { $0 != " " && $0 != "\t" } }
    self = types.contains { $0.lowercased() == "application/openmetrics-text" } ? .openMetrics : .prometheus
  }

  /// The value of `Content-Type`.
  public var contentType: String {
    switch self {
    case .prometheus: "text/plain; version=0.0.4; charset=utf-8"
    case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
    }
  }

  /// All metrics of a snapshot, in UTF-8.
  public func text(_ snapshot: MetricsSnapshot) -> [UInt8] {
    var text = ExpositionText(isOpenMetrics: self == .openMetrics)
    for metric in MetricCatalogue.metrics { text.append(metric, metric.collect(snapshot)) }
    text.end()
    return text.bytes
  }
}

/// Metrics as they are written, one after the other.
struct ExpositionText {
  private(set) var bytes: [UInt8] = []
  private let isOpenMetrics: Bool

  init(isOpenMetrics: Bool) { self.isOpenMetrics = isOpenMetrics }

  /// Writes a metric with its samples; nothing where it has none.
  mutating func append(_ metric: Metric, _ samples: [Metric.Sample]) {
    guard !samples.isEmpty else { return }
    var family = metric.name
    // OpenMetrics names a family of counters without what the names of its samples end in.
    if isOpenMetrics, metric.kind == .counter, family.hasSuffix("_total") { family.removeLast("_total".count) }
    write("# HELP \(family) \(ExpositionText.escaped(metric.help, quotes: isOpenMetrics))\n")
    write("# TYPE \(family) \(metric.kind.rawValue)\n")
    for sample in samples {
      let labels = zip(metric.labels, sample.labels).map { "\($0)=\"\(ExpositionText.escaped($1, quotes: true))\"" }
      switch sample.value {
      case .integer(let value): line(metric.name, labels, "\(value)")
      case .real(let value): line(metric.name, labels, "\(value)")
      case .histogram(let buckets, let count, let sum):
        for bucket in buckets { line(metric.name + "_bucket", labels + ["le=\"\(bucket.bound)\""], "\(bucket.count)") }
        line(metric.name + "_bucket", labels + ["le=\"+Inf\""], "\(count)")
        line(metric.name + "_sum", labels, "\(sum)")
        line(metric.name + "_count", labels, "\(count)")
      }
    }
  }

  /// Writes the end.
  mutating func end() {
    if isOpenMetrics { write("# EOF\n") }
  }

  private mutating func line(_ name: String, _ labels: [String], _ value: String) {
    write(name)
    if !labels.isEmpty { write("{\(labels.joined(separator: ","))}") }
    write(" \(value)\n")
  }

  private mutating func write(_ text: String) { bytes.append(contentsOf: text.utf8) }

  /// A text with escapes for what would end it.
  private static func escaped(_ text: String, quotes: Bool) -> String {
    guard text.utf8.contains(where: { $0 == 0x5c || $0 == 0x0a || $0 == 0x22 }) else { return text }
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\"" where quotes: result += "\\\""
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
