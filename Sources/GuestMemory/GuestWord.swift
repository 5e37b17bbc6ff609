import Synchronization

/// Loads of words that the guest may change at any moment: each is done once.
///
/// A plain load is no copy. As far as the compiler knows, nobody else writes to the memory, so it may load a value once
/// more where registers are short, or where that is cheaper than to keep it: what was checked would not be what is used.
/// An atomic load of any order gives one value, which every use sees. It costs what a plain one costs.
public enum GuestWord {
  /// The 8 bytes at `address`, which is aligned to them.
  @unsafe @inlinable @inline(__always)
  public static func load(_ address: UnsafeRawPointer, byteOffset: Int = 0) -> UInt64 {
    let word = unsafe (address + byteOffset).assumingMemoryBound(to: Atomic<UInt64>.self)
    return unsafe UInt64(littleEndian: word.pointee.load(ordering: .relaxed))
  }

  /// The 4 bytes at `address`, which is aligned to them.
  @unsafe @inlinable @inline(__always)
  public static func load32(_ address: UnsafeRawPointer) -> UInt32 {
    let word = unsafe address.assumingMemoryBound(to: Atomic<UInt32>.self)
    return unsafe UInt32(littleEndian: word.pointee.load(ordering: .relaxed))
  }
}
