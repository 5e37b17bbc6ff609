import CLinux

/// The scattered memory of one transfer as host ranges, in a fixed array that the owner of the request lends.
///
/// Ranges that follow each other in this process become one (`iovec`s are what the kernel is charged by). No allocation.
@safe @frozen public struct SegmentList {
  @usableFromInline let base: UnsafeMutablePointer<iovec>
  @usableFromInline let capacity: Int
  /// How many ranges there are.
  public var count = 0
  /// Their bytes together.
  public var byteCount: UInt64 = 0
  /// All addresses and lengths, or-ed: what their alignment is judged by.
  public var alignmentBits: UInt = 0
  @usableFromInline var end: UInt = 0

  /// An empty list in `capacity` elements at `base`, which outlive it.
  @inlinable
  public init(_ base: UnsafeMutablePointer<iovec>, capacity: Int) {
    unsafe self.base = base
    self.capacity = capacity
  }

  /// Adds a range; false where the array is full.
  @inlinable @inline(__always)
  public mutating func append(_ address: UnsafeMutableRawPointer, _ length: UInt64) -> Bool {
    let bits = UInt(bitPattern: address)
    let size = UInt(truncatingIfNeeded: length)
    alignmentBits |= bits | size
    byteCount &+= length
    // The end of an empty list is 0, where nothing lies.
    if bits == end {
      unsafe base[count &- 1].iov_len &+= Int(bitPattern: size)
    } else {
      guard count < capacity else { return false }
      unsafe base[count] = iovec(iov_base: address, iov_len: Int(bitPattern: size))
      count &+= 1
    }
    end = bits &+ size
    return true
  }
}
