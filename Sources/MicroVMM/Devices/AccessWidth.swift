extension FixedWidthInteger {
  /// The lowest `count` bytes; all where there are no more.
  func low(_ count: Int) -> Self {
    count * 8 >= Self.bitWidth ? self : self & ((1 << Self(truncatingIfNeeded: count * 8)) &- 1)
  }

  /// What `count` bytes read that nobody answers.
  static func unanswered(_ count: Int) -> Self { (~0 as Self).low(count) }

  /// This value with `count` bytes from byte `start` on replaced by the lowest ones of `value`.
  func replacing(from start: Int, count: Int, with value: Self) -> Self {
    let mask = (~0 as Self).low(count) << Self(truncatingIfNeeded: start * 8)
    return self & ~mask | (value << Self(truncatingIfNeeded: start * 8)) & mask
  }
}
