/// Marsaglia's xorshift64*: random enough for block addresses, and nothing to pay for.
@frozen public struct XorShift: Sendable, RandomNumberGenerator {
  @usableFromInline var state: UInt64

  /// A generator; the same seed gives the same sequence.
  @inlinable public init(seed: UInt64) { state = seed == 0 ? 0x9E37_79B9_7F4A_7C15 : seed }

  /// The next 64 bits.
  @inlinable @inline(__always)
  public mutating func next() -> UInt64 {
    state ^= state &>> 12
    state ^= state &<< 25
    state ^= state &>> 27
    return state &* 0x2545_F491_4F6C_DD1D
  }
}
