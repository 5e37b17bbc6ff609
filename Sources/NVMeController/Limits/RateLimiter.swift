import LinuxIO

/// The rate limits of one controller, which all I/O threads that serve it ask. Any thread.
///
/// A command begins where every bucket that it draws on has a token, and then takes what it costs, so that one command
/// at most is more than was earned; it is not known what a command costs before it is fetched, and none is held back
/// half. Who has to wait does so for the tokens of a millisecond at least: a thread wakes for some commands and not for
/// each.
final class RateLimiter: Sendable {
  /// What a command does, in terms of limits.
  enum Operation { case read, write, other }

  private struct State {
    var limits = RateLimits()
    var operations: TokenBucket?
    var bytes: TokenBucket?
    var readOperations: TokenBucket?
    var readBytes: TokenBucket?
    var writeOperations: TokenBucket?
    var writtenBytes: TokenBucket?
  }

  private let state = Locked(State())

  /// No limits.
  init() {}

  /// The limits.
  var limits: RateLimits { state.withLock { $0.limits } }

  /// Changes the limits: a bucket that is there keeps its tokens, a new one is full.
  func set(_ limits: RateLimits, now: UInt64) {
    func change(_ bucket: inout TokenBucket?, _ limit: RateLimit?) {
      guard let limit else {
        bucket = nil
        return
      }
      if bucket == nil { bucket = TokenBucket(limit, now: now) } else { bucket?.change(to: limit, now: now) }
    }
    state.withLock { state in
      state.limits = limits
      change(&state.operations, limits.operations)
      change(&state.bytes, limits.bytes)
      change(&state.readOperations, limits.readOperations)
      change(&state.readBytes, limits.readBytes)
      change(&state.writeOperations, limits.writeOperations)
      change(&state.writtenBytes, limits.writtenBytes)
    }
  }

  /// Lets a command begin, and charges it.
  ///
  /// - Parameters:
  ///   - bytes: what it transfers.
  ///   - now: ns.
  /// - Returns: `UInt64.max` where it begins; else when to ask again, in ns.
  func admit(_ operation: Operation, bytes: UInt64, now: UInt64) -> UInt64 {
    state.withLock { state in
      var wait: UInt64 = 0
      func look(_ bucket: inout TokenBucket?) {
        bucket?.earn(now: now)
        guard let bucket, !bucket.isOpen else { return }
        wait = max(wait, bucket.wait(for: bucket.limit.perSecond / 1000))
      }
      // A command without bytes does not wait for them.
      look(&state.operations)
      if bytes > 0 { look(&state.bytes) }
      switch operation {
      case .read:
        look(&state.readOperations)
        if bytes > 0 { look(&state.readBytes) }
      case .write:
        look(&state.writeOperations)
        if bytes > 0 { look(&state.writtenBytes) }
      case .other: break
      }
      guard wait == 0 else { return now &+ wait }
      state.operations?.take(1)
      state.bytes?.take(bytes)
      switch operation {
      case .read:
        state.readOperations?.take(1)
        state.readBytes?.take(bytes)
      case .write:
        state.writeOperations?.take(1)
        state.writtenBytes?.take(bytes)
      case .other: break
      }
      return UInt64.max
    }
  }
}

/// The time that rate limits go by.
enum RateClock {
  /// CLOCK_MONOTONIC.
  case monotonic
  /// A time that stands still until a test sets another.
  case fixed(UInt64)

  /// ns.
  var now: UInt64 {
    switch self {
    case .monotonic: Clock.monotonic
    case .fixed(let time): time
    }
  }
}
