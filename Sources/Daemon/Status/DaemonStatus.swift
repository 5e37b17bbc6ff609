import NVMeController

/// What the daemon is doing: collected by `Supervisor.status()` without disturbing I/O.
public struct DaemonStatus: Codable, Sendable, Equatable {
  /// The daemon's version.
  public var version: String
  /// Its process identifier.
  public var processID: Int32
  /// ns since it began to serve.
  public var uptime: UInt64
  /// The least important messages that are logged.
  public var logLevel: LogLevel
  /// The I/O threads, in order.
  public var ioThreads: [IOThreadStatus]
  /// Worker threads.
  public var workerThreads: Int
  /// The controllers, in the order in which they were added.
  public var controllers: [ControllerStatus]
}

/// An I/O thread.
public struct IOThreadStatus: Codable, Sendable, Equatable {
  /// Its name, as tools show it.
  public var name: String
  /// The CPU that it was given; nil where the kernel places it.
  public var cpu: Int32?
  /// ns of CPU time that it has used.
  public var cpuTime: UInt64
  /// What it has done.
  public var statistics = IOThreadStatistics()
}
