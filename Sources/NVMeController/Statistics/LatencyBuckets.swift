/// How latencies are put into buckets: 16 for each power of two from 256 ns to 68.7 s.
///
/// A bucket's bounds are at most 1/16 apart, so its middle is wrong by at most 1/32 (3.2 %). Whatever takes 256 ns or
/// less is in the first bucket, and whatever takes longer than 2^36 ns in the last.
public enum LatencyBuckets {
  /// log2 of the buckets for each power of two.
  static let fineness = 4
  /// log2 of the ns up to which there is but one bucket.
  static let firstExponent = 8
  /// log2 of the ns from which on there is but one bucket.
  static let lastExponent = 36

  /// How many buckets there are.
  public static let count = (lastExponent - firstExponent) << fineness + 2

  /// The bucket of a latency in ns.
  public static func index(of latency: UInt64) -> Int {
    // Upper bounds belong to a bucket, lower ones do not, as in the histograms of Prometheus.
    let value = max(latency, 1) &- 1
    let exponent = UInt64.bitWidth &- 1 &- (value | 1).leadingZeroBitCount
    guard exponent >= firstExponent else { return 0 }
    guard exponent < lastExponent else { return count &- 1 }
    let step = Int(truncatingIfNeeded: value &>> UInt64(exponent &- fineness)) & (1 << fineness &- 1)
    return 1 &+ (exponent &- firstExponent) << fineness &+ step
  }

  /// The greatest latency in a bucket, in ns; `UInt64.max` for the last bucket.
  public static func upperBound(of index: Int) -> UInt64 {
    guard index > 0 else { return 1 << firstExponent }
    guard index < count - 1 else { return UInt64.max }
    let (exponent, step) = ((index - 1) >> fineness, (index - 1) & (1 << fineness - 1))
    return UInt64(1 << fineness + step + 1) << UInt64(exponent + firstExponent - fineness)
  }

  /// What stands for the latencies of a bucket, in ns: its middle; of the last bucket, where it begins.
  public static func middle(of index: Int) -> UInt64 {
    guard index > 0 else { return 1 << (firstExponent - 1) }
    let lower = upperBound(of: index - 1)
    return index < count - 1 ? lower + (upperBound(of: index) - lower) / 2 : lower
  }
}
