import NVMeController

/// What the daemon's metrics are made of, as of one moment.
public struct MetricsSnapshot: Sendable {
  /// An I/O thread.
  public struct IOThread: Sendable {
    /// Its name, as tools show it.
    public var name: String
    /// ns of CPU time.
    public var cpuTime: UInt64
    /// What it has done.
    public var statistics: IOThreadStatistics

    /// Makes one.
    public init(name: String, cpuTime: UInt64, statistics: IOThreadStatistics) {
      self.name = name
      self.cpuTime = cpuTime
      self.statistics = statistics
    }
  }

  /// A namespace of a controller.
  public struct Namespace: Sendable {
    /// Namespace identifier.
    public var nsid: UInt32
    /// Bytes.
    public var size: UInt64
    /// Whether a flush has failed, after which every flush fails.
    public var writeCacheFailed: Bool

    /// Makes one.
    public init(nsid: UInt32, size: UInt64, writeCacheFailed: Bool) {
      self.nsid = nsid
      self.size = size
      self.writeCacheFailed = writeCacheFailed
    }
  }

  /// A controller.
  public struct Controller: Sendable {
    /// Its name.
    public var name: String
    /// What it is doing: one of `MetricsSnapshot.controllerStates`.
    public var state: String
    /// What it has done since the daemon began to serve it, for all clients.
    public var statistics = ControllerStatistics()
    /// Clients that were served, the present one among them.
    public var connections: UInt64 = 0
    /// Clients that were refused, as there was one already.
    public var refusedConnections: UInt64 = 0
    /// Log lines that were left out, as guest or client caused too many.
    public var suppressedLogLines: UInt64 = 0
    /// Ranges of guest memory that the client has mapped.
    public var dmaRanges = 0
    /// Bytes of all of them.
    public var dmaBytes: UInt64 = 0
    /// I/O submission queues that there are.
    public var submissionQueues = 0
    /// I/O completion queues that there are.
    public var completionQueues = 0
    /// ns of CPU time of its control thread.
    public var controlCPUTime: UInt64 = 0
    /// Its namespaces.
    public var namespaces: [Namespace] = []

    /// One that has done nothing.
    public init(name: String, state: String) {
      self.name = name
      self.state = state
    }
  }

  /// The daemon's version.
  public var version: String
  /// When it began to serve: ns since 1970.
  public var startTime: UInt64
  /// ns of CPU time of all its threads.
  public var cpuTime: UInt64
  /// Its I/O threads, in order.
  public var ioThreads: [IOThread] = []
  /// All states that a controller can have.
  public var controllerStates: [String]
  /// Its controllers.
  public var controllers: [Controller] = []

  /// One without threads and controllers.
  public init(version: String, startTime: UInt64, cpuTime: UInt64, controllerStates: [String]) {
    self.version = version
    self.startTime = startTime
    self.cpuTime = cpuTime
    self.controllerStates = controllerStates
  }
}
