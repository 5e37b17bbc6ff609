import Daemon
import NVMeController

/// What a daemon did between two statuses of it.
public struct LoadReport: Codable, Sendable, Equatable {
  /// An I/O thread.
  public struct IOThread: Codable, Sendable, Equatable {
    /// Its name.
    public var name: String
    /// CPUs used: 1 is all of one.
    public var cpu: Double
  }

  /// A controller.
  public struct Controller: Codable, Sendable, Equatable {
    /// Its name.
    public var name: String
    /// What it is doing.
    public var state: ControllerStatus.State
    /// Commands that read, each second: Read, Compare and Verify.
    public var readsPerSecond = 0.0
    /// Commands that write, each second: Write, Write Zeroes and Dataset Management.
    public var writesPerSecond = 0.0
    /// All commands each second, Flush among them.
    public var commandsPerSecond = 0.0
    /// Bytes read each second.
    public var readBytesPerSecond = 0.0
    /// Bytes written each second.
    public var writtenBytesPerSecond = 0.0
    /// Latency of all commands on average, in ns.
    public var meanLatency: UInt64 = 0
    /// Latency within which 99 of 100 commands were done, in ns.
    public var p99Latency: UInt64 = 0
    /// Commands in flight on average: the sum of their latencies by the time.
    public var queueDepth = 0.0
    /// Failed commands each second.
    public var failuresPerSecond = 0.0
    /// How doorbells come.
    public var doorbells: DoorbellStatus.Path
    /// CPUs used: by its control thread, and its share of the I/O threads by the number of its commands.
    public var cpu = 0.0

    private enum CodingKeys: String, CodingKey {
      case name, state, doorbells, cpu
      case readsPerSecond = "reads_per_second"
      case writesPerSecond = "writes_per_second"
      case commandsPerSecond = "commands_per_second"
      case readBytesPerSecond = "read_bytes_per_second"
      case writtenBytesPerSecond = "written_bytes_per_second"
      case meanLatency = "mean_latency_ns"
      case p99Latency = "p99_latency_ns"
      case queueDepth = "queue_depth"
      case failuresPerSecond = "failures_per_second"
    }
  }

  /// The daemon's version.
  public var version: String
  /// ns since the daemon began to serve.
  public var uptime: UInt64
  /// Seconds between the two statuses.
  public var interval: Double
  /// The I/O threads, in order.
  public var ioThreads: [IOThread]
  /// The controllers, in the daemon's order.
  public var controllers: [Controller]

  private enum CodingKeys: String, CodingKey {
    case version, controllers
    case uptime = "uptime_ns"
    case interval = "interval_seconds"
    case ioThreads = "io_threads"
  }

  /// The difference of two statuses.
  ///
  /// The time between them is the daemon's own, so that what delays a reply on its way does not count. Of a controller
  /// that was not there before, and of a daemon that was started anew, everything counts since then.
  public init(from earlier: DaemonStatus, to later: DaemonStatus) {
    let isSame = later.processID == earlier.processID && later.uptime > earlier.uptime
    let nanoseconds = isSame ? later.uptime - earlier.uptime : max(later.uptime, 1)
    let seconds = Double(nanoseconds) / 1e9
    version = later.version
    uptime = later.uptime
    interval = seconds
    ioThreads = later.ioThreads.enumerated().map { index, thread in
      let before = isSame && index < earlier.ioThreads.count ? earlier.ioThreads[index].cpuTime : 0
      return IOThread(name: thread.name, cpu: Double(increase(thread.cpuTime, before)) / Double(nanoseconds))
    }
    let ioCPU = ioThreads.reduce(0) { $0 + $1.cpu }
    let before = Dictionary(isSame ? earlier.controllers.map { ($0.name, $0) } : []) { first, _ in first }
    let work = later.controllers.map { controller in
      before[controller.name].map { controller.statistics.since($0.statistics) } ?? controller.statistics
    }
    let all = work.reduce(0) { $0 + $1.commandCount }
    controllers = zip(later.controllers, work).map { status, work in
      var controller = Controller(status, work, seconds: seconds)
      controller.cpu =
        Double(increase(status.controlCPUTime, before[status.name]?.controlCPUTime ?? 0)) / Double(nanoseconds)
      if all > 0 { controller.cpu += ioCPU * Double(work.commandCount) / Double(all) }
      return controller
    }
  }
}

extension LoadReport.Controller {
  fileprivate init(_ status: ControllerStatus, _ work: ControllerStatistics, seconds: Double) {
    name = status.name
    state = status.state
    doorbells = status.doorbells.path
    func rate(_ kinds: [CommandKind]) -> Double {
      Double(kinds.reduce(0) { $0 + work[$1].latency.count }) / seconds
    }
    readsPerSecond = rate([.read, .compare, .verify])
    writesPerSecond = rate([.write, .writeZeroes, .deallocate])
    let latency = work.latency
    commandsPerSecond = Double(latency.count) / seconds
    readBytesPerSecond = Double(work.readBytes) / seconds
    writtenBytesPerSecond = Double(work.writtenBytes) / seconds
    meanLatency = latency.mean
    p99Latency = latency.percentile(99)
    queueDepth = Double(latency.mean) * commandsPerSecond / 1e9
    failuresPerSecond = Double(work.failures.reduce(0) { $0 + $1.count }) / seconds
  }
}

/// How much a sum has grown; one that is smaller has begun anew.
private func increase(_ now: UInt64, _ before: UInt64) -> UInt64 { now >= before ? now - before : now }
