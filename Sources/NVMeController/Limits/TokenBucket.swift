/// A token bucket: it earns tokens at a steady rate up to its capacity, and who takes some may run it into debt, which is
/// earned back before anybody takes more.
///
/// Exact: in any time t after a full bucket, no more than capacity + rate * t tokens are taken, and the last of them by
/// one command. Parts of a token are kept in units of 1 / 1,000,000,000 token, so that no rate loses by rounding.
struct TokenBucket: Sendable {
  /// Units of a token: with them a bucket of n tokens a second earns n units each ns.
  private static let unit: Int128 = 1_000_000_000

  private(set) var limit: RateLimit
  /// Units, at most the capacity's; negative: in debt.
  private var units: Int128
  /// ns: up to when tokens were earned.
  private var earnedUntil: UInt64

  /// A full bucket at the time `now`, in ns.
  init(_ limit: RateLimit, now: UInt64) {
    self.limit = limit
    units = Int128(limit.capacity) * TokenBucket.unit
    earnedUntil = now
  }

  /// Whole tokens that are there; negative: in debt.
  var tokens: Int128 { units >= 0 ? units / TokenBucket.unit : -((-units + TokenBucket.unit - 1) / TokenBucket.unit) }

  /// Earns what the time since the last call is worth. A time before that is the same time.
  mutating func earn(now: UInt64) {
    guard now > earnedUntil else { return }
    let capacity = Int128(limit.capacity) * TokenBucket.unit
    let (earned, overflow) = Int128(now - earnedUntil).multipliedReportingOverflow(by: Int128(limit.perSecond))
    units = overflow || earned >= capacity - units ? capacity : units + earned
    earnedUntil = now
  }

  /// Whether there is a whole token: somebody may take some.
  var isOpen: Bool { units >= TokenBucket.unit }

  /// Takes tokens, also more than there are.
  mutating func take(_ tokens: UInt64) { units -= Int128(tokens) * TokenBucket.unit }

  /// ns after `earnedUntil` until so many tokens are there, or the bucket is full.
  func wait(for tokens: UInt64) -> UInt64 {
    let wanted = Int128(min(max(tokens, 1), limit.capacity)) * TokenBucket.unit
    guard units < wanted else { return 0 }
    let rate = Int128(max(limit.perSecond, 1))
    return UInt64(clamping: (wanted - units + rate - 1) / rate)
  }

  /// Goes on with another rate: what is there is kept, as far as it fits.
  mutating func change(to limit: RateLimit, now: UInt64) {
    earn(now: now)
    self.limit = limit
    units = min(units, Int128(limit.capacity) * TokenBucket.unit)
  }
}
