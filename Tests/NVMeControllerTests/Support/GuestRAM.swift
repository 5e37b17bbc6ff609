import Glibc
import GuestMemory
import LinuxIO
import Synchronization
import Testing

/// Guest memory: a memfd, as the guest sees it. The device sees it through a `DeviceView`.
final class GuestRAM {
  static let pageSize = 4096

  /// Some pages as the device sees them.
  struct Part {
    let pages: Range<Int>
    /// Where it finds them; nil: where the guest does.
    var iova: UInt64?
    var access: MemoryRegion.Access = [.read, .write]
  }

  /// I/O virtual address of the first byte.
  let base: UInt64
  let pageCount: Int
  /// Whether pages that follow each other lie apart in memory: what a virtual IOMMU makes of it.
  let isScattered: Bool
  /// What the device is told of; nil: all of it.
  let parts: [Part]?
  private let memory: SharedMemory
  private var nextPage = 0

  init(
    base: UInt64 = 0x1_0000_0000, megabytes: Int = 8, isScattered: Bool = false, parts: [Part]? = nil
  ) throws {
    self.base = base
    self.isScattered = isScattered
    self.parts = parts
    pageCount = megabytes << 8
    memory = try SharedMemory(name: "nvmed-test-ram", count: megabytes << 20)
  }

  /// A mapping for the device to use.
  func view() throws -> DeviceView {
    let mapping = try MemoryMapping(
      fd: memory.descriptor.rawValue, offset: 0, count: pageCount * GuestRAM.pageSize, [.read, .write])
    return DeviceView(self, mapping)
  }

  /// Which page of the file a page of guest memory is.
  fileprivate func place(ofPage page: Int) -> Int { isScattered ? (page * 257 + 1) % pageCount : page }

  // MARK: Pages

  /// Pages that were never given out before: zeros.
  func allocate(pages: Int = 1) -> UInt64 {
    precondition(nextPage + pages <= pageCount, "the test's guest memory is used up")
    defer { nextPage += pages }
    return base + UInt64(nextPage * GuestRAM.pageSize)
  }

  /// Pages for so many bytes.
  func allocate(bytes: Int) -> UInt64 { allocate(pages: (bytes + GuestRAM.pageSize - 1) / GuestRAM.pageSize) }

  // MARK: The guest's accesses

  /// Where the guest sees an address, up to the end of its page.
  func host(_ iova: UInt64) -> UnsafeMutableRawPointer {
    let offset = Int(iova - base)
    let page = place(ofPage: offset / GuestRAM.pageSize)
    return memory.mapping.base + page * GuestRAM.pageSize + offset % GuestRAM.pageSize
  }

  /// An aligned word, for what several threads of the test write to at the same time.
  func word(_ iova: UInt64) -> UnsafePointer<Atomic<UInt64>> {
    UnsafePointer(host(iova).assumingMemoryBound(to: Atomic<UInt64>.self))
  }

  /// Calls `body` with each part of a range that lies in one page, and its distance from the start.
  private func forEachPart(_ iova: UInt64, _ count: Int, _ body: (UnsafeMutableRawPointer, Int, Int) -> Void) {
    var done = 0
    while done < count {
      let address = iova + UInt64(done)
      let length = min(count - done, GuestRAM.pageSize - Int(address % UInt64(GuestRAM.pageSize)))
      body(host(address), done, length)
      done += length
    }
  }

  func bytes(_ iova: UInt64, _ count: Int) -> [UInt8] {
    var result = [UInt8](repeating: 0, count: count)
    result.withUnsafeMutableBytes { buffer in
      guard let base = buffer.baseAddress else { return }
      forEachPart(iova, count) { memcpy(base + $1, $0, $2) }
    }
    return result
  }

  func write(_ bytes: [UInt8], at iova: UInt64) {
    bytes.withUnsafeBytes { buffer in
      guard let base = buffer.baseAddress else { return }
      forEachPart(iova, buffer.count) { memcpy($0, base + $1, $2) }
    }
  }

  func write(_ words: [UInt64], at iova: UInt64) { write(words.withUnsafeBytes { Array($0) }, at: iova) }

  func fill(_ iova: UInt64, _ count: Int, _ byte: UInt8) {
    forEachPart(iova, count) { address, _, length in memset(address, Int32(byte), length) }
  }

  /// Whether every byte of a range is `byte`.
  func isFilled(_ iova: UInt64, _ count: Int, _ byte: UInt8) -> Bool {
    var isFilled = true
    forEachPart(iova, count) { address, _, length in
      let first = address.load(as: UInt8.self)
      if first != byte || memcmp(address, address + 1, length - 1) != 0 { isFilled = false }
    }
    return isFilled
  }
}

/// Guest memory as the device sees it, at an address of its own in this process.
final class DeviceView {
  private let ram: GuestRAM
  private let mapping: MemoryMapping

  fileprivate init(_ ram: GuestRAM, _ mapping: consuming MemoryMapping) {
    self.ram = ram
    self.mapping = mapping
  }

  /// What the device is told of.
  var regions: [MemoryRegion] {
    if let parts = ram.parts { return parts.map { region(pages: $0.pages, at: $0.iova, access: $0.access) } }
    guard ram.isScattered else { return [region(pages: 0..<ram.pageCount)] }
    return (0..<ram.pageCount).map { region(pages: $0..<($0 + 1)) }
  }

  /// Some pages as one range, at another address than the guest's where `iova` says so; one page of memory that is
  /// scattered.
  func region(
    pages: Range<Int>, at iova: UInt64? = nil, access: MemoryRegion.Access = [.read, .write]
  ) -> MemoryRegion {
    precondition(pages.count == 1 || !ram.isScattered)
    return MemoryRegion(
      iova: iova ?? ram.base + UInt64(pages.lowerBound * GuestRAM.pageSize),
      size: UInt64(pages.count * GuestRAM.pageSize),
      host: mapping.base + ram.place(ofPage: pages.lowerBound) * GuestRAM.pageSize, access: access)
  }

  /// Takes the memory away: a thread of this process that touches it ends the process.
  func revoke() { #expect(mprotect(mapping.base, mapping.count, PROT_NONE) == 0) }
}
