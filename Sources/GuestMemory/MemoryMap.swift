import CLinux
import LinuxIO

/// The translation from I/O virtual addresses to this process's memory: the reachable ranges of one controller, sorted.
///
/// One thread owns it. The range of the last translation is tried first.
@safe public struct MemoryMap: ~Copyable {
  @usableFromInline var last = MemoryRegion()
  @usableFromInline var regions: [MemoryRegion] = []

  /// An empty map: every translation fails.
  public init() {}

  /// How many ranges there are.
  public var count: Int { regions.count }

  /// The ranges, in ascending order.
  public var allRegions: [MemoryRegion] { regions }

  /// Adds a range that overlaps none; the caller has checked that (`DMATable`).
  public mutating func insert(_ region: MemoryRegion) {
    regions.insert(region, at: position(of: region.iova))
  }

  /// Takes out every range that lies inside [iova, iova + size), and gives them back.
  public mutating func remove(iova: UInt64, size: UInt64) -> [MemoryRegion] {
    last = MemoryRegion()
    let first = position(of: iova)
    var end = first
    while end < regions.count, regions[end].iova &- iova < size { end += 1 }
    let removed = Array(regions[first..<end])
    regions.removeSubrange(first..<end)
    return removed
  }

  /// Takes out everything.
  public mutating func removeAll() {
    last = MemoryRegion()
    regions.removeAll()
  }

  /// The index of the first range that begins at or behind `iova`.
  private borrowing func position(of iova: UInt64) -> Int {
    var low = 0
    var high = regions.count
    while low < high {
      let middle = (low + high) / 2
      if regions[middle].iova < iova { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// The range that holds `iova`, remembered for the next translation.
  @inline(never)
  @usableFromInline mutating func search(_ iova: UInt64) -> Bool {
    var index = position(of: iova)
    if index == regions.count || regions[index].iova != iova {
      guard index > 0 else { return false }
      index -= 1
    }
    guard iova &- regions[index].iova < regions[index].size else { return false }
    last = regions[index]
    return true
  }

  /// Where [iova, iova + length) lies in this process, as far as one range goes.
  ///
  /// - Returns: the address, and how many of the bytes asked for follow it (all or fewer); nil where the first byte is
  ///   not mapped, not reachable, or not mapped for `access`.
  @inlinable @inline(__always)
  public mutating func translate(
    _ iova: UInt64, length: UInt64, access: MemoryRegion.Access
  ) -> (address: UnsafeMutableRawPointer, length: UInt64)? {
    if iova &- last.iova >= last.size, !search(iova) { return nil }
    let offset = iova &- last.iova
    guard last.access.isSuperset(of: access),
      let address = unsafe UnsafeMutableRawPointer(bitPattern: last.host &+ UInt(truncatingIfNeeded: offset))
    else { return nil }
    return unsafe (address, min(length, last.size &- offset))
  }

  /// Where all of [iova, iova + length) lies, contiguous in this process; nil where it does not.
  ///
  /// The page-sized pieces that queues, PRP lists and log pages are made of never cross a range.
  @inlinable @inline(__always)
  public mutating func contiguous(
    _ iova: UInt64, length: UInt64, access: MemoryRegion.Access
  ) -> UnsafeMutableRawPointer? {
    if iova &- last.iova >= last.size, !search(iova) { return nil }
    let offset = iova &- last.iova
    guard last.access.isSuperset(of: access), length <= last.size &- offset else { return nil }
    return unsafe UnsafeMutableRawPointer(bitPattern: last.host &+ UInt(truncatingIfNeeded: offset))
  }

  /// Copies guest memory into `buffer`, each byte once; false where part of it is not mapped for reading.
  public mutating func read(_ iova: UInt64, into buffer: UnsafeMutableRawBufferPointer) -> Bool {
    guard let target = buffer.baseAddress else { return true }
    return unsafe copy(iova, count: buffer.count, access: .read) { host, done, count in
      unsafe clinux_copy_shared(target + done, host, count)
    }
  }

  /// Copies `buffer` to guest memory; false where part of it is not mapped for writing.
  public mutating func write(_ iova: UInt64, from buffer: UnsafeRawBufferPointer) -> Bool {
    guard let source = buffer.baseAddress else { return true }
    return unsafe copy(iova, count: buffer.count, access: .write) { host, done, count in
      unsafe clinux_copy_shared(host, source + done, count)
    }
  }

  private mutating func copy(
    _ iova: UInt64, count: Int, access: MemoryRegion.Access, _ body: (UnsafeMutableRawPointer, Int, Int) -> Void
  ) -> Bool {
    var done = 0
    while done < count {
      let (address, overflow) = iova.addingReportingOverflow(UInt64(done))
      guard !overflow,
        let (host, reach) = unsafe translate(address, length: UInt64(count - done), access: access)
      else { return false }
      unsafe body(host, done, Int(reach))
      done += Int(reach)
    }
    return true
  }
}
