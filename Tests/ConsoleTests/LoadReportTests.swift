import NVMeController
import Testing

@testable import Console
@testable import Daemon

@Suite struct LoadReportTests {
  @Test func dividesDifferencesByTheDaemonsTime() throws {
    var before = Samples.daemon(uptime: 10_000_000_000, [Samples.controller("a"), Samples.controller("b")])
    before.ioThreads[0].cpuTime = 1_000_000_000
    before.controllers[0].controlCPUTime = 5
    before.controllers[0].statistics = Samples.statistics(reads: 1000, writes: 10, latency: 100_000)
    var after = before
    after.uptime += 2_000_000_000
    after.ioThreads[0].cpuTime += 1_000_000_000
    after.controllers[0].statistics = Samples.statistics(reads: 5000, writes: 510, latency: 100_000)
    after.controllers[1].statistics = Samples.statistics(reads: 500, writes: 0, latency: 1_000_000)
    after.controllers[1].controlCPUTime = 200_000_000
    let report = LoadReport(from: before, to: after)
    #expect(report.interval == 2)
    #expect(report.ioThreads == [LoadReport.IOThread(name: "nvmed-io0", cpu: 0.5)])
    let first = report.controllers[0]
    #expect(first.readsPerSecond == 2000)
    #expect(first.writesPerSecond == 250)
    #expect(first.commandsPerSecond == 2250)
    #expect(first.readBytesPerSecond == 2000 * 4096)
    #expect(first.writtenBytesPerSecond == 250 * 4096)
    // Latencies are known to 1/32.
    #expect((97_000...103_000).contains(first.meanLatency))
    #expect(first.p99Latency == first.meanLatency)
    #expect((0.21...0.24).contains(first.queueDepth))
    // Nine tenths of all commands are its own.
    #expect(first.cpu == 0.45)
    #expect(report.controllers[1].readsPerSecond == 250)
    #expect(report.controllers[1].cpu == 0.05 + 0.1)
  }

  @Test func countsEverythingOfWhatIsNew() {
    let before = Samples.daemon(uptime: 9_000_000_000, [])
    var controller = Samples.controller("new")
    controller.statistics = Samples.statistics(reads: 500, writes: 0, latency: 1000)
    let report = LoadReport(from: before, to: Samples.daemon(uptime: 10_000_000_000, [controller]))
    #expect(report.controllers[0].readsPerSecond == 500)
  }

  /// Another process, or the same number with a younger one behind it.
  @Test func beginsAnewWithADaemonThatDid() {
    var controller = Samples.controller("a")
    controller.statistics = Samples.statistics(reads: 1000, writes: 0, latency: 1000)
    let before = Samples.daemon(uptime: 90_000_000_000, [controller])
    controller.statistics = Samples.statistics(reads: 200, writes: 0, latency: 1000)
    var after = Samples.daemon(uptime: 2_000_000_000, [controller])
    #expect(LoadReport(from: before, to: after).controllers[0].readsPerSecond == 100)
    after.processID += 1
    after.uptime = 100_000_000_000
    #expect(LoadReport(from: before, to: after).controllers[0].readsPerSecond == 2)
  }

  @Test func dividesByNothing() {
    let status = Samples.daemon(uptime: 0, [Samples.controller("a")])
    let report = LoadReport(from: status, to: status)
    #expect(report.interval > 0)
    #expect(report.controllers[0].cpu == 0)
  }
}
