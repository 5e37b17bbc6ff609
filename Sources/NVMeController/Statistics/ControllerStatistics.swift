import NVMeSpec

/// What a controller has done, as of one moment: sums that only grow, and how much is in flight.
///
/// The parts are read one after the other while I/O threads go on, so that they may differ by the commands of a moment.
public struct ControllerStatistics: Sendable, Equatable, Codable {
  /// I/O commands of one kind, the failed ones among them.
  public struct Commands: Sendable, Equatable, Codable {
    /// How long they took; its `count` is that of the commands.
    public var latency = LatencyHistogram()
    /// Bytes transferred by those that succeeded.
    public var bytes: UInt64 = 0

    /// None.
    public init() {}
  }

  /// Commands that failed with one status.
  public struct Failures: Sendable, Equatable, Codable {
    /// SCT in bits 10:8, SC in bits 7:0.
    public let status: UInt16
    /// Its name and numbers, as in "Invalid Field in Command (0/02)".
    public let name: String
    /// Commands.
    public var count: UInt64

    /// Makes one of a status; its flags (CRD, M, DNR) are left out.
    public init(_ status: Status, count: UInt64) {
      self.status = status.rawValue & 0x7ff
      name = Status(rawValue: self.status).description
      self.count = count
    }
  }

  /// I/O commands completed, by kind; kinds of which there were none are left out.
  public var commands: [CommandKind: Commands] = [:]
  /// I/O commands that failed, by status, in the order of its number.
  public var failures: [Failures] = []
  /// I/O commands that failed because of the media or the host's file.
  public var mediaErrors: UInt64 = 0
  /// Doorbells of I/O queues, by the way they came; ways on which none came are left out.
  public var doorbells: [DoorbellPath: UInt64] = [:]
  /// Interrupts sent for I/O queues.
  public var interrupts: UInt64 = 0
  /// How often a doorbell's event reached an I/O thread.
  public var wakeUps: UInt64 = 0
  /// Completions posted to one queue in one round of its thread, which share an interrupt.
  public var completionBatches = BatchHistogram()
  /// I/O commands begun and not completed: the last round's end.
  public var inFlight: UInt64 = 0

  /// Nothing.
  public init() {}

  /// The commands of a kind.
  public subscript(kind: CommandKind) -> Commands { commands[kind] ?? Commands() }

  /// All I/O commands completed.
  public var commandCount: UInt64 { commands.values.reduce(0) { $0 &+ $1.latency.count } }

  /// Bytes read, also for Compare and Verify.
  public var readBytes: UInt64 { self[.read].bytes &+ self[.compare].bytes &+ self[.verify].bytes }

  /// Bytes written by Write.
  public var writtenBytes: UInt64 { self[.write].bytes }

  /// The latencies of all kinds together.
  public var latency: LatencyHistogram {
    var all = LatencyHistogram()
    for commands in commands.values { all.merge(commands.latency) }
    return all
  }

  /// Adds what another one counts: of other threads, or of other clients of the same controller.
  public mutating func merge(_ other: ControllerStatistics) {
    for (kind, theirs) in other.commands {
      commands[kind, default: Commands()].latency.merge(theirs.latency)
      commands[kind, default: Commands()].bytes &+= theirs.bytes
    }
    for theirs in other.failures {
      if let place = failures.firstIndex(where: { $0.status >= theirs.status }) {
        if failures[place].status == theirs.status {
          failures[place].count &+= theirs.count
        } else {
          failures.insert(theirs, at: place)
        }
      } else {
        failures.append(theirs)
      }
    }
    mediaErrors &+= other.mediaErrors
    for (path, count) in other.doorbells { doorbells[path, default: 0] &+= count }
    interrupts &+= other.interrupts
    wakeUps &+= other.wakeUps
    completionBatches.merge(other.completionBatches)
    inFlight &+= other.inFlight
  }

  /// What was done since `earlier`, a former state of this one; what is in flight is that of now.
  public func since(_ earlier: ControllerStatistics) -> ControllerStatistics {
    var difference = ControllerStatistics()
    for (kind, now) in commands {
      var commands = Commands()
      commands.latency = now.latency.since(earlier[kind].latency)
      commands.bytes = ControllerStatistics.increase(now.bytes, earlier[kind].bytes)
      if commands.latency.count > 0 { difference.commands[kind] = commands }
    }
    difference.failures = failures.compactMap { now in
      let before = earlier.failures.first { $0.status == now.status }?.count ?? 0
      var failures = now
      failures.count = ControllerStatistics.increase(now.count, before)
      return failures.count > 0 ? failures : nil
    }
    difference.mediaErrors = ControllerStatistics.increase(mediaErrors, earlier.mediaErrors)
    for (path, now) in doorbells {
      let count = ControllerStatistics.increase(now, earlier.doorbells[path] ?? 0)
      if count > 0 { difference.doorbells[path] = count }
    }
    difference.interrupts = ControllerStatistics.increase(interrupts, earlier.interrupts)
    difference.wakeUps = ControllerStatistics.increase(wakeUps, earlier.wakeUps)
    difference.completionBatches = completionBatches.since(earlier.completionBatches)
    difference.inFlight = inFlight
    return difference
  }

  /// How much a sum has grown. One that is smaller than before has begun anew, as after the daemon was started again.
  static func increase(_ now: UInt64, _ before: UInt64) -> UInt64 { now >= before ? now - before : now }
}
