/// Ranges of this process's memory that guest memory was mapped to, to be looked up.
public struct HostRanges: Sendable {
  /// First and last byte; in ascending order, as mappings do not overlap.
  private let ranges: [(first: UInt, last: UInt)]

  /// The reachable ones of `regions`, which are mapped at the same time, or were.
  public init(_ regions: [MemoryRegion]) {
    ranges = regions.filter { $0.isReachable }
      .map { (first: $0.host, last: $0.host &+ UInt(truncatingIfNeeded: $0.size) &- 1) }
      .sorted { $0.first < $1.first }
  }

  /// Whether there is none.
  public var isEmpty: Bool { ranges.isEmpty }

  /// Whether one of them has a byte of `count` bytes from `pointer`, which may lie in several. A search: there may be
  /// thousands of ranges.
  public func touch(_ pointer: UInt, count: UInt) -> Bool {
    guard count > 0 else { return false }
    let last = pointer &+ count &- 1
    var (low, high) = (0, ranges.count)
    while low < high {
      let middle = (low + high) / 2
      if ranges[middle].first <= last { low = middle + 1 } else { high = middle }
    }
    // The last one that begins before the end: those before it end before it begins.
    return low > 0 && ranges[low - 1].last >= pointer
  }
}
