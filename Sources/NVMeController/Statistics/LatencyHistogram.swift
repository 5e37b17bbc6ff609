/// How long commands took from the round in which they were fetched to the one in which their completion was posted:
/// counts in `LatencyBuckets`.
///
/// What is calculated from it is right within 3.2 %.
public struct LatencyHistogram: Sendable, Equatable {
  /// Commands by bucket; empty where there were none.
  private var counts: [UInt64] = []
  /// Commands.
  public private(set) var count: UInt64 = 0
  /// ns, the sum of all latencies, each taken as the middle of its bucket.
  public private(set) var sum: UInt64 = 0

  /// No commands.
  public init() {}

  /// Adds `count` commands of one latency, in ns.
  public mutating func record(_ latency: UInt64, count: UInt64 = 1) {
    add(count, bucket: LatencyBuckets.index(of: latency))
  }

  /// Adds commands to a bucket.
  mutating func add(_ count: UInt64, bucket: Int) {
    guard count > 0 else { return }
    if counts.isEmpty { counts = [UInt64](repeating: 0, count: LatencyBuckets.count) }
    counts[bucket] &+= count
    self.count &+= count
    sum &+= count &* LatencyBuckets.middle(of: bucket)
  }

  /// Commands in a bucket.
  public subscript(bucket bucket: Int) -> UInt64 { counts.isEmpty ? 0 : counts[bucket] }

  /// ns on average; 0 where there were no commands.
  public var mean: UInt64 { count == 0 ? 0 : sum / count }

  /// ns within which so many percent of all commands were done; 0 where there were none.
  ///
  /// - Parameter percent: 0 to 100.
  public func percentile(_ percent: Double) -> UInt64 {
    guard count > 0 else { return 0 }
    let rank = (Double(count) * min(max(percent, 0), 100) / 100).rounded(.up)
    let wanted = min(max(UInt64(rank), 1), count)
    var seen: UInt64 = 0
    for bucket in counts.indices {
      seen &+= counts[bucket]
      if seen >= wanted { return LatencyBuckets.middle(of: bucket) }
    }
    return LatencyBuckets.middle(of: LatencyBuckets.count - 1)
  }

  /// Commands that took at most so many ns: exact where a bucket ends there, as at powers of two from 256 on.
  public func count(upTo latency: UInt64) -> UInt64 {
    guard count > 0 else { return 0 }
    let last = LatencyBuckets.index(of: latency)
    return counts[...last].reduce(0, &+)
  }

  /// Adds all commands of another histogram.
  public mutating func merge(_ other: LatencyHistogram) {
    for bucket in other.counts.indices { add(other.counts[bucket], bucket: bucket) }
  }

  /// What was added since `earlier`, a former state of this histogram.
  public func since(_ earlier: LatencyHistogram) -> LatencyHistogram {
    var difference = LatencyHistogram()
    for bucket in counts.indices {
      difference.add(ControllerStatistics.increase(counts[bucket], earlier[bucket: bucket]), bucket: bucket)
    }
    return difference
  }
}

extension LatencyHistogram: Codable {
  private enum CodingKeys: String, CodingKey {
    case count
    case mean = "mean_ns"
    case p50 = "p50_ns"
    case p99 = "p99_ns"
    case p999 = "p999_ns"
    case buckets
  }

  /// One bucket that is not empty.
  private struct Bucket: Codable {
    let upTo: UInt64
    let count: UInt64
    enum CodingKeys: String, CodingKey {
      case upTo = "up_to_ns"
      case count
    }
  }

  /// Reads what `encode` wrote: its buckets, from which the rest follows.
  public init(from decoder: any Decoder) throws {
    self.init()
    let container = try decoder.container(keyedBy: CodingKeys.self)
    for bucket in try container.decode([Bucket].self, forKey: .buckets) { record(bucket.upTo, count: bucket.count) }
  }

  /// Writes the buckets that are not empty, and what a reader would calculate from them.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(count, forKey: .count)
    try container.encode(mean, forKey: .mean)
    try container.encode(percentile(50), forKey: .p50)
    try container.encode(percentile(99), forKey: .p99)
    try container.encode(percentile(99.9), forKey: .p999)
    let buckets = counts.indices.filter { counts[$0] > 0 }.map {
      Bucket(upTo: LatencyBuckets.upperBound(of: $0), count: counts[$0])
    }
    try container.encode(buckets, forKey: .buckets)
  }
}
