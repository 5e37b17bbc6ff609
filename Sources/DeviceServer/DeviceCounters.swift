import LinuxIO
import NVMeController
import Synchronization

/// What is counted of one controller over all its clients. Any thread reads; the control thread counts.
final class DeviceCounters: Sendable {
  private struct State {
    /// Of clients that are gone.
    var past = ControllerStatistics()
    /// Of the client that is connected.
    var present: ControllerCounters?
    var connections: UInt64 = 0
    var refusedConnections: UInt64 = 0
  }

  private let state = Locked(State())
  private let suppressedLines = Atomic<UInt64>(0)
  private let undurable = Atomic<Bool>(false)
  private let keepsPast: Bool

  /// Nothing counted.
  ///
  /// - Parameter keepsPast: whether what is counted of a client counts on when it has gone.
  init(keepsPast: Bool = true) { self.keepsPast = keepsPast }

  /// A client is served, by a controller with these counters.
  func begin(_ counters: ControllerCounters) {
    state.withLock {
      $0.present = counters
      $0.connections += 1
    }
  }

  /// The client is gone, and nothing of it is in flight.
  func end() {
    state.withLock {
      if keepsPast, let present = $0.present { $0.past.merge(present.statistics) }
      $0.present = nil
      $0.past.inFlight = 0
    }
  }

  /// A client was refused, as there is one already.
  func refuse() { state.withLock { $0.refusedConnections += 1 } }

  /// A log line was left out.
  func suppressLine() { suppressedLines.wrappingAdd(1, ordering: .relaxed) }

  /// What clients were told is durable may not be.
  func noteUndurable() { undurable.store(true, ordering: .releasing) }

  /// Whether nothing of that kind was noted.
  var isDurable: Bool { !undurable.load(ordering: .acquiring) }

  /// All of it, as of now.
  var statistics: DeviceStatistics {
    let (past, present, connections, refused) = state.withLock {
      ($0.past, $0.present?.statistics, $0.connections, $0.refusedConnections)
    }
    var controller = past
    if let present { controller.merge(present) }
    return DeviceStatistics(
      controller: controller, connections: connections, refusedConnections: refused,
      suppressedLogLines: suppressedLines.load(ordering: .relaxed))
  }
}

/// What a device server has done, as of one moment, for all its clients together.
public struct DeviceStatistics: Sendable, Equatable, Codable {
  /// Commands, doorbells, interrupts.
  public var controller: ControllerStatistics
  /// Clients that were served.
  public var connections: UInt64
  /// Clients that were refused, as there was one already.
  public var refusedConnections: UInt64
  /// Log lines that were left out, as guest or client caused too many.
  public var suppressedLogLines: UInt64

  /// Makes one of its parts.
  public init(
    controller: ControllerStatistics = ControllerStatistics(), connections: UInt64 = 0, refusedConnections: UInt64 = 0,
    suppressedLogLines: UInt64 = 0
  ) {
    self.controller = controller
    self.connections = connections
    self.refusedConnections = refusedConnections
    self.suppressedLogLines = suppressedLogLines
  }
}
