import NVMeController
import Testing

@Suite struct LatencyHistogramTests {
  @Test func bucketsFollowEachOtherWithoutGaps() {
    #expect(LatencyBuckets.count == 450)
    #expect(LatencyBuckets.index(of: 0) == 0)
    #expect(LatencyBuckets.upperBound(of: 0) == 256)
    #expect(LatencyBuckets.upperBound(of: 1) == 272)
    #expect(LatencyBuckets.upperBound(of: 16) == 512)
    #expect(LatencyBuckets.upperBound(of: 17) == 544)
    #expect(LatencyBuckets.upperBound(of: 448) == 1 << 36)
    #expect(LatencyBuckets.upperBound(of: 449) == .max)
    for index in 0..<(LatencyBuckets.count - 1) {
      let bound = LatencyBuckets.upperBound(of: index)
      #expect(LatencyBuckets.index(of: bound) == index)
      #expect(LatencyBuckets.index(of: bound + 1) == index + 1)
    }
    #expect(LatencyBuckets.index(of: .max) == 449)
    #expect(LatencyBuckets.index(of: 1 << 63) == 449)
  }

  @Test func theMiddleOfABucketIsWrongByAThirtySecondAtMost() {
    for index in 1..<(LatencyBuckets.count - 1) {
      let (low, high) = (LatencyBuckets.upperBound(of: index - 1) + 1, LatencyBuckets.upperBound(of: index))
      let middle = Double(LatencyBuckets.middle(of: index))
      for value in [low, high] {
        #expect(abs(Double(value) - middle) / Double(value) <= 1.0 / 32)
      }
    }
  }

  @Test func percentilesAndMean() {
    var histogram = LatencyHistogram()
    #expect(histogram.percentile(50) == 0)
    #expect(histogram.mean == 0)
    for microseconds in 1...1000 { histogram.record(UInt64(microseconds) * 1000) }
    #expect(histogram.count == 1000)
    for (percent, expected) in [(0.0, 1000.0), (50, 500_000), (90, 900_000), (99, 990_000), (100, 1_000_000)] {
      #expect(abs(Double(histogram.percentile(percent)) - expected) / expected <= 1.0 / 32, "\(percent)")
    }
    #expect(abs(Double(histogram.mean) - 500_500) / 500_500 < 0.01)
    // What nobody should ask for does no harm.
    #expect(histogram.percentile(-1) == histogram.percentile(0))
    #expect(histogram.percentile(1000) == histogram.percentile(100))
  }

  @Test func oneSlowCommandOfAThousandIsThe999th() {
    var histogram = LatencyHistogram()
    histogram.record(10_000, count: 999)
    histogram.record(5_000_000_000)
    #expect(histogram.percentile(99.9) == LatencyBuckets.middle(of: LatencyBuckets.index(of: 10_000)))
    #expect(histogram.percentile(99.95) == LatencyBuckets.middle(of: LatencyBuckets.index(of: 5_000_000_000)))
  }

  @Test func countsUpToABoundAreExactAtPowersOfTwo() {
    var histogram = LatencyHistogram()
    for value: UInt64 in [100, 256, 257, 1024, 1025, 1 << 30, 1 << 40] { histogram.record(value) }
    #expect(histogram.count(upTo: 256) == 2)
    #expect(histogram.count(upTo: 1024) == 4)
    #expect(histogram.count(upTo: 2048) == 5)
    #expect(histogram.count(upTo: 1 << 30) == 6)
    #expect(histogram.count(upTo: .max) == 7)
  }

  @Test func mergingAndSubtracting() {
    var first = LatencyHistogram()
    first.record(1000, count: 3)
    var sum = first
    var second = LatencyHistogram()
    second.record(1000, count: 2)
    second.record(70_000, count: 5)
    sum.merge(second)
    #expect(sum.count == 10)
    #expect(sum.since(first) == second)
    #expect(sum.since(sum).count == 0)
    // A daemon that was started again counts from zero.
    #expect(first.since(sum) == first)
  }
}
