import Testing

@testable import Benchmarking

@Suite struct TargetTests {
  private func outcomes(_ suite: String, _ runs: [BenchRun]) -> [Target.Outcome] {
    Target.outcomes([BenchResult(suite: suite, commit: "x", runs: runs)])
  }

  private func device(_ way: String, _ depth: Int, _ values: [String: Double], round: Int = 1) -> BenchRun {
    BenchRun(
      ["way": way, "size": "4096", "queues": "1", "depth": "\(depth)"], runner: "nvmed", round: round, values: values)
  }

  private func file(
    _ runner: String, _ depth: Int, _ values: [String: Double], size: Int = 4096, layout: String = "free"
  ) -> BenchRun {
    BenchRun(
      ["layout": layout, "pattern": "randread", "size": "\(size)", "depth": "\(depth)"], runner: runner, values: values)
  }

  @Test func takesTheMedian() {
    let found = outcomes(
      "null",
      [(1, 3.0e6), (2, 3.6e6), (3, 9e6)].map { device("polled", 32, ["iops": $1], round: $0) }
        + [device("polled", 1, ["iops": 849_999])])
    #expect(
      found.first { $0.text == "null 4 KiB, polled, QD 32: IOPS" }
        == Target.Outcome(
          text: "null 4 KiB, polled, QD 32: IOPS", limit: ">= 3.50M", measured: "3.60M (3M - 9M)", isMet: true))
    #expect(found.first { $0.text == "null 4 KiB, polled, QD 1: IOPS" }?.isMet == false)
    #expect(found.first { $0.text == "null 4 KiB, polled, QD 128: IOPS" }?.isMet == nil)
    #expect(found.first { $0.text == "null 4 KiB, polled, QD 128: IOPS" }?.measured == "not measured")
  }

  @Test(arguments: [(5200.0, true), (5201.0, false)])
  func comparesWithTheRoundTrip(_ latency: Double, _ isMet: Bool) {
    let found = outcomes(
      "null",
      [
        BenchRun([:], runner: "ping-pong", values: ["round_trip_ns": 4000]),
        device("events", 1, ["mean_ns": latency]),
      ])
    #expect(found.first { $0.text.contains("of an eventfd round trip") }?.isMet == isMet)
  }

  /// At most half a round trip more than fio, and nothing where no round trip was measured.
  @Test(arguments: [(102_000.0, true), (102_001.0, false)])
  func allowsOneWakeUp(_ latency: Double, _ isMet: Bool) {
    let runs = [file("nvmed", 1, ["mean_ns": latency]), file("fio", 1, ["mean_ns": 100_000])]
    let trip = BenchRun([:], runner: "ping-pong", values: ["round_trip_ns": 4000])
    #expect(outcomes("file", runs + [trip]).first { $0.text.contains("QD 1: latency") }?.isMet == isMet)
    #expect(outcomes("file", runs).first { $0.text.contains("QD 1: latency") }?.isMet == nil)
  }

  @Test func holdsRatiosOfEachRunner() {
    let found = outcomes(
      "file",
      [
        file("nvmed", 32, ["iops": 97, "syscalls": 0.2]), file("nvmed-2", 32, ["iops": 99]),
        file("fio", 32, ["iops": 100]),
      ])
    #expect(found.first { $0.text == "file randread 4 KiB, QD 32: IOPS, of fio's" }?.isMet == true)
    #expect(found.first { $0.text == "file randread 4 KiB, QD 32, two I/O threads: IOPS, of fio's" }?.isMet == false)
    #expect(found.first { $0.text == "file randread 4 KiB, QD 32: system calls for each command" }?.isMet == false)
    #expect(found.first { $0.text.contains("randwrite 4 KiB, QD 32: IOPS") }?.isMet == nil)
  }

  /// Every case that is meant counts, with what tells it apart.
  @Test func namesTheCases() {
    let found = outcomes(
      "file",
      [
        file("nvmed", 8, ["iops": 99], size: 131_072), file("fio", 8, ["iops": 100], size: 131_072),
        file("nvmed", 8, ["iops": 98], size: 131_072, layout: "pinned"),
        file("fio", 8, ["iops": 100], size: 131_072, layout: "pinned"),
      ]
    ).filter { $0.text.hasPrefix("file randread 128 KiB, QD 8") }
    #expect(
      found.map(\.text) == [
        "file randread 128 KiB, QD 8: IOPS, of fio's, free", "file randread 128 KiB, QD 8: IOPS, of fio's, pinned",
      ])
    #expect(found.map(\.isMet) == [true, false])
  }

  @Test func countsRetains() {
    let run = { (kind: String, count: Double) in
      BenchRun(["storage": "null", "command": kind], runner: "nvmed", values: ["forbidden": count, "instructions": 1])
    }
    let found = outcomes("path", [run("read-4k", 0), run("read-128k", 0.001)]).filter { $0.text.contains("retains") }
    #expect(found.map(\.isMet) == [true, false])
  }

  @Test(arguments: [(1.499, true), (1.501, false)])
  func fitsControllers(_ mebibytes: Double, _ isMet: Bool) {
    let runs = [1, 2, 4, 8].map { count in
      BenchRun(
        ["controllers": "\(count)"], runner: "nvmed",
        values: ["rss_bytes": 1e7 + Double(count) * mebibytes * 1_048_576, "ready_ms": 12])
    }
    let found = outcomes("scale", runs)
    #expect(found.first { $0.text.hasPrefix("RSS") }?.isMet == isMet)
    #expect(found.first { $0.text == "ready on the socket" }?.measured == "12 ms")
  }

  /// Two builds have targets each, which a comparison is not about.
  @Test func leavesComparisonsOut() {
    var run = device("polled", 1, ["iops": 1e6])
    run.build = "a"
    #expect(outcomes("null", [run]).isEmpty)
  }

  @Test func printsATable() {
    let table = Target.table([
      Target.Outcome(text: "a", limit: ">= 1", measured: "2", isMet: true),
      Target.Outcome(text: "b", limit: "<= 1", measured: "2", isMet: false),
      Target.Outcome(text: "c", limit: "<= 1", measured: "not measured", isMet: nil),
    ])
    #expect(
      table == """
        target  limit      measured
        a        >= 1             2  met
        b        <= 1             2  MISSED
        c        <= 1  not measured  -
        """)
  }
}
