import Glibc
import LinuxIO
import Testing

@testable import GuestMemory

@Suite struct MemoryMapTests {
  private let top = UInt64.max - 4095

  /// Where [iova, iova + length) lies in host memory, and how much of it.
  private func translate(
    _ guest: Guest, _ iova: UInt64, _ length: UInt64, _ access: MemoryRegion.Access = .read
  ) -> Piece? {
    guest.map.translate(iova, length: length, access: access).map {
      Piece($0.address - guest.host.base, Int($0.length))
    }
  }

  private func contiguous(
    _ guest: Guest, _ iova: UInt64, _ length: UInt64, _ access: MemoryRegion.Access = .read
  ) -> Int? {
    guest.map.contiguous(iova, length: length, access: access).map { $0 - guest.host.base }
  }

  @Test func anEmptyMapTranslatesNothing() throws {
    let guest = try Guest(pages: 1)
    for iova in [0, 1, 0x1000, top, UInt64.max] {
      #expect(translate(guest, iova, 1) == nil)
      #expect(translate(guest, iova, UInt64.max) == nil)
    }
    #expect(guest.map.count == 0)
  }

  @Test func translatesAsFarAsOneRangeGoes() throws {
    let guest = try Guest(pages: 8)
    guest.map(0x10_000, page: 4, count: 2)
    #expect(translate(guest, 0x10_000, 1) == Piece(0x4000, 1))
    #expect(translate(guest, 0x11_fff, 1) == Piece(0x5fff, 1))
    #expect(translate(guest, 0x10_800, 0x1800) == Piece(0x4800, 0x1800))
    #expect(translate(guest, 0x10_800, 0x1801) == Piece(0x4800, 0x1800))
    #expect(translate(guest, 0x10_800, UInt64.max) == Piece(0x4800, 0x1800))
    #expect(translate(guest, 0x0f_fff, 2) == nil)
    #expect(translate(guest, 0x12_000, 1) == nil)
    #expect(translate(guest, UInt64.max, 1) == nil)
  }

  @Test func findsEachOfManyRangesWhateverTheOrder() throws {
    let count = 33
    let guest = try Guest(pages: count)
    var order = Array(0..<count)
    var random = SplitMix(state: 7)
    order.shuffle(using: &random)
    // With holes of one page between them.
    let addresses: [UInt64] = (0..<count).map { UInt64($0 * 2 + 1) << 12 }
    for index in order { guest.map(addresses[index], page: count - 1 - index) }
    #expect(guest.map.allRegions.map(\.iova) == addresses)
    order.shuffle(using: &random)
    for index in order {
      let iova = addresses[index]
      let host = (count - 1 - index) * 4096
      #expect(translate(guest, iova + 5, 10) == Piece(host + 5, 10))
      #expect(translate(guest, iova - 1, 1) == nil)
      #expect(translate(guest, iova + 0x1000, 1) == nil)
      #expect(translate(guest, iova + 0xfff, 2) == Piece(host + 0xfff, 1))
    }
  }

  @Test func adjacentRangesAreReachedOneAfterTheOther() throws {
    let guest = try Guest(pages: 8)
    guest.map(0x1000, page: 6)
    guest.map(0x2000, page: 1)
    #expect(translate(guest, 0x1ff0, 0x20) == Piece(0x6ff0, 0x10))
    #expect(translate(guest, 0x2000, 0x10) == Piece(0x1000, 0x10))
    #expect(contiguous(guest, 0x1ff0, 0x20) == nil, "not adjacent in this process")
    #expect(contiguous(guest, 0x1ff0, 0x10) == 0x6ff0)
  }

