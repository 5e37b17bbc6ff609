import Metrics
import NVMeController
import NVMeSpec

extension MetricsSnapshot {
  /// A daemon of two I/O threads and two controllers, of which the second has a name that needs escapes, and done nothing.
  static var sample: MetricsSnapshot {
    var snapshot = MetricsSnapshot(
      version: "1.2.3", startTime: 1_795_000_000_500_000_000, cpuTime: 2_500_000_000,
      controllerStates: ["waiting", "ready"])
    var thread = IOThreadStatistics()
    thread.rounds = 100
    thread.wakeUps = 60
    for size: UInt64 in [1, 1, 4, 32, 2000] { thread.submissions.record(size) }
    thread.aioInFlight = 3
    thread.aioCapacity = 1024
    thread.voluntaryContextSwitches = 61
    thread.involuntaryContextSwitches = 2
    snapshot.ioThreads = [
      IOThread(name: "nvmed-io0", cpuTime: 1_250_000_000, statistics: thread),
      IOThread(name: "nvmed-io1", cpuTime: 0, statistics: IOThreadStatistics()),
    ]
    var busy = Controller(name: "disk0", state: "ready")
    var reads = ControllerStatistics.Commands()
    reads.latency.record(1024, count: 10)
    reads.latency.record(100_000, count: 5)
    reads.latency.record(2_000_000_000)
    reads.bytes = 65_536
    busy.statistics.commands[.read] = reads
    busy.statistics.failures = [.init(.lbaOutOfRange, count: 2)]
    busy.statistics.mediaErrors = 1
    busy.statistics.doorbells = [.slot: 7, .message: 8]
    busy.statistics.interrupts = 9
    busy.statistics.wakeUps = 10
    busy.statistics.completionBatches.record(16)
    busy.statistics.inFlight = 11
    busy.connections = 12
    busy.refusedConnections = 13
    busy.suppressedLogLines = 14
    busy.dmaRanges = 15
    busy.dmaBytes = 1 << 34
    busy.submissionQueues = 4
    busy.completionQueues = 5
    busy.controlCPUTime = 750_000_000
    busy.namespaces = [Namespace(nsid: 1, size: 1 << 30, writeCacheFailed: true)]
    snapshot.controllers = [busy, Controller(name: "a\"b\\c\nd", state: "waiting")]
    return snapshot
  }
}
