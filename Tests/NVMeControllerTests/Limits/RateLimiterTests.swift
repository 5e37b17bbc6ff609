import Testing

@testable import NVMeController

@Suite struct RateLimiterTests {
  private static let ms: UInt64 = 1_000_000

  /// Commands that begin at the time `now`, of `limit` that are tried.
  private static func admitted(
    _ limiter: RateLimiter, _ operation: RateLimiter.Operation = .read, bytes: UInt64 = 0, now: UInt64,
    limit: Int = 100_000
  ) -> Int {
    for count in 0..<limit where limiter.admit(operation, bytes: bytes, now: now) != .max { return count }
    return limit
  }

  @Test func unlimited() {
    let limiter = RateLimiter()
    #expect(RateLimiterTests.admitted(limiter, bytes: 1 << 20, now: 0, limit: 1000) == 1000)
    #expect(limiter.limits.isUnlimited)
  }

  /// Over any time no more than burst + rate * time, to the command.
  @Test func operations() {
    let limiter = RateLimiter()
    var limits = RateLimits()
    limits.operations = RateLimit(perSecond: 1000, burst: 20)
    limiter.set(limits, now: 0)
    #expect(limiter.limits == limits)
    #expect(RateLimiterTests.admitted(limiter, now: 0) == 20)
    var total = 0
    for tick in 1...500 {
      total += RateLimiterTests.admitted(limiter, .other, now: UInt64(tick) * RateLimiterTests.ms / 3)
    }
    #expect(total == 166)
    // Who is told when to come back has some then.
    let again = limiter.admit(.write, bytes: 1, now: 500 * RateLimiterTests.ms / 3)
    #expect(again == 167 * RateLimiterTests.ms)
    #expect(RateLimiterTests.admitted(limiter, now: again) == 1)
  }

  /// A thread is not woken for each of many commands: it comes back for those of a millisecond.
  @Test func restsForAMillisecond() {
    let limiter = RateLimiter()
    var limits = RateLimits()
    limits.operations = RateLimit(perSecond: 100_000)
    limiter.set(limits, now: 0)
    #expect(RateLimiterTests.admitted(limiter, now: 0) == 10_000)
    #expect(limiter.admit(.read, bytes: 0, now: 0) == RateLimiterTests.ms)
    #expect(RateLimiterTests.admitted(limiter, now: RateLimiterTests.ms) == 100)
  }

  /// Bytes may be overdrawn by one command, and only commands with bytes wait for them.
  @Test func bytes() {
    let limiter = RateLimiter()
    var limits = RateLimits()
    limits.bytes = RateLimit(perSecond: 1 << 20, burst: 4096)
    limiter.set(limits, now: 0)
    #expect(RateLimiterTests.admitted(limiter, bytes: 3000, now: 0) == 2)
    #expect(limiter.admit(.other, bytes: 0, now: 0) == .max)
    #expect(limiter.admit(.write, bytes: 0, now: 0) == .max)
    // 1,904 of debt and 1,048 of a millisecond.
    let again = limiter.admit(.write, bytes: 1, now: 0)
    #expect(again == ((1904 + 1048) * 1_000_000_000 + (1 << 20) - 1) / (1 << 20))
    #expect(limiter.admit(.write, bytes: 1, now: again) == .max)
  }

  /// Each direction has limits of its own; the total is that of both.
  @Test func directions() {
    let limiter = RateLimiter()
    var limits = RateLimits()
    limits.operations = RateLimit(perSecond: 10, burst: 10)
    limits.readOperations = RateLimit(perSecond: 1, burst: 3)
    limits.writtenBytes = RateLimit(perSecond: 4096, burst: 8192)
    limiter.set(limits, now: 0)
    #expect(RateLimiterTests.admitted(limiter, .read, bytes: 512, now: 0) == 3)
    #expect(RateLimiterTests.admitted(limiter, .write, bytes: 4096, now: 0) == 2)
    // What was refused was not charged.
    #expect(RateLimiterTests.admitted(limiter, .other, now: 0) == 5)
    #expect(limiter.admit(.other, bytes: 0, now: 0) == 100 * RateLimiterTests.ms)
    // Who waits for two waits for the later.
    #expect(limiter.admit(.read, bytes: 512, now: 0) == 1000 * RateLimiterTests.ms)
  }

  @Test func changesAtRunTime() {
    let limiter = RateLimiter()
    var limits = RateLimits()
    limits.operations = RateLimit(perSecond: 1, burst: 1)
    limiter.set(limits, now: 0)
    #expect(RateLimiterTests.admitted(limiter, now: 0) == 1)
    limits.operations = RateLimit(perSecond: 1000, burst: 10)
    limiter.set(limits, now: 0)
    #expect(RateLimiterTests.admitted(limiter, now: 0) == 0, "no tokens are given away")
    #expect(RateLimiterTests.admitted(limiter, now: RateLimiterTests.ms) == 1)
    limiter.set(RateLimits(), now: RateLimiterTests.ms)
    #expect(RateLimiterTests.admitted(limiter, now: RateLimiterTests.ms, limit: 500) == 500)
  }
}
