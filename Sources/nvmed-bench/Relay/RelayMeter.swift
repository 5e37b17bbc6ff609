import LinuxIO
import NVMeHost

/// Chooses places and takes the time of requests. One thread.
struct RelayMeter: ~Copyable {
  /// When it was made, in ns.
  let start: UInt64
  private(set) var load = Load()
  private let plan: RelayPlan
  private var begun: FixedTable<UInt64>
  private var random: XorShift
  private var next: UInt32 = 0
  private var measuredFrom: UInt64?

  init(_ plan: RelayPlan, depth: Int) {
    self.plan = plan
    start = Clock.monotonic
    begun = FixedTable(count: depth) { _ in 0 }
    random = XorShift(seed: start)
  }

  /// A request begins in this slot.
  ///
  /// - Returns: its place.
  mutating func begin(_ slot: Int, at now: UInt64) -> UInt32 {
    begun[slot] = now
    guard !plan.isRandom else {
      return UInt32(truncatingIfNeeded: (UInt64(UInt32(truncatingIfNeeded: random.next())) * UInt64(plan.places)) >> 32)
    }
    defer { next = next + 1 >= plan.places ? 0 : next + 1 }
    return next
  }

  /// The request of this slot is over.
  mutating func end(_ slot: Int, at now: UInt64) {
    if measuredFrom != nil { load.latencies.record(now &- begun[slot]) }
  }

  /// Whether the time is over.
  mutating func isOver(_ now: UInt64) -> Bool {
    guard let measuredFrom else {
      if now &- start >= plan.warmup { measuredFrom = now }
      return false
    }
    load.duration = now &- measuredFrom
    return load.duration >= plan.duration
  }
}
