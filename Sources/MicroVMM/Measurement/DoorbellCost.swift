import Doorbells
import KVM
import LinuxIO

/// What one doorbell costs the vCPU that rings it, by the way it goes.
///
/// A guest writes the same value to the same address again and again; nothing else happens. A thread of this process is
/// the server: it reads each message or signal and does nothing with it, so that what is measured is the way alone. All
/// ways take turns in every round, so that a load on the machine meets them alike: compare ratios, not times.
public struct DoorbellCost: Sendable {
  /// A way of a doorbell.
  public enum Way: Equatable, Hashable, Sendable {
    /// No doorbell: a store to memory, for the cost of the guest's own instructions.
    case memory
    /// An exit to the VMM, which does nothing.
    case exit
    /// The same while the eBPF program is attached for the doorbells of another VM: what it costs everybody.
    case exitBesideTracer
    /// An exit, REGION_WRITE, and the wait for its reply.
    case messageWithReply
    /// An exit, and REGION_WRITE without reply.
    case postedMessage
    /// An exit; the VMM stores the value and signals the eventfd.
    case softwarePost
    /// A plain ioeventfd: the signal alone, without the value.
    case ioeventfd
    /// The same while nobody waits for the eventfd, as with a server that is looking at its slots anyway.
    case ioeventfdUnawaited
    /// The same while the eBPF program is attached for the doorbells of another VM.
    case ioeventfdBesideTracer
    /// A plain ioeventfd, and the eBPF program stores the value.
    case traced
    /// The same while nobody waits for the eventfd.
    case tracedUnawaited
    /// The last registered of so many ioeventfds at one address, each for one value: what it takes to tell a server
    /// the value without POST_WRITE.
    case datamatch(values: Int)
    /// KVM keeps the value for the VMM, which hears of it at some later exit: whenever its ring is full, or the guest
    /// does something else.
    case coalesced
    /// POST_WRITE: KVM stores the value and signals.
    case postWrite
    /// The same while nobody waits for the eventfd: the server is looking at its slots anyway, as after work.
    case postWriteUnawaited
  }

  /// What was measured of one way.
  public struct Result: Sendable {
    /// The way.
    public let way: Way
    /// ns of wall time per doorbell, one for each round.
    public internal(set) var wall: [Double] = []
    /// ns of CPU time of the vCPU's thread per doorbell, guest and kernel together, one for each round.
    public internal(set) var cpu: [Double] = []

    /// The median, least and greatest of the rounds' quotients: another way's figure by this one's. A figure that is not
    /// above 0, as a disturbed round can leave after `less`, counts as a quotient of 0.
    public static func ratio(_ other: [Double], to own: [Double]) -> (median: Double, least: Double, greatest: Double) {
      let ratios = zip(other, own).map { $1 > 0 ? $0 / $1 : 0 }.sorted()
      guard let least = ratios.first, let greatest = ratios.last else { return (0, 0, 0) }
      return (median(ratios), least, greatest)
    }

    /// The figures less what the guest's own instructions cost: the medians of `baseline`, of the way `memory`.
    ///
    /// A real CPU runs those in a few ns, and KVM's emulator in thousands: without this every ratio would shrink where
    /// guests are emulated.
    public func less(_ baseline: Result) -> Result {
      let wall = Result.median(baseline.wall)
      let cpu = Result.median(baseline.cpu)
      return Result(way: way, wall: self.wall.map { $0 - wall }, cpu: self.cpu.map { $0 - cpu })
    }

    /// The middle of the figures; of an even number, the upper one of both. 0 without figures.
    public static func median(_ figures: [Double]) -> Double {
      figures.isEmpty ? 0 : figures.sorted()[figures.count / 2]
    }
  }

  /// What is measured.
  public var ways: [Way]
  /// How much, and where.
  public var measurement: DoorbellMeasurement

  /// Every way that this kernel has.
  ///
  /// - Parameters:
  ///   - support: what this KVM has of POST_WRITE.
  ///   - traces: whether the eBPF program can be loaded.
  public static func ways(_ support: PostWriteSupport, traces: Bool = false) -> [Way] {
    var all: [Way] = [
      .memory, .exit, .messageWithReply, .postedMessage, .softwarePost, .ioeventfd, .ioeventfdUnawaited,
      .datamatch(values: 1), .datamatch(values: 256), .coalesced,
    ]
    if traces { all += [.exitBesideTracer, .ioeventfdBesideTracer, .traced, .tracedUnawaited] }
    if support == .supported { all += [.postWrite, .postWriteUnawaited] }
    return all
  }

  /// Has values stored by eBPF; nil: no way that needs it is measured.
  public var tracer: DoorbellTracer?

  /// Describes a measurement.
  public init(ways: [Way], tracer: DoorbellTracer? = nil, _ measurement: DoorbellMeasurement) {
    self.ways = ways
    self.tracer = tracer
    self.measurement = measurement
  }

  /// Measures. The first round of each way is thrown away.
  ///
  /// - Throws: what KVM and the system calls throw; `ETIMEDOUT` at the deadline; `EPROTO` where the guest did something
  ///   else than to ring `count` times, or the server did not hear it; `EINVAL` for a way that needs a tracer without one.
  public func run() throws(Errno) -> [Result] {
    try measurement.run { (kick) throws(Errno) in try run(kick) }
  }

  private func run(_ kick: VCPUKick) throws(Errno) -> [Result] {
    var bells: [DoorbellRinger] = []
    for way in ways { bells.append(try DoorbellRinger(way, tracer: tracer, measurement)) }
    var results = ways.map { Result(way: $0) }
    for round in 0...measurement.rounds {
      for index in ways.indices {
        let time = try bells[index].ring(kick)
        guard round > 0 else { continue }
        results[index].wall.append(Double(time.wall) / Double(measurement.count))
        results[index].cpu.append(Double(time.cpu) / Double(measurement.count))
      }
    }
    for bell in bells { try bell.end() }
    return results
  }
}
