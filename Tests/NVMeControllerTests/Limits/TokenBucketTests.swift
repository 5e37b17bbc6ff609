import Testing

@testable import NVMeController

@Suite struct TokenBucketTests {
  private static let second: UInt64 = 1_000_000_000

  @Test func beginsFullAndEarnsUpToItsCapacity() {
    var bucket = TokenBucket(RateLimit(perSecond: 10, burst: 5), now: 7)
    #expect(bucket.tokens == 5)
    for _ in 0..<5 {
      #expect(bucket.isOpen)
      bucket.take(1)
    }
    #expect(!bucket.isOpen && bucket.tokens == 0)
    bucket.earn(now: 7 + TokenBucketTests.second / 10 - 1)
    #expect(!bucket.isOpen)
    bucket.earn(now: 7 + TokenBucketTests.second / 10)
    #expect(bucket.isOpen && bucket.tokens == 1)
    bucket.earn(now: 100 * TokenBucketTests.second)
    #expect(bucket.tokens == 5)
  }

  /// Without a burst the bucket holds what is earned in 100 ms, and one token at least.
  @Test(arguments: [(1, 1), (9, 1), (10, 1), (25, 2), (1000, 100)] as [(UInt64, UInt64)])
  func defaultCapacity(_ rate: UInt64, _ capacity: UInt64) {
    #expect(RateLimit(perSecond: rate).capacity == capacity)
    #expect(TokenBucket(RateLimit(perSecond: rate), now: 0).tokens == Int128(capacity))
  }

  /// Parts of tokens are not lost, however often it is looked at: 3 a second are 300 in 100 seconds.
  @Test(arguments: [3, 7, 999_999_937] as [UInt64]) func losesNothingByRounding(_ rate: UInt64) {
    var bucket = TokenBucket(RateLimit(perSecond: rate, burst: rate * 200), now: 0)
    bucket.take(rate * 200)
    var now: UInt64 = 0
    var step: UInt64 = 1
    while now < 100 * TokenBucketTests.second {
      step = step &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      now = min(now + step % 50_000_000, 100 * TokenBucketTests.second)
      bucket.earn(now: now)
    }
    #expect(bucket.tokens == Int128(rate) * 100)
  }

  /// A command may take more than there is; the debt is earned back before the next.
  @Test func debt() {
    var bucket = TokenBucket(RateLimit(perSecond: 1000, burst: 100), now: 0)
    bucket.take(600)
    #expect(bucket.tokens == -500 && !bucket.isOpen)
    #expect(bucket.wait(for: 1) == 501_000_000)
    bucket.earn(now: 500_999_999)
    #expect(!bucket.isOpen)
    #expect(bucket.wait(for: 1) == 1)
    bucket.earn(now: 501_000_000)
    #expect(bucket.isOpen && bucket.wait(for: 1) == 0)
    // Nobody waits for more than it holds.
    #expect(bucket.wait(for: 1_000_000) == 99_000_000)
  }

  @Test func timeThatStandsStillOrGoesBack() {
    var bucket = TokenBucket(RateLimit(perSecond: 1000, burst: 1), now: 1_000_000)
    bucket.take(1)
    bucket.earn(now: 0)
    bucket.earn(now: 1_000_000)
    #expect(bucket.tokens == 0)
    bucket.earn(now: 2_000_000)
    #expect(bucket.tokens == 1)
  }

  @Test func extremes() {
    var bucket = TokenBucket(RateLimit(perSecond: .max, burst: .max), now: 0)
    bucket.take(.max)
    bucket.take(.max)
    bucket.earn(now: .max)
    #expect(bucket.tokens == Int128(UInt64.max))
    let slow = RateLimit(perSecond: 1, burst: .max)
    bucket = TokenBucket(slow, now: 0)
    bucket.take(.max)
    #expect(bucket.wait(for: .max) == .max)
  }

  /// A change keeps what is there as far as it fits, and earns at the old rate until then.
  @Test func changes() {
    var bucket = TokenBucket(RateLimit(perSecond: 100, burst: 50), now: 0)
    bucket.take(50)
    bucket.change(to: RateLimit(perSecond: 1, burst: 10), now: TokenBucketTests.second / 10)
    #expect(bucket.tokens == 10)
    bucket.take(10)
    bucket.earn(now: TokenBucketTests.second / 10 + TokenBucketTests.second)
    #expect(bucket.tokens == 1)
    bucket.change(to: RateLimit(perSecond: 5, burst: 100), now: TokenBucketTests.second / 10 + TokenBucketTests.second)
    #expect(bucket.tokens == 1)
  }
}
