import LinuxIO
import NVMeSpec
import Testing

@testable import GuestMemory

@Suite struct PRPWalkTests {
  private static let page = Guest.page
  private let top = UInt64.max - 4095

  /// The I/O virtual address of data page `index` of `scattered`.
  private func data(_ index: Int) -> UInt64 { 0x1_0000_0000 + UInt64(index) << 12 }

  /// Where it lies in host memory: every second page, so that no two of them join.
  private func host(_ index: Int) -> Int { (16 + 2 * index) * Self.page }

  /// The I/O virtual address of list page `index`, which is host page `index`.
  private func list(_ index: Int) -> UInt64 { 0x8000_0000 + UInt64(index) << 12 }

  /// A guest with 16 pages for lists and `count` scattered pages for data.
  private func scattered(_ count: Int, capacity: Int = 1024) throws -> Guest {
    let guest = try Guest(pages: 16 + 2 * count, capacity: capacity)
    guest.map(list(0), page: 0, count: 16)
    for index in 0..<count { guest.map(data(index), page: 16 + 2 * index) }
    return guest
  }

  // MARK: One and two pages

  @Test(arguments: [
    (0, 1), (0, 512), (0, 4096), (0x200, 512), (0x200, 0xe00), (0xffc, 4), (4, 8), (0xffc, 1), (0x800, 0x800),
  ])
  func onePageFromItsOffsetOn(offset: Int, length: Int) throws {
    let guest = try scattered(2)
    // PRP2 is not looked at.
    for prp2 in [0, UInt64.max, 0xdead_bee1] {
      let walked = guest.prp(data(1) + UInt64(offset), prp2, length)
      #expect(walked == Walked(.success, [Piece(host(1) + offset, length)]))
    }
  }

