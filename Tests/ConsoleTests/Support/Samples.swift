import NVMeController

@testable import Daemon

/// Statuses as a daemon gives them.
enum Samples {
  static func daemon(uptime: UInt64, _ controllers: [ControllerStatus]) -> DaemonStatus {
    DaemonStatus(
      version: "1.2.3", processID: 42, uptime: uptime, logLevel: .info,
      ioThreads: [IOThreadStatus(name: "nvmed-io0", cpu: nil, cpuTime: 0, statistics: IOThreadStatistics())],
      workerThreads: 2, controllers: controllers)
  }

  static func controller(_ name: String, _ state: ControllerStatus.State = .ready) -> ControllerStatus {
    ControllerStatus(
      name: name, socketPath: "/run/nvmed/\(name).sock", serial: "S-\(name)", state: state,
      client: ClientStatus(processID: 4711), controllerStatus: 1, controllerConfiguration: 0x460001,
      doorbells: DoorbellStatus(choice: .auto, postWrite: .auto, shadowDoorbells: "off", path: .slots),
      queues: [
        QueueStatus(kind: .submission, identifier: 0, size: 32, head: 7, tail: 7, completionQueue: 0, inFlight: 0),
        QueueStatus(kind: .completion, identifier: 0, size: 32, head: 7, tail: 7, interruptVector: 0),
        QueueStatus(
          kind: .submission, identifier: 1, size: 256, head: 200, tail: 12, thread: 0, completionQueue: 1, inFlight: 68),
        QueueStatus(kind: .completion, identifier: 1, size: 256, head: 131, tail: 132, thread: 0, interruptVector: 1),
      ], dma: DMAStatus(mapCount: 3, byteCount: 4 << 30), interruptVectors: 65, installedVectors: [0, 1],
      namespaces: [
        NamespaceStatus(
          nsid: 1, backend: .file, image: "/srv/images/\(name).img", size: 10 << 30, blockSize: 512, isReadOnly: false,
          discards: true, writeCacheFailed: false, uuid: "5d5b21d5-6d2b-4f0e-9a3c-1f0e6f6f3c11")
      ], limits: RateLimits(), isLimited: false, statistics: ControllerStatistics(), connections: 1,
      refusedConnections: 0, suppressedLogLines: 0, controlCPUTime: 0)
  }

  /// Commands of 4 KiB that all took the same time, in ns.
  static func statistics(reads: UInt64, writes: UInt64, latency: UInt64) -> ControllerStatistics {
    var statistics = ControllerStatistics()
    for (kind, count) in [(CommandKind.read, reads), (.write, writes)] {
      var commands = ControllerStatistics.Commands()
      commands.latency.record(latency, count: count)
      commands.bytes = count * 4096
      statistics.commands[kind] = commands
    }
    return statistics
  }
}
