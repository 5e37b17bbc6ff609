import Benchmarking
import Testing

@Suite struct BenchSummaryTests {
  private let one = ["depth": "1"]
  private let many = ["depth": "32"]
  private let nvmed = BenchSummary.Subject("nvmed")
  private let fio = BenchSummary.Subject("fio")

  private func result(_ runs: [BenchRun]) -> BenchSummary {
    BenchSummary(BenchResult(suite: "file", commit: "x", runs: runs))
  }

  @Test func keepsTheOrder() {
    let summary = result([
      BenchRun(many, runner: "nvmed", values: [:]), BenchRun(one, runner: "fio", values: [:]),
      BenchRun(many, runner: "fio", values: [:]),
    ])
    #expect(summary.cases == [many, one])
    #expect(summary.subjects == [nvmed, fio])
    #expect(summary.builds.isEmpty)
    #expect(summary.has(fio, in: many))
    #expect(!summary.has(nvmed, in: one))
  }

  /// Counts come from a run of their own in the same round.
  @Test func joinsTheValuesOfARound() {
    let summary = result([
      BenchRun(one, runner: "nvmed", round: 1, values: ["iops": 10]),
      BenchRun(one, runner: "nvmed", round: 1, values: ["syscalls": 0.5]),
      BenchRun(one, runner: "nvmed", round: 2, values: ["iops": 30]),
    ])
    #expect(summary.spread("iops", of: nvmed, in: one) == Spread([10, 30]))
    #expect(summary.rounds("syscalls", of: nvmed, in: one) == [1: 0.5])
    #expect(summary.spread("p50_ns", of: nvmed, in: one) == nil)
  }

  /// The ratio of medians would be 20 / 20: it is that of each round that counts.
  @Test func comparesWithinRounds() {
    let summary = result([
      BenchRun(one, runner: "nvmed", round: 1, values: ["iops": 10]),
      BenchRun(one, runner: "fio", round: 1, values: ["iops": 20]),
      BenchRun(one, runner: "nvmed", round: 2, values: ["iops": 20]),
      BenchRun(one, runner: "fio", round: 2, values: ["iops": 10]),
      BenchRun(one, runner: "nvmed", round: 3, values: ["iops": 30]),
      BenchRun(one, runner: "fio", round: 3, values: ["iops": 10]),
      BenchRun(one, runner: "nvmed", round: 4, values: ["iops": 1000]),
    ])
    #expect(summary.ratio("iops", of: nvmed, to: fio, in: one) == Spread([0.5, 2, 3]))
    #expect(summary.ratio("iops", of: nvmed, to: fio, in: many) == nil)
  }

  @Test func dividesByNothing() {
    let summary = result([
      BenchRun(one, runner: "nvmed", values: ["iops": 10]), BenchRun(one, runner: "fio", values: ["iops": 0]),
    ])
    #expect(summary.ratio("iops", of: nvmed, to: fio, in: one) == nil)
  }

  @Test func tellsBuildsApart() {
    let before = BenchSummary.Subject("nvmed", build: "a")
    let after = BenchSummary.Subject("nvmed", build: "b")
    let summary = result([
      BenchRun(one, runner: "nvmed", build: "a", values: ["iops": 10]),
      BenchRun(one, runner: "nvmed", build: "b", values: ["iops": 15]),
    ])
    #expect(summary.builds == ["a", "b"])
    #expect(summary.ratio("iops", of: after, to: before, in: one)?.median == 1.5)
    #expect(!summary.has(nvmed, in: one))
  }

  @Test func fitsMedians() throws {
    let runs = [1, 2, 4].flatMap { count in
      (1...3).map { round in
        BenchRun(
          ["controllers": "\(count)"], runner: "nvmed", round: round,
          values: ["rss_bytes": Double(count * 100 + round)])
      }
    }
    let line = try #require(result(runs).fit("rss_bytes", over: "controllers", of: nvmed))
    #expect(abs(line.slope - 100) < 1e-9)
    #expect(abs(line.intercept - 2) < 1e-9)
  }
}