  @Test(arguments: [(0, 4097), (0, 8192), (0x200, 4096), (0x200, 0xe00 + 4096), (0xffc, 8), (0xffc, 4100), (0xffc, 5)])
  func theSecondPageBeginsAtItsStart(offset: Int, length: Int) throws {
    let guest = try scattered(2)
    let first = Self.page - offset
    #expect(
      guest.prp(data(1) + UInt64(offset), data(0), length)
        == Walked(.success, [Piece(host(1) + offset, first), Piece(host(0), length - first)]))
  }

  @Test func nothingToTransferIsNoError() throws {
    let guest = try scattered(0)
    #expect(guest.prp(UInt64.max, UInt64.max, 0) == Walked(.success))
  }

  @Test(arguments: [1, 2, 3, 5, 0xffd, 0xffe, 0xfff] as [UInt64])
  func anOffsetThatIsNoDwordIsInvalid(offset: UInt64) throws {
    let guest = try scattered(2)
    #expect(guest.prp(data(0) + offset, data(1), 512) == Walked(.invalidPRPOffset))
    #expect(guest.prp(data(0) + offset, data(1), 5000) == Walked(.invalidPRPOffset))
  }

  @Test(arguments: [1, 4, 8, 0x200, 0xff8, 0xfff] as [UInt64])
  func theSecondPageHasNoOffset(offset: UInt64) throws {
    let guest = try scattered(2)
    #expect(guest.prp(data(0), data(1) + offset, 8192) == Walked(.invalidPRPOffset))
    #expect(guest.prp(data(0) + 0x200, data(1) + offset, 4096) == Walked(.invalidPRPOffset))
  }

  // MARK: Lists

  @Test(arguments: [3, 4, 17, 129, 512, 513]) func aListNamesThePages(count: Int) throws {
    let guest = try scattered(count)
    // Backwards, so that the order is that of the list.
    guest.store((1..<count).map { data(count - $0) }, at: 0)
    let expected = [Piece(host(0), 4096)] + (1..<count).map { Piece(host(count - $0), 4096) }
    #expect(guest.prp(data(0), list(0), count * 4096) == Walked(.success, expected))
    // The last page in part, by one byte and less than a page.
    for cut in [1, 4, 4092, 4095] {
      let last = Piece(host(1), 4096 - cut)
      #expect(guest.prp(data(0), list(0), count * 4096 - cut) == Walked(.success, expected.dropLast() + [last]))
    }
  }

  @Test(arguments: [8, 0x10, 0x200, 0xfe0]) func aListMayBeginInsideAPage(offset: Int) throws {
    let guest = try scattered(3)
    guest.store([data(2), data(1)], at: Self.page + offset)
    let walked = guest.prp(data(0) + 0x400, list(1) + UInt64(offset), 3 * 4096 - 0x400)
    #expect(walked == Walked(.success, [Piece(host(0) + 0x400, 0xc00), Piece(host(2), 4096), Piece(host(1), 4096)]))
  }

  @Test func twoSlotsAtAPagesEndHoldTwoPagesOrOneAndAPointer() throws {
    let guest = try scattered(4)
    let slots = Self.page - 16
    guest.store([data(1), data(2)], at: slots)
    #expect(
      guest.prp(data(0), list(0) + UInt64(slots), 3 * 4096)
        == Walked(.success, [Piece(host(0), 4096), Piece(host(1), 4096), Piece(host(2), 4096)]))
    guest.store([data(1), list(5)], at: slots)
    guest.store([data(2), data(3)], at: 5 * Self.page)
    #expect(
      guest.prp(data(0), list(0) + UInt64(slots), 4 * 4096)
        == Walked(.success, (0..<4).map { Piece(host($0), 4096) }))
  }

  @Test func oneSlotAtAPagesEndIsAPointer() throws {
    let guest = try scattered(4)
    guest.store([list(7)], at: Self.page - 8)
    guest.store([data(1), data(2), data(3)], at: 7 * Self.page)
    #expect(
      guest.prp(data(0), list(0) + 0xff8, 4 * 4096) == Walked(.success, (0..<4).map { Piece(host($0), 4096) }))
  }

  @Test func aFullPageOfAListIsAllPagesOrPagesAndAPointer() throws {
    // 1 and 512 pages: the list is full and its last slot names data.
    let guest = try scattered(1100, capacity: 1100)
    guest.store((1...512).map(data), at: 0)
    #expect(guest.prp(data(0), list(0), 513 * 4096) == Walked(.success, (0..<513).map { Piece(host($0), 4096) }))
    // One more: the last slot is a pointer, twice.
    guest.store([list(3)], at: 511 * 8)
    guest.store((512..<1023).map(data) + [list(2)], at: 3 * Self.page)
    guest.store([data(1023), data(1024)], at: 2 * Self.page)
    for count in [514, 1000, 1024, 1025] {
      // Where the second page of the list is enough, its last slot is data again.
      guest.store([count == 1024 ? data(1023) : list(2)], at: 3 * Self.page + 511 * 8)
      let expected = (0..<count).map { Piece(host($0), 4096) }
      #expect(guest.prp(data(0), list(0), count * 4096) == Walked(.success, expected))
    }
  }

  @Test(arguments: [8, 16, 0x800, 0xff8, 1, 4, 0xfff] as [UInt64])
  func onlyTheFirstListMayBeginInsideAPage(offset: UInt64) throws {
    let guest = try scattered(4)
    guest.store([list(7) + offset], at: Self.page - 8)
    guest.store([data(1), data(2), data(3)], at: 7 * Self.page + Int(offset & ~7))
    #expect(guest.prp(data(0), list(0) + 0xff8, 4 * 4096) == Walked(.invalidPRPOffset))
  }

  @Test(arguments: [1, 2, 4, 7, 12, 0xffc] as [UInt64])
  func aListIsAlignedToItsEntries(offset: UInt64) throws {
    let guest = try scattered(3)
    #expect(guest.prp(data(0), list(0) + offset, 3 * 4096) == Walked(.invalidPRPOffset))
  }

  @Test(arguments: [1, 4, 8, 0x200, 0x800, 0xfff] as [UInt64])
  func pagesOfAListHaveNoOffset(offset: UInt64) throws {
    let guest = try scattered(4)
    for bad in 0..<3 {
      guest.store((0..<3).map { data($0 + 1) + ($0 == bad ? offset : 0) }, at: 0)
      #expect(guest.prp(data(0), list(0), 4 * 4096) == Walked(.invalidPRPOffset))
    }
  }

  /// Random lists, in random places, against what they were made of.
  @Test func anyListGivesThePagesThatItNames() throws {
    let guest = try scattered(700)
    var random = SplitMix(state: 42)
    for _ in 0..<200 {
      let offset = Int.random(in: 0..<1024, using: &random) * 4
      let length = Int.random(in: 1...600 * 4096, using: &random)
      let first = min(length, Self.page - offset)
      let rest = length - first
      let count = (rest + 4095) / 4096
      let pages = (0..<count).map { _ in Int.random(in: 0..<700, using: &random) }
      let prp1 = data(0) + UInt64(offset)
      var expected = [Piece(host(0) + offset, first)]
      for (index, page) in pages.enumerated() {
        expected.append(Piece(host(page), min(4096, rest - index * 4096)))
      }
      var prp2 = UInt64.max
      if count == 1 {
        prp2 = data(pages[0])
      } else if count > 1 {
        var slot = Int.random(in: 0..<512, using: &random)
        prp2 = list(0) + UInt64(slot) * 8
        var listPage = 0
        for (index, page) in pages.enumerated() {
          if slot == 511, index < count - 1 {
            guest.store([list(listPage + 1)], at: listPage * 4096 + slot * 8)
            listPage += 1
            slot = 0
          }
          guest.store([data(page)], at: listPage * 4096 + slot * 8)
          slot += 1
        }
      }
      #expect(guest.prp(prp1, prp2, length) == Walked(.success, expected))
    }
  }

  // MARK: Joining

  @Test func pagesThatFollowEachOtherInHostMemoryAreOnePiece() throws {
    let guest = try Guest(pages: 16)
    guest.map(list(0), page: 0)
    guest.map(0x10_0000, page: 2, count: 8)
    guest.map(0x20_0000, page: 12, count: 2)
    // Three that follow, one that does not, two that do.
    guest.store([0x10_2000, 0x10_3000, 0x10_1000, 0x20_0000, 0x20_1000], at: 0)
    #expect(
      guest.prp(0x10_1800, list(0), 5 * 4096 + 0x800)
        == Walked(.success, [Piece(0x3800, 0x2800), Piece(0x3000, 0x1000), Piece(0xc000, 0x2000)]))
    // Across ranges that are adjacent in both address spaces.
    guest.map(0x10_8000, page: 10)
    #expect(guest.prp(0x10_7000, 0x10_8000, 8192) == Walked(.success, [Piece(0x9000, 0x2000)]))
  }

  @Test func moreThanTheArrayHoldsIsAnErrorAndWritesNowhere() throws {
    let guest = try scattered(8, capacity: 4)
    guest.store((1..<8).map(data), at: 0)
    #expect(guest.prp(data(0), list(0), 4 * 4096) == Walked(.success, (0..<4).map { Piece(host($0), 4096) }))
    #expect(guest.prp(data(0), list(0), 5 * 4096) == Walked(.internalError))
  }

  // MARK: Memory that is not there

  @Test func addressesNearTheEndOfTheAddressSpaceDoNotWrap() throws {
    let guest = try scattered(2)
    for address in [top, top + 4, UInt64.max - 3] {
      #expect(guest.prp(address, data(0), 4) == Walked(.dataTransferError))
      #expect(guest.prp(address, data(0), 8192) == Walked(.dataTransferError))
      #expect(guest.prp(data(0), address & ~7, 3 * 4096) == Walked(.dataTransferError))
    }
    #expect(guest.prp(data(0), top, 8192) == Walked(.dataTransferError))
    guest.store([top, top], at: 0)
    #expect(guest.prp(data(0), list(0), 3 * 4096) == Walked(.dataTransferError))
    // The last page as data and as list; page 0 is mapped too, and is not what follows it.
    guest.map(top, page: 9)
    guest.map(0, page: 11)
    #expect(guest.prp(UInt64.max - 3, 0, 4) == Walked(.success, [Piece(10 * 4096 - 4, 4)]))
    #expect(
      guest.prp(UInt64.max - 3, data(1), 8) == Walked(.success, [Piece(10 * 4096 - 4, 4), Piece(host(1), 4)]))
    guest.store([data(0), data(1)], at: 10 * 4096 - 16)
    #expect(
      guest.prp(data(0), top + 0xff0, 3 * 4096)
        == Walked(.success, [Piece(host(0), 4096), Piece(host(0), 4096), Piece(host(1), 4096)]))
    guest.store([UInt64.max - 7], at: 10 * 4096 - 8)
    #expect(guest.prp(data(0), top + 0xff8, 3 * 4096) == Walked(.invalidPRPOffset))
  }

  @Test func memoryThatIsNotMappedIsATransferError() throws {
    let guest = try scattered(4)
    let nowhere: UInt64 = 0x4000_0000
    #expect(guest.prp(nowhere, 0, 512) == Walked(.dataTransferError))
    #expect(guest.prp(data(0), nowhere, 8192) == Walked(.dataTransferError))
    #expect(guest.prp(data(0), nowhere, 3 * 4096) == Walked(.dataTransferError), "the list")
    #expect(guest.prp(data(0), 0, 8192) == Walked(.dataTransferError))
    for missing in 0..<3 {
      guest.store((0..<3).map { $0 == missing ? nowhere : data($0) }, at: 0)
      #expect(guest.prp(data(0), list(0), 4 * 4096) == Walked(.dataTransferError))
    }
    guest.store([data(1), nowhere], at: 4096 - 16)
    #expect(guest.prp(data(0), list(0) + 0xff0, 4 * 4096) == Walked(.dataTransferError), "the second page of the list")
    guest.mapUnreachable(nowhere)
    #expect(guest.prp(nowhere, 0, 512) == Walked(.dataTransferError), "a ROM of the VMM")
  }

  @Test func permissionsAreAskedForWhatIsDone() throws {
    let guest = try Guest(pages: 8)
    guest.map(0x1000, page: 0, access: .read)
    guest.map(0x2000, page: 2, access: .write)
    guest.map(0x3000, page: 4)
    let pages = [0x1000: Piece(0, 512), 0x2000: Piece(0x2000, 512), 0x3000: Piece(0x4000, 512)]
    for (iova, access, isAllowed) in [
      (0x1000, .read, true), (0x1000, .write, false), (0x2000, .read, false), (0x2000, .write, true),
      (0x3000, .read, true), (0x3000, .write, true),
    ] as [(Int, MemoryRegion.Access, Bool)] {
      let expected = isAllowed ? Walked(.success, [pages[iova]].compactMap(\.self)) : Walked(.dataTransferError)
      #expect(guest.prp(UInt64(iova), 0, 512, access: access) == expected)
    }
    // A list is read, whichever way the data goes.
    guest.store([0x3000, 0x3000], at: 0)
    guest.store([0x3000, 0x3000], at: 0x2000)
    for access in [.read, .write] as [MemoryRegion.Access] {
      #expect(guest.prp(0x3000, 0x1000, 3 * 4096, access: access).status == .success)
      #expect(guest.prp(0x3000, 0x2000, 3 * 4096, access: access) == Walked(.dataTransferError))
    }
  }
}
