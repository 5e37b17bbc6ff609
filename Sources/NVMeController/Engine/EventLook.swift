/// When an I/O thread that does not sleep looks at its events: a look is a system call, and until then nobody is heard who
/// has a message for it.
struct EventLook {
  /// Rounds without a look at most.
  static var roundLimit: Int { 64 }
  /// ns without one at most, but for the round that is under way: one in which the kernel takes its time is long.
  static var timeLimit: UInt64 { 1_000_000 }

  private var rounds = 0
  private var last: UInt64 = 0

  /// A round has passed.
  ///
  /// - Parameter now: its time; CLOCK_MONOTONIC in ns.
  /// - Returns: whether it is time to look.
  @inline(__always)
  mutating func isDue(now: UInt64) -> Bool {
    rounds &+= 1
    return rounds >= EventLook.roundLimit || now &- last >= EventLook.timeLimit
  }

  /// The thread looks.
  ///
  /// - Parameter now: the last time that is known.
  @inline(__always)
  mutating func looked(now: UInt64) {
    rounds = 0
    last = now
  }
}
