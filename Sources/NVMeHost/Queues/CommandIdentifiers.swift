import LinuxIO

/// The command identifiers of a submission queue, 0 to `count` - 1: which are free, and which are in use.
///
/// An identifier is the number of a slot, so that whatever the host keeps for a command is found by index.
@usableFromInline struct CommandIdentifiers: ~Copyable, Sendable {
  @usableFromInline var free: FixedTable<UInt16>
  @usableFromInline var freeCount: Int
  @usableFromInline var inUse: FixedTable<Bool>

  init(count: Int) {
    // The lowest is taken first.
    free = FixedTable(count: count) { UInt16(truncatingIfNeeded: count - 1 - $0) }
    freeCount = count
    inUse = FixedTable(count: count) { _ in false }
  }

  @inlinable var inUseCount: Int { free.count - freeCount }

  @inlinable @inline(__always)
  mutating func take() -> UInt16? {
    guard freeCount > 0 else { return nil }
    freeCount &-= 1
    let identifier = free[freeCount]
    inUse[Int(identifier)] = true
    return identifier
  }

  /// False where it is not in use.
  @inlinable @inline(__always)
  mutating func give(back identifier: UInt16) -> Bool {
    let index = Int(identifier)
    guard index < inUse.count, inUse[index] else { return false }
    inUse[index] = false
    free[freeCount] = identifier
    freeCount &+= 1
    return true
  }
}
