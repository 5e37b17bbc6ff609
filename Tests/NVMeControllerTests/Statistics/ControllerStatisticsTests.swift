import NVMeController
import NVMeSpec
import Testing

@Suite struct ControllerStatisticsTests {
  private func sample(_ factor: UInt64) -> ControllerStatistics {
    var statistics = ControllerStatistics()
    var reads = ControllerStatistics.Commands()
    reads.latency.record(50_000, count: 10 * factor)
    reads.bytes = 40_960 * factor
    statistics.commands[.read] = reads
    var compares = ControllerStatistics.Commands()
    compares.latency.record(90_000, count: factor)
    compares.bytes = 512 * factor
    statistics.commands[.compare] = compares
    statistics.failures = [
      .init(.invalidField, count: factor), .init(.lbaOutOfRange, count: 2 * factor),
    ]
    statistics.doorbells = [.message: 3 * factor, .slot: 4 * factor]
    statistics.interrupts = 5 * factor
    statistics.wakeUps = 6 * factor
    statistics.mediaErrors = 7 * factor
    statistics.completionBatches.record(8)
    statistics.inFlight = 9
    return statistics
  }

  @Test func sumsOverKinds() {
    let statistics = sample(1)
    #expect(statistics.commandCount == 11)
    #expect(statistics.readBytes == 41_472)
    #expect(statistics.writtenBytes == 0)
    #expect(statistics.latency.count == 11)
    #expect(statistics[.write].latency.count == 0)
  }

  @Test func failuresCarryTheNameOfTheirStatusWithoutFlags() {
    #expect(ControllerStatistics.Failures(.invalidField, count: 1).status == 2)
    #expect(ControllerStatistics.Failures(.invalidField, count: 1).name == "Invalid Field in Command (0/02)")
  }

  @Test func differenceOfTwoStates() {
    let difference = sample(3).since(sample(1))
    #expect(difference[.read].latency.count == 20)
    #expect(difference[.read].bytes == 81_920)
    #expect(difference.failures.map(\.count) == [2, 4])
    #expect(difference.doorbells == [.message: 6, .slot: 8])
    #expect(difference.interrupts == 10)
    #expect(difference.wakeUps == 12)
    #expect(difference.mediaErrors == 14)
    #expect(difference.completionBatches.count == 0)
    #expect(difference.inFlight == 9)
    let nothing = sample(2).since(sample(2))
    #expect(nothing.commands.isEmpty)
    #expect(nothing.failures.isEmpty)
    #expect(nothing.doorbells.isEmpty)
  }

  @Test func mergingKeepsFailuresInOrder() {
    var statistics = ControllerStatistics()
    statistics.failures = [.init(.invalidField, count: 1), .init(.compareFailure, count: 1)]
    var other = ControllerStatistics()
    other.failures = [
      .init(.invalidOpcode, count: 1), .init(.lbaOutOfRange, count: 1), .init(.compareFailure, count: 2),
      .init(.unrecoveredReadError, count: 4),
    ]
    statistics.merge(other)
    #expect(statistics.failures.map(\.status) == [0x001, 0x002, 0x080, 0x281, 0x285].sorted())
    #expect(statistics.failures.map(\.count) == [1, 1, 1, 4, 3])
    var sum = sample(1)
    sum.merge(sample(2))
    #expect(sum[.read].latency.count == 30)
    #expect(sum.completionBatches.count == 2)
    #expect(sum.inFlight == 18)
  }

  @Test(arguments: [(1, 0), (2, 1), (3, 2), (4, 2), (5, 3), (1024, 10), (1025, 11), (1 << 40, 11)])
  func batchesFallIntoPowersOfTwo(size: UInt64, bucket: Int) {
    var histogram = BatchHistogram()
    histogram.record(size)
    #expect(histogram.counts.firstIndex(of: 1) == bucket)
    #expect(histogram.count == 1)
    #expect(histogram.sum == size)
    #expect(BatchHistogram.upperBound(of: bucket) >= size)
  }
}
