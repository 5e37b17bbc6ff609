extension FixedWidthInteger where Self: UnsignedInteger {
  /// The `width` bits, at least 1, that start at bit `shift`, as the low bits of the result.
  @inlinable @inline(__always)
  func field(at shift: Int, width: Int) -> Self {
    (self &>> Self(truncatingIfNeeded: shift)) & (.max &>> Self(truncatingIfNeeded: Self.bitWidth &- width))
  }

  /// Replaces the `width` bits, at least 1, that start at bit `shift` by the low bits of `value`; higher bits of
  /// `value` are dropped.
  @inlinable @inline(__always)
  mutating func setField(at shift: Int, width: Int, to value: Self) {
    let mask: Self = .max &>> Self(truncatingIfNeeded: Self.bitWidth &- width)
    let place = Self(truncatingIfNeeded: shift)
    self = (self & ~(mask &<< place)) | ((value & mask) &<< place)
  }

  /// Whether bit `index` is set.
  @inlinable @inline(__always)
  func bit(_ index: Int) -> Bool { (self &>> Self(truncatingIfNeeded: index)) & 1 != 0 }

  /// Sets or clears bit `index`.
  @inlinable @inline(__always)
  mutating func setBit(_ index: Int, to value: Bool) { setField(at: index, width: 1, to: value ? 1 : 0) }
}
