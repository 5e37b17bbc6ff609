import LinuxIO
import Metrics

extension MetricsSnapshot {
  /// The metrics of a status that was just collected.
  init(_ status: DaemonStatus) {
    self.init(
      version: status.version, startTime: Clock.realtime &- status.uptime, cpuTime: Clock.processCPU,
      controllerStates: ControllerStatus.State.allCases.map(\.rawValue))
    ioThreads = status.ioThreads.map { IOThread(name: $0.name, cpuTime: $0.cpuTime, statistics: $0.statistics) }
    controllers = status.controllers.map(Controller.init)
  }
}

extension MetricsSnapshot.Controller {
  init(_ status: ControllerStatus) {
    self.init(name: status.name, state: status.state.rawValue)
    statistics = status.statistics
    connections = status.connections
    refusedConnections = status.refusedConnections
    suppressedLogLines = status.suppressedLogLines
    dmaRanges = status.dma.mapCount
    dmaBytes = status.dma.byteCount
    // The admin queue pair is identifier 0.
    submissionQueues = status.queues.count { $0.kind == .submission && $0.identifier > 0 }
    completionQueues = status.queues.count { $0.kind == .completion && $0.identifier > 0 }
    controlCPUTime = status.controlCPUTime
    namespaces = status.namespaces.map {
      MetricsSnapshot.Namespace(nsid: $0.nsid, size: $0.size, writeCacheFailed: $0.writeCacheFailed)
    }
  }
}
