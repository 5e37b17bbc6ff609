import LinuxIO

/// A fixed number of page-aligned buffers of one I/O thread, for data that cannot go straight between guest memory and
/// the disk: buffers that direct I/O finds misaligned, and what Compare and Verify read.
///
/// One anonymous mapping, whose pages cost nothing until a buffer is used. One thread at a time.
@safe public struct BouncePool: ~Copyable, Sendable {
  private let mapping: MemoryMapping
  /// The free buffers: the first `freeCount` entries.
  private var free: FixedTable<Int>
  private var taken: FixedTable<Bool>
  private let stride: Int

  /// How many buffers there are.
  public let count: Int
  /// Usable bytes of each.
  public let byteCount: Int
  /// How many are free.
  public private(set) var freeCount: Int

  /// Reserves the address range of `count` buffers of `byteCount` bytes each.
  ///
  /// - Throws: `ENOMEM` where the address space is too small; `EINVAL` where a number is less than 1.
  public init(count: Int, byteCount: Int) throws(Errno) {
    guard count > 0, byteCount > 0 else { throw .invalidArgument }
    let (rounded, tooLong) = byteCount.addingReportingOverflow(4095)
    let stride = rounded & ~4095
    let (total, tooMany) = stride.multipliedReportingOverflow(by: count)
    guard !tooLong, !tooMany else { throw .outOfMemory }
    mapping = try MemoryMapping(anonymous: total)
    // The last entry is taken first, so that buffer 0, and pages already touched, are used most.
    free = FixedTable(count: count) { count - 1 - $0 }
    taken = FixedTable(count: count) { _ in false }
    self.stride = stride
    self.count = count
    self.byteCount = byteCount
    freeCount = count
  }

  /// Takes a free buffer; nil where there is none, and the request must wait for one.
  public mutating func take() -> Int? {
    guard freeCount > 0 else { return nil }
    freeCount -= 1
    let index = free[freeCount]
    taken[index] = true
    return index
  }

  /// Gives a taken buffer back.
  public mutating func give(_ index: Int) {
    precondition(index >= 0 && index < count && taken[index])
    taken[index] = false
    free[freeCount] = index
    freeCount += 1
  }

  /// Where the buffer starts; valid as long as this pool lives.
  public borrowing func address(of index: Int) -> UnsafeMutableRawPointer {
    precondition(index >= 0 && index < count)
    return unsafe mapping.base + index * stride
  }
}
