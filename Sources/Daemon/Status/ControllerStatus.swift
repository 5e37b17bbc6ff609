import NVMeController

/// One controller: who uses it, how, and what it has.
public struct ControllerStatus: Codable, Sendable, Equatable {
  /// What a controller is doing.
  public enum State: String, Codable, Sendable, CaseIterable {
    /// No client is connected.
    case waiting
    /// A client is connected, and the guest has not enabled the controller (CSTS.RDY 0).
    case attached
    /// The guest uses it (CSTS.RDY 1).
    case ready
    /// The guest has shut it down (CSTS.SHST), or is doing so.
    case shutdown
    /// It has failed (CSTS.CFS), and waits for the guest to reset it.
    case failed
    /// Its client has gone, or it is being removed: what is in flight is awaited.
    case ending
    /// Its control thread did not answer in time: nothing below is known but the configuration.
    case busy
  }

  /// Its name.
  public var name: String
  /// The path of its socket; nil where the socket was handed over.
  public var socketPath: String?
  /// Serial number.
  public var serial: String
  /// What it is doing.
  public var state: State
  /// The client; nil where none is connected.
  public var client: ClientStatus?
  /// CSTS, Controller Status.
  public var controllerStatus: UInt32
  /// CC, Controller Configuration.
  public var controllerConfiguration: UInt32
  /// How doorbells come.
  public var doorbells: DoorbellStatus
  /// Its queues: those of the administrator first, then by identifier; a submission queue before the completion queue.
  public var queues: [QueueStatus]
  /// Guest memory.
  public var dma: DMAStatus
  /// Interrupt vectors that there are.
  public var interruptVectors: Int
  /// Interrupt vectors for which the client has installed an eventfd, in order.
  public var installedVectors: [Int]
  /// Its namespaces, by identifier.
  public var namespaces: [NamespaceStatus]
  /// What it may do at most.
  public var limits: RateLimits
  /// Whether commands wait for the limits just now.
  public var isLimited: Bool
  /// What it has done since the daemon serves it, for all clients.
  public var statistics: ControllerStatistics
  /// Clients that were served since then.
  public var connections: UInt64 = 0
  /// Clients that were refused since then, as there was one already.
  public var refusedConnections: UInt64 = 0
  /// Log lines of it that were left out since then, as there were too many.
  public var suppressedLogLines: UInt64 = 0
  /// ns of CPU time that its control thread has used.
  public var controlCPUTime: UInt64
}

/// Who is connected to a controller.
public struct ClientStatus: Codable, Sendable, Equatable {
  /// Its process identifier, as the kernel knows who made the connection (`SO_PEERCRED`); nil where it does not say.
  public var processID: Int32?
}

/// The guest memory that a client has mapped.
public struct DMAStatus: Codable, Sendable, Equatable {
  /// Ranges.
  public var mapCount: Int
  /// Bytes of all of them.
  public var byteCount: UInt64
}
