import Testing

@testable import GuestMemory

@Suite struct MemoryRegionTests {
  private func region(_ iova: UInt64, _ size: UInt64) -> MemoryRegion {
    MemoryRegion(iova: iova, size: size, host: UnsafeMutableRawPointer(bitPattern: 0x10_0000), access: .read)
  }

  @Test(
    arguments: [
      // Before, touching, into the front, the same, inside, around, over the end, touching behind, behind.
      (0x0000, 0x1000, false), (0x1000, 0x1000, false), (0x1000, 0x1001, true), (0x2000, 0x4000, true),
      (0x3000, 0x1000, true), (0x1000, 0x8000, true), (0x5000, 0x4000, true), (0x6000, 0x1000, false),
      (0x7000, 0x1000, false),
    ] as [(UInt64, UInt64, Bool)])
  func overlapIsSymmetric(iova: UInt64, size: UInt64, overlaps: Bool) {
    let fixed = region(0x2000, 0x4000)
    #expect(fixed.overlaps(iova: iova, size: size) == overlaps)
    #expect(region(iova, size).overlaps(iova: fixed.iova, size: fixed.size) == overlaps)
  }

  @Test func overlapIsRightAtTheEndOfTheAddressSpace() {
    let top = region(UInt64.max - 0xfff, 0x1000)
    let bottom = region(0, 0x1000)
    #expect(!top.overlaps(iova: 0, size: 0x1000))
    #expect(!bottom.overlaps(iova: top.iova, size: 0x1000))
    #expect(top.overlaps(iova: UInt64.max - 0x1fff, size: 0x2000))
    #expect(top.overlaps(iova: 0, size: UInt64.max))
    #expect(!top.overlaps(iova: 0, size: UInt64.max - 0xfff))
  }

  @Test func aRangeWithoutAFileCannotBeReached() {
    let none = MemoryRegion(iova: 0, size: 0x1000, host: nil, access: [.read, .write])
    #expect(!none.isReachable)
    #expect(none.access == [])
    #expect(!none.contains(host: 0))
    #expect(!none.isInside(host: 0, count: .max))
    #expect(region(0, 0x1000).isReachable)
  }

  @Test func knowsItsHostAddresses() {
    let region = region(0x5000, 0x2000)
    #expect(region.contains(host: 0x10_0000))
    #expect(region.contains(host: 0x10_1fff))
    #expect(!region.contains(host: 0x10_2000))
    #expect(!region.contains(host: 0x0f_ffff))
    #expect(region.isInside(host: 0x10_0000, count: 0x2000))
    #expect(region.isInside(host: 0x0f_f000, count: 0x3000))
    #expect(!region.isInside(host: 0x10_2000, count: 0x2000))
  }

  @Test func accessBitsAreThoseOfTheWire() {
    #expect(MemoryRegion.Access.read.rawValue == 1)
    #expect(MemoryRegion.Access.write.rawValue == 2)
  }
}
