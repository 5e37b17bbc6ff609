import NVMeController

/// A metric: what it is called and means, and how its samples follow from a snapshot.
struct Metric: Sendable {
  /// What a scraper may do with it.
  enum Kind: String, Sendable {
    /// Only grows, until the daemon is started again.
    case counter
    /// Goes up and down.
    case gauge
    /// Counts by upper bound.
    case histogram
  }

  /// One time series at one moment.
  struct Sample: Sendable {
    /// Its labels' values, in the order of `Metric.labels`.
    let labels: [String]
    let value: Value
  }

  /// The value of a sample.
  enum Value: Sendable {
    case integer(UInt64)
    case real(Double)
    /// Counts up to each bound, in ascending order, all, and the sum of what was counted.
    case histogram(buckets: [(bound: Double, count: UInt64)], count: UInt64, sum: Double)

    /// ns as seconds.
    static func seconds(_ nanoseconds: UInt64) -> Value { .real(Double(nanoseconds) / 1e9) }

    /// A latency histogram, with the bounds of `Metric.latencyBounds`.
    static func latency(_ histogram: LatencyHistogram) -> Value {
      .histogram(
        buckets: Metric.latencyBounds.map { (Double($0) / 1e9, histogram.count(upTo: $0)) },
        count: histogram.count, sum: Double(histogram.sum) / 1e9)
    }

    /// A histogram of batches, with its own bounds.
    static func batches(_ histogram: BatchHistogram) -> Value {
      var count: UInt64 = 0
      let buckets = (0..<BatchHistogram.bucketCount - 1).map { index in
        count &+= histogram.counts[index]
        return (Double(BatchHistogram.upperBound(of: index)), count)
      }
      return .histogram(buckets: buckets, count: histogram.count, sum: Double(histogram.sum))
    }
  }

  /// Upper bounds of latencies in ns: powers of two from 1 us to 1 s, at which the counts are exact.
  static let latencyBounds: [UInt64] = (10...30).map { 1 << UInt64($0) }

  /// The name of its samples.
  let name: String
  let kind: Kind
  /// The names of its labels.
  let labels: [String]
  /// What it means, in one sentence or two.
  let help: String
  let collect: @Sendable (MetricsSnapshot) -> [Sample]

  init(
    _ name: String, _ kind: Kind, _ labels: [String] = [], _ help: String,
    collect: @escaping @Sendable (MetricsSnapshot) -> [Sample]
  ) {
    self.name = name
    self.kind = kind
    self.labels = labels
    self.help = help
    self.collect = collect
  }

  /// A metric without labels.
  static func single(
    _ name: String, _ kind: Kind, _ help: String, _ value: @escaping @Sendable (MetricsSnapshot) -> Value
  ) -> Metric {
    Metric(name, kind, [], help) { [Sample(labels: [], value: value($0))] }
  }

  /// A metric with a time series for each I/O thread.
  static func thread(
    _ name: String, _ kind: Kind, _ help: String, _ value: @escaping @Sendable (MetricsSnapshot.IOThread) -> Value
  ) -> Metric {
    Metric(name, kind, ["thread"], help) { snapshot in
      snapshot.ioThreads.map { Sample(labels: [$0.name], value: value($0)) }
    }
  }

  /// A metric with a time series for each controller.
  static func controller(
    _ name: String, _ kind: Kind, _ help: String, _ value: @escaping @Sendable (MetricsSnapshot.Controller) -> Value
  ) -> Metric {
    Metric(name, kind, ["controller"], help) { snapshot in
      snapshot.controllers.map { Sample(labels: [$0.name], value: value($0)) }
    }
  }

  /// A metric with a time series for each controller and value of one more label.
  static func controller(
    _ name: String, _ kind: Kind, by label: String, _ help: String,
    _ values: @escaping @Sendable (MetricsSnapshot.Controller) -> [(String, Value)]
  ) -> Metric {
    Metric(name, kind, ["controller", label], help) { snapshot in
      snapshot.controllers.flatMap { controller in
        values(controller).map { Sample(labels: [controller.name, $0.0], value: $0.1) }
      }
    }
  }
}
