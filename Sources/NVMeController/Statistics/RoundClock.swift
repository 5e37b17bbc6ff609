import LinuxIO

/// What time it is for the commands of a round: the clock is read once for all of them.
struct RoundClock {
  /// CLOCK_MONOTONIC in ns, as of the last reading.
  private(set) var now: UInt64 = 0
  /// Whether that is the present round's.
  private var isCurrent = false
  /// The beginning that `latency` is of: commands that began together end together, mostly.
  private var begun = UInt64.max
  private var latency = PortCounters.Latency.none

  /// Reads the clock, unless that was done since `expire`.
  @inline(__always)
  mutating func read() {
    if !isCurrent { set(Clock.monotonic) }
  }

  /// Takes a time that was read for another reason.
  mutating func set(_ now: UInt64) {
    self.now = now
    isCurrent = true
    begun = UInt64.max
  }

  /// Time passes: the next `read` reads the clock.
  mutating func expire() { isCurrent = false }

  /// How long a command has taken that began at `begun`.
  @inline(__always)
  mutating func latency(since begun: UInt64) -> PortCounters.Latency {
    if begun != self.begun { calculate(begun) }
    return latency
  }

  @inline(never)
  private mutating func calculate(_ begun: UInt64) {
    self.begun = begun
    latency = PortCounters.Latency(now &- begun)
  }
}
