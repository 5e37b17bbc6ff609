import Testing

@testable import MicroVMM

@Suite struct PostWriteReportTests {
  @Test func writesALineForEachCase() {
    var report = PostWriteReport()
    #expect(PostWriteReport.plan(4) == "1..4")
    #expect(report.add("a", .passed) == "ok 1 - a")
    #expect(report.add("b", .failed("why")) == "not ok 2 - b\n# why")
    #expect(report.add("c", .skipped("no")) == "ok 3 - c # SKIP no")
    #expect(report.add("d", .passed) == "ok 4 - d")
    #expect(report.sums == "2 passed, 1 failed, 1 skipped")
    #expect(report.failed == 1)
  }
}
