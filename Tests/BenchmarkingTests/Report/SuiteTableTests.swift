import Benchmarking
import Testing

@Suite struct SuiteTableTests {
  private let depth = ["layout": "free", "pattern": "randread", "size": "4096", "depth": "32"]

  private func lines(_ result: BenchResult) -> [String] {
    (result.report ?? "").split(separator: "\n").map(String.init)
  }

  @Test func showsEachRunnerAndItsRatio() {
    let lines = lines(
      BenchResult(
        suite: "file", commit: "abc", machine: ["cpu": "X", "load": ""], options: ["rounds": "2"],
        placement: "anywhere",
        runs: [
          BenchRun(depth, runner: "nvmed", round: 1, values: ["iops": 90, "mean_ns": 1500, "syscalls": 0.1234]),
          BenchRun(depth, runner: "fio", round: 1, values: ["iops": 100, "mean_ns": 1000]),
          BenchRun(depth, runner: "nvmed", round: 2, values: ["iops": 110, "mean_ns": 2500]),
          BenchRun(depth, runner: "fio", round: 2, values: ["iops": 100, "mean_ns": 1000]),
          BenchRun([:], runner: "ping-pong", round: 1, values: ["round_trip_ns": 4000]),
        ]))
    #expect(lines[1] == "cpu X")
    #expect(lines[2] == "nvmed abc; rounds 2")
    #expect(lines[3] == "anywhere")
    #expect(
      Array(lines[4...]) == [
        "layout  pattern   size   depth         IOPS  mean us   calls  to fio      min - max",
        "free    randread  4 KiB  32     nvmed   100      2.0  0.1234   1.000  0.900 - 1.100",
        "free    randread  4 KiB  32     fio     100      1.0",
        "two threads that wake each other by eventfd: 4000 ns there and back (4000 - 4000)",
      ])
  }

  @Test func showsWhatABuildChanges() {
    let lines = lines(
      BenchResult(
        suite: "file", commit: "abc",
        runs: [
          BenchRun(depth, runner: "nvmed", build: "old", round: 1, values: ["iops": 100]),
          BenchRun(depth, runner: "nvmed", build: "new", round: 1, values: ["iops": 150]),
          BenchRun(depth, runner: "nvmed", build: "old", round: 2, values: ["iops": 200]),
          BenchRun(depth, runner: "nvmed", build: "new", round: 2, values: ["iops": 200]),
        ]))
    #expect(lines[2] == "old -> new, and the ratios of the turns of each round")
    #expect(lines[4].hasSuffix("nvmed  150 -> 175  1.250  1.000 - 1.500"))
  }

  @Test func fitsTheCostOfOneMore() {
    let lines = lines(
      BenchResult(
        suite: "scale", commit: "abc",
        runs: [1, 2, 3].map {
          BenchRun(
            ["controllers": "\($0)"], runner: "nvmed",
            values: ["rss_bytes": Double(10 << 20 + 0) + Double($0) * 512 * 1024])
        }))
    #expect(
      lines.last
        == "RSS KiB: 512.00 for each more of controllers, 10752.00 for the first; the farthest from that line is 0.00 off"
    )
  }

  @Test func knowsEverySuite() {
    #expect(SuiteView.all.map(\.suite) == ["path", "null", "memory", "file", "guest", "scale", "idle", "isolation"])
    #expect(SuiteView.named("other") == nil)
    #expect(BenchResult(suite: "other", commit: "", runs: []).report == nil)
    #expect(BenchResult(suite: "other", commit: "", runs: []).picture == nil)
  }
}
