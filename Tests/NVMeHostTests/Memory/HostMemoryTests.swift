import Glibc
import LinuxIO
import Testing

@testable import NVMeHost

@Suite struct HostMemoryTests {
  private static let page = HostMemory.pageSize

  @Test func laysRangesOutInTheFileOneAfterTheOther() throws {
    let memory = try HostMemory(
      parts: [(0x2_0000_0000, 3 * Self.page), (0x1000, 2 * Self.page)], fileOffset: 7 * Self.page)
    #expect(
      memory.ranges == [
        DMARange(iova: 0x2_0000_0000, fileOffset: 7 * 4096, byteCount: 3 * 4096),
        DMARange(iova: 0x1000, fileOffset: 10 * 4096, byteCount: 2 * 4096),
      ])
    #expect(memory.byteCount == 5 * 4096)
    #expect(memory.iova(at: 0) == 0x2_0000_0000)
    #expect(memory.iova(at: 3 * 4096 - 1) == 0x2_0000_2FFF)
    #expect(memory.iova(at: 3 * 4096) == 0x1000)
    #expect(memory.iova(at: 5 * 4096 - 1) == 0x2FFF)
    #expect(memory.offset(of: 0x2_0000_2FFF) == 3 * 4096 - 1)
    #expect(memory.offset(of: 0x2_0000_3000) == nil)
    #expect(memory.offset(of: 0x1000) == 3 * 4096)
    #expect(memory.offset(of: 0xFFF) == nil)
    #expect(memory.offset(of: 0x3000) == nil)
  }

  /// What the host stores is what somebody who maps the file sees, at the offset that DMA_MAP tells.
  @Test(arguments: [HostMemory.Backing.sealed, .unsealed]) func isSharedByItsFile(backing: HostMemory.Backing) throws {
    let memory = try HostMemory(
      parts: [(0x10_0000, Self.page), (0x40_0000, Self.page)], fileOffset: Self.page, backing: backing)
    _ = try memory.allocate(Self.page)
    let second = try memory.allocate(Self.page)
    #expect(second.iova == 0x40_0000)
    second.store([1, 2, 3, 4], at: 16)
    let mapping = try MemoryMapping(
      fd: memory.descriptor, offset: Int64(memory.ranges[1].fileOffset), count: Self.page, [.read, .write])
    #expect(unsafe mapping.base.load(fromByteOffset: 16, as: UInt32.self) == 0x0403_0201)
    unsafe mapping.base.storeBytes(of: 0xAABB, toByteOffset: 4094, as: UInt16.self)
    #expect(second.load(UInt16.self, at: 4094) == 0xAABB)
  }

  @Test func onlyTheUnsealedFileShrinks() throws {
    #expect(throws: HostError.system(.notPermitted)) {
      try HostMemory(byteCount: 2 * Self.page).truncate(to: Self.page)
    }
    let memory = try HostMemory(byteCount: 2 * Self.page, backing: .unsealed)
    try memory.truncate(to: Self.page)
    var status = stat()
    #expect(unsafe fstat(memory.descriptor, &status) == 0)
    #expect(status.st_size == Self.page)
  }

  @Test(arguments: [
    [(UInt64(0), 0)], [(0, 100)], [(0, -4096)], [(100, 4096)], [(UInt64.max & ~0xFFF, 8192)], [],
  ]) func refusesWhatIsNotPages(parts: [(UInt64, Int)]) {
    #expect(throws: HostError.invalidArgument("guest memory is made of pages")) {
      try HostMemory(parts: parts.map { (iova: $0.0, byteCount: $0.1) })
    }
  }

  @Test func endsAtTheLastAddress() throws {
    let memory = try HostMemory(byteCount: Self.page, iova: UInt64.max & ~0xFFF)
    #expect(memory.iova(at: 4095) == .max)
    #expect(memory.offset(of: .max) == 4095)
  }

  @Test func pagesStayTakenUntilTheyAreFreed() throws {
    let memory = try HostMemory(byteCount: 4 * Self.page)
    let first = try memory.allocate(1)
    let rest = try memory.allocate(2 * Self.page + 1)
    #expect(memory.freeByteCount == 0)
    #expect(throws: HostError.outOfMemory) { try memory.allocate(1) }
    memory.free(first)
    #expect(memory.freeByteCount == Self.page)
    memory.free(rest)
    #expect(memory.freeByteCount == 4 * Self.page)
    #expect(try memory.allocate(4 * Self.page).offset == 0)
  }

  @Test func allocatedPagesAreZeros() throws {
    let memory = try HostMemory(byteCount: Self.page)
    let buffer = try memory.allocate(Self.page)
    buffer.fill(0xFF)
    #expect(buffer.bytes == [UInt8](repeating: 0xFF, count: Self.page))
    memory.free(buffer)
    #expect(try memory.allocate(Self.page).bytes == [UInt8](repeating: 0, count: Self.page))
  }

  @Test func contiguousBuffersLieInOneRange() throws {
    let memory = try HostMemory(parts: [(0x1000, Self.page), (0x9000, 2 * Self.page)])
    let contiguous = try memory.allocate(2 * Self.page)
    #expect(contiguous.iova == 0x9000)
    #expect(throws: HostError.outOfMemory) { try memory.allocate(2 * Self.page, contiguous: false) }
  }

  @Test func buffersMayCrossRanges() throws {
    let memory = try HostMemory(parts: [(0x9000, Self.page), (0x1000, Self.page)])
    let buffer = try memory.allocate(2 * Self.page, contiguous: false)
    #expect(buffer.iova == 0x9000)
    #expect(buffer.iova(at: Self.page) == 0x1000)
    let part = buffer[4000..<4200]
    #expect(part.iova == 0x9FA0)
    #expect(part.iova(at: 96) == 0x1000)
    part.store(UInt64(0x0102_0304_0506_0708), at: 92)
    #expect(part.load(UInt64.self, at: 92) == 0x0102_0304_0506_0708)
    #expect(buffer[4092..<4100].bytes == [8, 7, 6, 5, 4, 3, 2, 1])
  }
}
