import GuestMemory
import LinuxIO

/// Where the entries of a queue lie: contiguous for the guest (CAP.CQR), in any pages of this process.
///
/// With a virtual IOMMU every 4 KiB page of a queue may be a mapping of its own, so a host address is kept for each
/// page. The I/O virtual address stays when memory is unmapped; the queue comes back to life when it is mapped again.
@safe struct QueueMemory: ~Copyable {
  /// First byte of the queue: I/O virtual address, a multiple of 4 KiB.
  let iova: UInt64
  /// Bytes of the queue.
  let byteCount: UInt64
  private let access: MemoryRegion.Access
  /// Where each page lies in this process; not initialised until all are mapped.
  private let pages: UnsafeMutablePointer<UnsafeMutableRawPointer>
  private let pageCount: Int
  /// All pages, once every one is mapped; none before that.
  private var attachedPages: UInt = 0
  /// Whether every page is mapped: no entry may be touched otherwise.
  var isAttached: Bool { attachedPages > 0 }

  /// The memory of a queue of `entries` entries of `entrySize` bytes; not yet attached.
  init(iova: UInt64, entries: Int, entrySize: Int, access: MemoryRegion.Access) {
    self.iova = iova
    self.access = access
    byteCount = UInt64(entries * entrySize)
    pageCount = (entries * entrySize + 4095) / 4096
    unsafe pages = .allocate(capacity: max(pageCount, 1))
  }

  /// No queue.
  init() { self.init(iova: 0, entries: 0, entrySize: 0, access: []) }

  deinit { unsafe pages.deallocate() }

  /// Looks every page up anew; true where all of them are mapped.
  @discardableResult
  mutating func resolve(_ memory: inout MemoryMap) -> Bool {
    attachedPages = 0
    guard pageCount > 0, byteCount - 1 <= UInt64.max - iova else { return false }
    for page in 0..<pageCount {
      let offset = UInt64(page) * 4096
      let length = min(4096, byteCount - offset)
      guard let host = unsafe memory.contiguous(iova + offset, length: length, access: access) else { return false }
      unsafe (pages + page).initialize(to: host)
    }
    attachedPages = UInt(pageCount)
    return true
  }

  /// Where byte `offset` of the queue lies; only while attached.
  @inline(__always)
  func address(_ offset: Int) -> UnsafeMutableRawPointer? {
    let offset = UInt(bitPattern: offset)
    let page = offset >> 12
    guard page < attachedPages else { return nil }
    return unsafe pages[Int(bitPattern: page)] + Int(bitPattern: offset & 4095)
  }
}
