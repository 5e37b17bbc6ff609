import NVMeSpec
import Testing

@testable import NVMeHost

@Suite struct PRPBuilderTests {
  private static let page = HostMemory.pageSize
  private static let base: UInt64 = 0x7_0000_0000

  private static func entries(_ range: Range<UInt64>) -> [UInt64] { range.map { base + $0 * 4096 } }

  /// The 64-bit numbers of a list's first pages.
  private static func words(_ buffer: HostBuffer) -> [UInt64] {
    stride(from: 0, to: buffer.count, by: 8).map { buffer.load(UInt64.self, at: $0) }
  }

  @Test(arguments: [
    (0, 1, 1), (0, 4096, 1), (0, 4097, 2), (4092, 4, 1), (4092, 5, 2), (8, 4096, 2), (8, 8184, 2), (8, 8185, 3),
    (512, 131_072, 33),
  ]) func hasAnEntryForEachPageTouched(offset: Int, count: Int, expected: UInt64) throws {
    let memory = try HostMemory(byteCount: 64 * Self.page, iova: Self.base)
    let buffer = try memory.allocate(40 * Self.page)[offset..<offset + count]
    var wanted = Self.entries(0..<expected)
    wanted[0] += UInt64(offset)
    #expect(try PRPBuilder.entries(of: [buffer]) == wanted)
  }

