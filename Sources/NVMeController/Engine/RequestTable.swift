import CLinux
import GuestMemory
import LinuxIO
import NVMeSpec

/// The requests of one I/O thread: a fixed number of slots, with a segment array each. Nothing is allocated per command.
@safe struct RequestTable: ~Copyable {
  private var slots: FixedTable<Request>
  private let segments: UnsafeMutablePointer<iovec>
  private var free: FixedTable<Int32>
  private var freeCount: Int
  /// How many slots there are.
  let count: Int

  /// Ranges of a transfer at most: what the kernel takes (`IOV_MAX` is 1,024). PRPs of the largest MDTS need 513; SGLs of
  /// small blocks may have more.
  static var segmentCapacity: Int { 1023 }
  /// Ranges from one slot to the next: its bounce buffer's, its transfer's, and an odd number of cache lines altogether,
  /// so that the slots do not compete for the same lines of a cache.
  private static var stride: Int { 1028 }

  /// A table of `count` free slots.
  init(count: Int) {
    self.count = count
    slots = FixedTable(count: count) { _ in Request() }
    // Untouched until used: a slot that never carries a command costs no memory.
    unsafe segments = .allocate(capacity: count * RequestTable.stride)
    free = FixedTable(count: count) { Int32(count - 1 - $0) }
    freeCount = count
  }

  deinit { unsafe segments.deallocate() }

  /// Slots in use.
  var inUse: Int { count - freeCount }

  /// The slot that `take` would take: the one freed last, whose memory is in the cache; nil where all are in use.
  @inline(__always)
  var next: Int? { free.has(freeCount &- 1) ? Int(free[freeCount &- 1]) : nil }

  /// Takes the slot that `next` named, for a command.
  ///
  /// - Returns: the cookie of this use of it.
  @inline(__always)
  mutating func begin(
    _ index: Int, _ operation: Request.Operation, _ command: SubmissionQueueEntry, from origin: Request.Origin,
    offset: UInt64, length: UInt64, segmentCount: Int = 0, dataSync: Bool = false
  ) -> UInt64 {
    freeCount &-= 1
    let generation = slots[index].begin(
      operation, command, from: origin, offset: offset, length: length, segmentCount: segmentCount, dataSync: dataSync)
    return RequestTable.cookie(index, generation)
  }

  /// Gives a slot back.
  mutating func release(_ index: Int) {
    slots[index].end()
    put(index)
  }

  /// Gives the slot of a request back that needed no care.
  @inline(__always)
  mutating func releaseSimple(_ index: Int) {
    slots[index].endSimply()
    put(index)
  }

  @inline(__always)
  private mutating func put(_ index: Int) {
    free[freeCount] = Int32(truncatingIfNeeded: index)
    freeCount &+= 1
  }

  /// The request in a slot.
  subscript(index: Int) -> Request {
    @inline(__always) get { slots[index] }
    @inline(__always) _modify { yield &slots[index] }
  }

  /// The cookie of a slot's present use.
  @inline(__always)
  func cookie(_ index: Int) -> UInt64 { RequestTable.cookie(index, slots[index].generation) }

  @inline(__always)
  private static func cookie(_ index: Int, _ generation: UInt32) -> UInt64 {
    UInt64(generation) << 32 | UInt64(UInt32(truncatingIfNeeded: index))
  }

  /// The slot of a cookie; nil where that use of it is over.
  @inline(__always)
  func index(cookie: UInt64) -> Int? {
    let index = Int(UInt32(truncatingIfNeeded: cookie))
    guard slots.has(index) else { return nil }
    let slot = slots[index]
    guard slot.generation == UInt32(truncatingIfNeeded: cookie >> 32), slot.state != .free else { return nil }
    return index
  }

  /// The segment array of a slot.
  @inline(__always)
  func segmentBase(_ index: Int) -> UnsafeMutablePointer<iovec> {
    precondition(slots.has(index))
    return unsafe segments + (index &* RequestTable.stride &+ 1)
  }

  /// The range before the segment array of a slot, for its bounce buffer.
  func bounceSegment(_ index: Int) -> UnsafeMutablePointer<iovec> {
    unsafe segmentBase(index) - 1
  }

  /// An empty list in the segment array of a slot.
  @inline(__always)
  func emptySegments(_ index: Int) -> SegmentList {
    unsafe SegmentList(segmentBase(index), capacity: RequestTable.segmentCapacity)
  }
}
