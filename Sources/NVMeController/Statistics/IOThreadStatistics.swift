/// What an I/O thread has done, as of one moment.
public struct IOThreadStatistics: Sendable, Equatable, Codable {
  /// Rounds in which a command was fetched or completed.
  public var rounds: UInt64 = 0
  /// Returns from a sleep in epoll.
  public var wakeUps: UInt64 = 0
  /// Requests handed to the kernel in one round, by as many calls of `io_submit(2)` as `AIOContext` makes of them.
  public var submissions = BatchHistogram()
  /// Requests that the kernel has: the last round's end.
  public var aioInFlight: UInt64 = 0
  /// Requests that the aio context takes.
  public var aioCapacity: UInt64 = 0
  /// Context switches because the thread waited.
  public var voluntaryContextSwitches: UInt64 = 0
  /// Context switches because its time was over or something more important ran.
  public var involuntaryContextSwitches: UInt64 = 0

  private enum CodingKeys: String, CodingKey {
    case rounds, submissions
    case wakeUps = "wake_ups"
    case aioInFlight = "aio_in_flight"
    case aioCapacity = "aio_capacity"
    case voluntaryContextSwitches = "voluntary_context_switches"
    case involuntaryContextSwitches = "involuntary_context_switches"
  }

  /// Nothing.
  public init() {}

  /// What was done since `earlier`, a former state of this one; aio in flight and its capacity are those of now.
  public func since(_ earlier: IOThreadStatistics) -> IOThreadStatistics {
    var difference = self
    difference.rounds = ControllerStatistics.increase(rounds, earlier.rounds)
    difference.wakeUps = ControllerStatistics.increase(wakeUps, earlier.wakeUps)
    difference.submissions = submissions.since(earlier.submissions)
    difference.voluntaryContextSwitches = ControllerStatistics.increase(
      voluntaryContextSwitches, earlier.voluntaryContextSwitches)
    difference.involuntaryContextSwitches = ControllerStatistics.increase(
      involuntaryContextSwitches, earlier.involuntaryContextSwitches)
    return difference
  }
}
