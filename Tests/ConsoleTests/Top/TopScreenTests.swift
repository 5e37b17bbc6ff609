import NVMeController
import Testing

@testable import Console
@testable import Daemon

@Suite struct TopScreenTests {
  private func report(_ loads: [(String, reads: UInt64, writes: UInt64, latency: UInt64)]) -> LoadReport {
    let before = Samples.daemon(uptime: 187_000_000_000, loads.map { Samples.controller($0.0) })
    var after = before
    after.uptime += 1_000_000_000
    after.ioThreads[0].cpuTime = 130_000_000
    for (index, load) in loads.enumerated() {
      after.controllers[index].statistics = Samples.statistics(
        reads: load.reads, writes: load.writes, latency: load.latency)
    }
    return LoadReport(from: before, to: after)
  }

  private func screen(_ order: TopOrder = .name, width: Int = 80, height: Int? = nil) -> TopScreen {
    var screen = TopScreen()
    screen.order = order
    screen.width = width
    screen.height = height
    screen.time = "08:15:30"
    return screen
  }

  @Test func isAlignedInEightyColumns() {
    var report = report([
      ("disk0", 12_345, 678, 100_000), ("a-rather-long-name-of-a-disk", 1_234_567, 7_654_321, 3_000_000),
      ("idle", 0, 0, 0),
    ])
    report.controllers.append(LoadReport.Controller(name: "new", state: .waiting, doorbells: .none))
    #expect(
      screen().lines(report) == [
        "nvmed 1.2.3, up 3 min 8 s                                               08:15:30",
        "4 controllers: 1 waiting, 3 ready                        CPU of I/O threads: 13%",
        "",
        "                             IOPS         MB/s      LATENCY QUEUE",
        "NAME                   READ WRITE   READ WRITE   MEAN   P99 DEPTH  DOORBELL  CPU",
        "a-rather-long-name...  1.2M  7.7M   5057 31352  2.9ms 2.9ms   26k  slots     13%",
        "disk0                   12k   678     51   2.8  100us 100us   1.3  slots    0.0%",
        "idle                      0     0      0     0      -     -     0  slots      0%",
        "new                    waiting",
      ])
  }

  @Test func fitsTheTerminal() {
    let report = report((0..<100).map { ("disk\($0)", reads: 10, writes: 10, latency: 1000) })
    for (width, height) in [(80, 24), (120, 50), (40, 10), (200, 8)] {
      var screen = screen(width: width, height: height)
      screen.showsKeys = true
      let lines = screen.lines(report)
      #expect(lines.count == height)
      #expect(lines.allSatisfy { $0.count <= width })
      #expect(lines.dropLast(2).last?.hasPrefix("and ") == true)
      #expect(lines.last?.hasPrefix("q quit") == true)
    }
  }

  @Test(arguments: [
    (TopOrder.name, ["a", "b", "c"]), (.iops, ["b", "c", "a"]), (.bandwidth, ["b", "c", "a"]),
    (.latency, ["a", "c", "b"]), (.depth, ["c", "a", "b"]), (.cpu, ["b", "c", "a"]),
  ])
  func sorts(_ order: TopOrder, _ names: [String]) {
    let report = report([("a", 10, 0, 9_000_000), ("b", 1000, 0, 10_000), ("c", 500, 0, 5_000_000)])
    #expect(screen(order).lines(report).suffix(3).map { String($0.prefix(1)) } == names)
  }

  @Test func showsNoControlCharactersOfNames() {
    var report = report([("a", 1, 1, 1000)])
    report.controllers[0].name = "x\u{1b}[31m"
    #expect(screen().lines(report).last?.hasPrefix("x?[31m ") == true)
  }

  @Test func hasAKeyForEachOrder() {
    #expect(Set(TopOrder.allCases.map(\.key)).count == TopOrder.allCases.count)
    #expect(TopOrder.allCases.allSatisfy { $0.rawValue.first == $0.key && $0.key != "q" })
  }
}
