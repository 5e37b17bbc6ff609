import Doorbells
import KVM
import LinuxIO

/// How long a guest waits for the answer to a doorbell: from its write until it has seen what the server did for it.
///
/// The guest rings with 1, 2, 3 and so on, each time after the answer to the last; the server answers with the value
/// that it heard, in the guest's memory. All ways take turns in every round: compare ratios, not times.
public struct DoorbellRoundTrip: Sendable {
  /// A way of the doorbell, and how the server awaits it.
  public enum Way: CaseIterable, Equatable, Sendable {
    /// An exit to the VMM, REGION_WRITE and its reply. The server answers the guest before it replies.
    case messageWithReply
    /// An exit to the VMM, and REGION_WRITE without reply.
    case postedMessage
    /// An exit to the VMM, which stores and signals.
    case softwarePost
    /// A plain ioeventfd, and the eBPF program stores the value; the server sleeps in epoll.
    case traced
    /// The same, and the server looks at its slot all the time.
    case tracedPolled
    /// POST_WRITE; the server sleeps in epoll.
    case postWrite
    /// POST_WRITE, and the server looks at its slot all the time.
    case postWritePolled
    /// A store to a page that the guest shares with the server, which looks at it all the time: no KVM at all.
    case mappedPage
  }

  /// How the guest waits for the answer.
  public enum Waiting: Equatable, Sendable {
    /// It looks at its memory.
    case spinning
    /// It executes HLT, and the server's answer comes with an interrupt by irqfd.
    case halting(
      /// ns that KVM looks for the interrupt before the vCPU's thread sleeps.
      pollNanoseconds: UInt64)
  }

  /// What was measured of one way: ns per round trip, one figure for each round.
  public struct Result: Sendable {
    /// The way.
    public let way: Way
    /// The figures.
    public internal(set) var wall: [Double] = []
  }

  /// What is measured.
  public var ways: [Way]
  /// How the guest waits.
  public var waiting: Waiting
  /// Has values stored by eBPF; ways that need it throw without.
  public var tracer: DoorbellTracer?
  /// How much, and where.
  public var measurement: DoorbellMeasurement

  /// Every way that this machine has: a server that polls needs a processor for itself.
  ///
  /// - Parameters:
  ///   - support: what this KVM has of POST_WRITE.
  ///   - traces: whether the eBPF program can be loaded.
  ///   - processors: how many there are.
  public static func ways(_ support: PostWriteSupport, traces: Bool, processors: Int) -> [Way] {
    Way.allCases.filter { way in
      if way.source == .polling, processors < 2 { return false }
      return switch way {
      case .traced, .tracedPolled: traces
      case .postWrite, .postWritePolled: support == .supported
      default: true
      }
    }
  }

  /// Describes a measurement.
  public init(ways: [Way], waiting: Waiting, tracer: DoorbellTracer? = nil, _ measurement: DoorbellMeasurement) {
    self.ways = ways
    self.waiting = waiting
    self.tracer = tracer
    self.measurement = measurement
  }

  /// Measures. The first round of each way is thrown away.
  ///
  /// - Throws: what KVM and the system calls throw; `ETIMEDOUT` at the deadline; `EPROTO` where a guest did something
  ///   else than to ring `count` times; `EINVAL` for a way that needs a tracer without one.
  public func run() throws(Errno) -> [Result] {
    try measurement.run { (kick) throws(Errno) in try run(kick) }
  }

  private func run(_ kick: VCPUKick) throws(Errno) -> [Result] {
    var results = ways.map { Result(way: $0) }
    for round in 0...measurement.rounds {
      for index in ways.indices {
        // A server that polls would take a CPU from the next way's: each lives for its own turn.
        var trip = try RoundTripRig(ways[index], waiting, tracer: tracer, measurement)
        let wall = try trip.run(kick)
        guard round > 0 else { continue }
        results[index].wall.append(Double(wall) / Double(measurement.count))
      }
    }
    return results
  }
}