  @Test func joinsScatteredParts() throws {
    let memory = try HostMemory(parts: [(0x10_0000, 4 * Self.page), (0x2000, 4 * Self.page)])
    let first = try memory.allocate(2 * Self.page)
    let second = try memory.allocate(4 * Self.page)
    #expect(
      try PRPBuilder.entries(of: [second[4104..<8192], first, second[0..<100]]) == [
        0x3008, 0x10_0000, 0x10_1000, 0x2000,
      ])
    let across = try HostMemory(parts: [(0x8000, Self.page), (0x1000, Self.page)])
      .allocate(2 * Self.page, contiguous: false)
    #expect(try PRPBuilder.entries(of: [across[16..<8192]]) == [0x8010, 0x1000])
  }

  @Test func refusesWhatPRPsCannotSay() throws {
    let memory = try HostMemory(byteCount: 4 * Self.page)
    let buffer = try memory.allocate(4 * Self.page)
    for parts in [
      [buffer[0..<4095], buffer[4096..<8192]], [buffer[0..<4096], buffer[4100..<8192]], [buffer[0..<0]],
    ] {
      #expect(throws: HostError.invalidArgument("PRP entries are whole pages but at both ends")) {
        try PRPBuilder.entries(of: parts)
      }
    }
  }

  @Test func oneOrTwoPagesNeedNoList() throws {
    let one = try PRPBuilder.pointer(to: [0x1234_5008], list: nil)
    #expect(one.prp1 == 0x1234_5008)
    #expect(one.prp2 == 0)
    #expect(one.list == nil)
    let two = try PRPBuilder.pointer(to: [0x1234_5008, 0x9000], list: nil)
    #expect(two.prp1 == 0x1234_5008)
    #expect(two.prp2 == 0x9000)
    #expect(two.list == nil)
  }

  @Test func threePagesNeedAList() throws {
    let memory = try HostMemory(byteCount: 8 * Self.page, iova: Self.base)
    let list = try memory.allocate(Self.page)
    list.fill(0xEE)
    let pointer = try PRPBuilder.pointer(to: [0xA0_0010, 0xB0_0000, 0xC0_0000], list: list)
    #expect(pointer.prp1 == 0xA0_0010)
    #expect(pointer.prp2 == Self.base)
    let wanted: [UInt8] = [0, 0, 0xB0, 0, 0, 0, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0]
    #expect(list[0..<16].bytes == wanted)
    #expect(list[16..<4096].bytes == [UInt8](repeating: 0xEE, count: 4080))
  }

  /// The last place of a page holds data only where it is the last entry of all.
  @Test(arguments: [(513, 1), (514, 2), (1024, 2), (1025, 3)]) func chainsListPages(count: Int, pages: Int) throws {
    #expect(PRPBuilder.listPageCount(entryCount: count) == pages)
    let memory = try HostMemory(byteCount: 8 * Self.page, iova: Self.base)
    let list = try memory.allocate(pages * Self.page)
    let entries = (0..<UInt64(count)).map { 0x5_0000_0000 + $0 * 4096 }
    let pointer = try PRPBuilder.pointer(to: entries, list: list)
    #expect(pointer.prp1 == entries[0])
    #expect(pointer.prp2 == Self.base)

    var wanted = entries.dropFirst()
    var words: [UInt64] = []
    for page in 1...pages {
      let isLast = page == pages
      words += wanted.prefix(isLast ? 512 : 511)
      wanted = wanted.dropFirst(isLast ? 512 : 511)
      if !isLast { words.append(Self.base + UInt64(page) * 4096) }
    }
    words += [UInt64](repeating: 0, count: pages * 512 - words.count)
    #expect(Self.words(list) == words)
  }

  @Test func listMayBeginInsideItsPage() throws {
    let memory = try HostMemory(byteCount: 8 * Self.page, iova: Self.base)
    let list = try memory.allocate(2 * Self.page)
    let three = try PRPBuilder.pointer(to: [1 << 12, 2 << 12, 3 << 12], list: list, listOffset: 4080)
    #expect(PRPBuilder.listPageCount(entryCount: 3, listOffset: 4080) == 1)
    #expect(three.prp2 == Self.base + 4080)
    #expect(Self.words(list[4080..<4096]) == [2 << 12, 3 << 12])
    #expect(Self.words(list[0..<4080]) == [UInt64](repeating: 0, count: 510))

    let four = try PRPBuilder.pointer(to: [1 << 12, 2 << 12, 3 << 12, 4 << 12], list: list, listOffset: 4080)
    #expect(PRPBuilder.listPageCount(entryCount: 4, listOffset: 4080) == 2)
    #expect(four.prp2 == Self.base + 4080)
    #expect(Self.words(list[4080..<4120]) == [2 << 12, Self.base + 4096, 3 << 12, 4 << 12, 0])

    // The only place of the first page is the pointer to the next.
    let last = try PRPBuilder.pointer(to: [1 << 12, 2 << 12, 3 << 12], list: list, listOffset: 4088)
    #expect(last.prp2 == Self.base + 4088)
    #expect(Self.words(list[4088..<4112]) == [Self.base + 4096, 2 << 12, 3 << 12])
  }

  @Test func refusesAListWithoutRoom() throws {
    let memory = try HostMemory(byteCount: 4 * Self.page)
    let list = try memory.allocate(2 * Self.page)
    let entries = [UInt64](repeating: 0x1000, count: 514)
    #expect(throws: HostError.invalidArgument("a PRP list of 2 pages is needed")) {
      try PRPBuilder.pointer(to: entries, list: list[0..<4096])
    }
    #expect(throws: HostError.invalidArgument("a PRP list of 2 pages is needed")) {
      try PRPBuilder.pointer(to: entries, list: list, listOffset: 4)
    }
    #expect(throws: HostError.invalidArgument("a PRP list of 1 pages is needed")) {
      try PRPBuilder.pointer(to: [1, 2, 3], list: nil)
    }
  }

  @Test func takesItsListFromTheSameMemory() throws {
    let memory = try HostMemory(byteCount: 600 * Self.page, iova: Self.base)
    let data = try memory.allocate(514 * Self.page)
    var entry = SubmissionQueueEntry(cdw0: 0xFFFF_FFFF)
    let pointer = try PRPBuilder.pointer(to: [data[4..<514 * Self.page]], listOffset: 16)
    pointer.apply(to: &entry)
    #expect(memory.freeByteCount == 84 * Self.page)
    #expect(pointer.list?.load(UInt64.self, at: 16) == Self.base + 4096)
    #expect(entry.dataTransferType == 0)
    #expect(entry.prp1 == Self.base + 4)
    #expect(entry.prp2 == Self.base + 514 * 4096 + 16)
    pointer.free()
    #expect(memory.freeByteCount == 86 * Self.page)
  }
}