  @Test func permissionsAreThoseOfTheRange() throws {
    let guest = try Guest(pages: 8)
    guest.map(0x1000, page: 0, access: .read)
    guest.map(0x2000, page: 1, access: .write)
    guest.map(0x3000, page: 2, access: [.read, .write])
    guest.map(0x4000, page: 3, access: [])
    guest.mapUnreachable(0x5000)
    let accesses: [MemoryRegion.Access] = [.read, .write, [.read, .write]]
    let allowed = (1...5).map { page in
      accesses.map { translate(guest, UInt64(page) << 12 + 8, 1, $0) != nil }
    }
    #expect(
      allowed == [
        [true, false, false], [false, true, false], [true, true, true], [false, false, false], [false, false, false],
      ])
    // Also by the range that was used last.
    #expect(translate(guest, 0x1000, 1, .read) != nil)
    #expect(translate(guest, 0x1000, 1, .write) == nil)
    #expect(translate(guest, 0x1000, 1, .read) != nil)
  }

  @Test func aRemovedRangeIsNotRemembered() throws {
    let guest = try Guest(pages: 8)
    guest.map(0x1000, page: 0)
    guest.map(0x3000, page: 2)
    #expect(translate(guest, 0x1000, 1) == Piece(0, 1))
    #expect(guest.map.remove(iova: 0x1000, size: 0x1000).map(\.iova) == [0x1000])
    #expect(translate(guest, 0x1000, 1) == nil)
    // The same address elsewhere: the old place is not used.
    guest.map(0x1000, page: 5)
    #expect(translate(guest, 0x1000, 1) == Piece(0x5000, 1))
    guest.map.removeAll()
    #expect(translate(guest, 0x1000, 1) == nil)
    #expect(translate(guest, 0x3000, 1) == nil)
    #expect(guest.map.count == 0)
  }

  @Test func aRangeThatComesLaterIsFoundAtOnce() throws {
    let guest = try Guest(pages: 8)
    guest.map(0x1000, page: 0)
    #expect(translate(guest, 0x1000, 1) != nil)
    #expect(translate(guest, 0x2000, 1) == nil)
    guest.map(0x2000, page: 4)
    #expect(translate(guest, 0x2000, 1) == Piece(0x4000, 1))
    #expect(translate(guest, 0x1000, 1) == Piece(0, 1))
  }

  @Test(
    arguments: [
      (0, 0x4000, [0x1000, 0x3000]), (0x1000, 0x1000, [0x1000]), (0x2000, 0xffff_ffff_0110_0000, [0x3000, 0x5000]),
      (0x5001, UInt64.max, [UInt64.max - 4095]), (0, UInt64.max, [0x1000, 0x3000, 0x5000, UInt64.max - 4095]),
      (0x4000, 0x1000, []), (0, 0, []),
    ] as [(UInt64, UInt64, [UInt64])])
  func removesWhatBeginsInTheRange(iova: UInt64, size: UInt64, gone: [UInt64]) throws {
    let guest = try Guest(pages: 8)
    let all = [0x1000, 0x3000, 0x5000, top]
    for (page, address) in all.enumerated() { guest.map(address, page: page) }
    #expect(guest.map.remove(iova: iova, size: size).map(\.iova) == gone)
    #expect(guest.map.allRegions.map(\.iova) == all.filter { !gone.contains($0) })
  }

  @Test func theEndOfTheAddressSpaceIsAnEnd() throws {
    let guest = try Guest(pages: 8)
    guest.map(top, page: 3)
    guest.map(0, page: 4)
    #expect(translate(guest, UInt64.max, 1) == Piece(0x3fff, 1))
    #expect(translate(guest, UInt64.max, 2) == Piece(0x3fff, 1))
    #expect(contiguous(guest, UInt64.max, 2) == nil)
    #expect(contiguous(guest, top, 0x1000) == 0x3000)
    #expect(guest.read(UInt64.max - 7, count: 8) != nil)
    #expect(guest.read(UInt64.max - 7, count: 16) == nil, "the address behind the last is not 0")
  }

  @Test func copiesOverRangesAndSaysWhereItCannot() throws {
    let guest = try Guest(pages: 8)
    guest.map(0x1000, page: 5)
    guest.map(0x2000, page: 2)
    guest.map(0x3000, page: 7, access: .read)
    let sent = (0..<4100).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    #expect(!guest.write(0x1ffe, sent), "the third page is read-only")
    #expect(guest.write(0x1ffe, Array(sent.prefix(4098))))
    let stored = [0x5ffe, 0x5fff, 0x2000, 0x2fff].map { guest.host.base.load(fromByteOffset: $0, as: UInt8.self) }
    #expect(stored == [sent[0], sent[1], sent[2], sent[4097]])
    #expect(guest.read(0x1ffe, count: 4098) == Array(sent.prefix(4098)))
    #expect(guest.read(0x2ffe, count: 0x1002) != nil)
    #expect(guest.read(0x2ffe, count: 0x1003) == nil)
    #expect(guest.read(0x9_0000, count: 0) == [], "nothing to copy")
  }
}
