/// A table of a fixed number of elements that are owned by it and changed in place.
///
/// Elements may be non-copyable; a subscript never copies one. Every index is checked. One thread at a time.
@safe public struct FixedTable<Element: ~Copyable>: ~Copyable {
  @usableFromInline let base: UnsafeMutablePointer<Element>
  /// How many elements there are.
  public let count: Int

  /// Makes `count` elements, each by `make` of its index.
  public init(count: Int, _ make: (Int) -> Element) {
    unsafe base = .allocate(capacity: max(count, 1))
    self.count = count
    for index in 0..<count { unsafe (base + index).initialize(to: make(index)) }
  }

  deinit {
    unsafe base.deinitialize(count: count)
    unsafe base.deallocate()
  }

  /// Whether there is an element at `index`.
  @inlinable @inline(__always)
  public func has(_ index: Int) -> Bool {
    // One comparison: a negative index is a huge one.
    UInt(bitPattern: index) < UInt(bitPattern: count)
  }

  /// The element at `index`, in place.
  @inlinable
  public subscript(index: Int) -> Element {
    @inline(__always)
    unsafeAddress {
      precondition(has(index))
      return unsafe UnsafePointer(base + index)
    }
    @inline(__always)
    unsafeMutableAddress {
      precondition(has(index))
      return unsafe base + index
    }
  }
}

extension FixedTable: @unchecked Sendable where Element: Sendable & ~Copyable {}
