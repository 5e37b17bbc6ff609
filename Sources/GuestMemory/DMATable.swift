import CLinux
import LinuxIO

/// The memory that a client has mapped for one controller: owner of all its ranges. Control thread only.
///
/// vfio-user DMA_MAP and DMA_UNMAP. Other threads work on copies of the ranges (`MemoryMap`); the mapping of a removed
/// range ends when the caller drops what `unmap` gave back, after those threads are done with it.
public struct DMATable: ~Copyable {
  private var mappings: [DMAMapping] = []
  private let limit: Int
  private let share: MappingShare

  /// The mappings that an unmap took out of the table. Dropping it unmaps the memory.
  public struct Removed {
    fileprivate let mappings: [DMAMapping]
    /// How many ranges it holds.
    public var count: Int { mappings.count }
    /// The ranges.
    public var regions: [MemoryRegion] { mappings.map { $0.region } }
  }

  /// Signalled when an access to one of the ranges hit a truncated file (SIGBUS).
  public let faultEvent: EventFD

  /// An empty table for at most `limit` ranges.
  ///
  /// - Parameters:
  ///   - limit: ranges at most, those without a file included.
  ///   - budget: what their mappings are taken from.
  /// - Throws: the `errno` of `eventfd(2)` or `sigaction(2)`.
  public init(limit: Int, budget: MappingBudget = .process) throws(Errno) {
    guard clinux_sigbus_install() == 0 else { throw Errno.current }
    faultEvent = try EventFD()
    self.limit = limit
    share = MappingShare(of: budget)
  }

  /// How many ranges there are.
  public var count: Int { mappings.count }

  /// The ranges, in ascending order.
  public var regions: [MemoryRegion] { mappings.map { $0.region } }

  /// Maps a range.
  ///
  /// - Parameters:
  ///   - iova: first I/O virtual address, a multiple of 4 KiB.
  ///   - size: bytes, a multiple of 4 KiB, not 0.
  ///   - descriptor: the file behind it; nil for a range that only the client can reach.
  ///   - offset: where the range begins in the file; a multiple of 4 KiB.
  ///   - access: what the device may do with it.
  /// - Returns: the new range; nil where the very same range was there already.
  /// - Throws: `EINVAL` for a range that is unaligned, here or in its file, empty, or exceeds 2^64 or its file, and for
  ///   what is no memory; `EEXIST` where it overlaps another; `ENOSPC` above the limit, and where other clients need the
  ///   mappings that are left (`MappingBudget`); what `mmap(2)` says.
  public mutating func map(
    iova: UInt64, size: UInt64, descriptor: consuming FileDescriptor?, offset: UInt64, access: MemoryRegion.Access
  ) throws(Errno) -> MemoryRegion? {
    guard size > 0, size % 4096 == 0, iova % 4096 == 0, size - 1 <= UInt64.max - iova, size <= UInt64(Int64.max)
    else {
      if let file = consume descriptor { file.dispose() }
      throw .invalidArgument
    }
    let position = index(of: iova)
    guard let file = descriptor else {
      try checkFree(position, iova, size)
      mappings.insert(DMAMapping(unreachable: iova, size: size), at: position)
      return mappings[position].region
    }
    do throws(Errno) {
      try DMAMapping.checkMemory(file)
      // What is aligned for the guest is to be aligned here: words of its memory are loaded and stored as wholes.
      guard offset % 4096 == 0 else { throw Errno.invalidArgument }
    } catch {
      file.dispose()
      throw error
    }
    let source = try DMAMapping.Source(file, offset: offset)
    if position < mappings.count, mappings[position].isSame(iova, size, source, access) { return nil }
    try checkFree(position, iova, size)
    guard share.take() else { throw .noSpace }
    let mapping: DMAMapping
    do throws(Errno) {
      mapping = try DMAMapping(
        iova: iova, size: size, descriptor: file, offset: offset, access: access, faultEvent: faultEvent.rawValue,
        share: share)
    } catch {
      share.give()
      throw error
    }
    mappings.insert(mapping, at: position)
    return mapping.region
  }

  /// Refuses a range that overlaps its neighbours at `position`, or that is one too many.
  private borrowing func checkFree(_ position: Int, _ iova: UInt64, _ size: UInt64) throws(Errno) {
    if position < mappings.count, mappings[position].region.overlaps(iova: iova, size: size) { throw .fileExists }
    if position > 0, mappings[position - 1].region.overlaps(iova: iova, size: size) { throw .fileExists }
    guard mappings.count < limit else { throw .noSpace }
  }

  /// Takes out every range inside [iova, iova + size). Ranges that were never mapped are no error: clients with a
  /// virtual IOMMU unmap generously.
  ///
  /// - Throws: `EINVAL` where a range lies inside only in part: ranges are not split.
  public mutating func unmap(iova: UInt64, size: UInt64) throws(Errno) -> Removed {
    guard size > 0 else { return Removed(mappings: []) }
    let reach = min(size - 1, UInt64.max - iova)
    let last = iova + reach
    let first = index(of: iova)
    if first > 0, mappings[first - 1].region.overlaps(iova: iova, size: reach &+ 1) { throw .invalidArgument }
    var end = first
    while end < mappings.count, mappings[end].region.iova <= last {
      let region = mappings[end].region
      guard region.size - 1 <= last - region.iova else { throw .invalidArgument }
      end += 1
    }
    let removed = Removed(mappings: Array(mappings[first..<end]))
    mappings.removeSubrange(first..<end)
    return removed
  }

  /// Takes out every range.
  public mutating func unmapAll() -> Removed {
    let removed = Removed(mappings: mappings)
    mappings = []
    return removed
  }

  /// Takes out the mapping of every range in which an access hit a truncated file; the range stays, and cannot be reached.
  ///
  /// What the access found in place of the file is private memory of this process, as large as the range: a client could
  /// have commands fill it.
  public mutating func takeFaulted() -> Removed {
    var faulted: [DMAMapping] = []
    for index in mappings.indices where mappings[index].hasFaulted {
      let region = mappings[index].region
      faulted.append(mappings[index])
      mappings[index] = DMAMapping(unreachable: region.iova, size: region.size)
    }
    return Removed(mappings: faulted)
  }

  /// The index of the first range that begins at or behind `iova`.
  private borrowing func index(of iova: UInt64) -> Int {
    var low = 0
    var high = mappings.count
    while low < high {
      let middle = (low + high) / 2
      if mappings[middle].region.iova < iova { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
