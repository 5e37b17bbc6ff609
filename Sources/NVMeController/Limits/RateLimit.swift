/// A rate, and how much may be used at once after a rest: the parameters of a token bucket.
public struct RateLimit: Codable, Sendable, Equatable {
  /// Tokens that are earned each second, at least 1.
  public var perSecond: UInt64
  /// Tokens that the bucket holds at most; nil: those of 100 ms.
  public var burst: UInt64?

  /// A rate with its burst.
  public init(perSecond: UInt64, burst: UInt64? = nil) {
    self.perSecond = perSecond
    self.burst = burst
  }

  /// Tokens that the bucket holds at most.
  public var capacity: UInt64 { max(burst ?? perSecond / 10, 1) }
}
