import Synchronization

/// A 32-bit word of memory that another process or thread also sees; not its owner.
///
/// The memory must outlive it and be aligned to 4 bytes.
@safe public struct SharedWord: @unchecked Sendable {
  @usableFromInline let word: UnsafePointer<Atomic<UInt32>>

  /// The word at `address`, which is aligned to 4 bytes.
  @inlinable
  public init(at address: UnsafeMutableRawPointer) {
    unsafe word = UnsafePointer(address.assumingMemoryBound(to: Atomic<UInt32>.self))
  }

  /// Loads with acquire order.
  @inlinable @inline(__always)
  public func load() -> UInt32 { unsafe word.pointee.load(ordering: .acquiring) }

  /// Stores with release order.
  @inlinable @inline(__always)
  public func store(_ value: UInt32) { unsafe word.pointee.store(value, ordering: .releasing) }

  /// Stores `new` where it still holds `old`, with full order.
  @discardableResult
  public func replace(_ old: UInt32, with new: UInt32) -> Bool {
    unsafe word.pointee.compareExchange(expected: old, desired: new, ordering: .sequentiallyConsistent).exchanged
  }

  /// A full fence: no load after it is done before a store that precedes it.
  @inlinable @inline(__always)
  public static func fullFence() { atomicMemoryFence(ordering: .sequentiallyConsistent) }
}
