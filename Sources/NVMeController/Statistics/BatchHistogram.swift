/// How many commands shared one step: counts by the power of two that is not less.
public struct BatchHistogram: Sendable, Equatable, Codable {
  /// How many buckets there are: batches of 1, 2, 3 to 4, 5 to 8, ..., 513 to 1,024, and more.
  public static let bucketCount = 12

  /// Batches by bucket.
  public internal(set) var counts: [UInt64]
  /// Commands in all batches.
  public internal(set) var sum: UInt64

  /// No batches.
  public init() {
    counts = [UInt64](repeating: 0, count: BatchHistogram.bucketCount)
    sum = 0
  }

  /// The bucket of a batch of so many commands.
  @inline(__always)
  static func index(of size: UInt64) -> Int {
    min(UInt64.bitWidth &- (max(size, 1) &- 1).leadingZeroBitCount, bucketCount &- 1)
  }

  /// The greatest batch in a bucket; `UInt64.max` for the last.
  public static func upperBound(of index: Int) -> UInt64 { index < bucketCount - 1 ? 1 << UInt64(index) : .max }

  /// Batches.
  public var count: UInt64 { counts.reduce(0, &+) }

  /// Commands of a batch on average; 0 where there were none.
  public var mean: Double { count == 0 ? 0 : Double(sum) / Double(count) }

  /// Adds a batch of so many commands.
  public mutating func record(_ size: UInt64) {
    counts[BatchHistogram.index(of: size)] &+= 1
    sum &+= size
  }

  /// Adds all batches of another histogram.
  public mutating func merge(_ other: BatchHistogram) {
    for index in counts.indices { counts[index] &+= other.counts[index] }
    sum &+= other.sum
  }

  /// What was added since `earlier`, a former state of this histogram.
  public func since(_ earlier: BatchHistogram) -> BatchHistogram {
    var difference = BatchHistogram()
    for index in counts.indices {
      difference.counts[index] = ControllerStatistics.increase(counts[index], earlier.counts[index])
    }
    difference.sum = ControllerStatistics.increase(sum, earlier.sum)
    return difference
  }

  /// Reads what was encoded; a histogram with another number of buckets is refused.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    counts = try container.decode([UInt64].self, forKey: .counts)
    sum = try container.decode(UInt64.self, forKey: .sum)
    guard counts.count == BatchHistogram.bucketCount else {
      throw DecodingError.dataCorruptedError(
        forKey: .counts, in: container, debugDescription: "not \(BatchHistogram.bucketCount) buckets")
    }
  }
}
