import GuestMemory
import Testing

@Suite struct HostRangesTests {
  private func region(_ host: UInt, _ size: UInt64) -> MemoryRegion {
    MemoryRegion(iova: 0, size: size, host: UnsafeMutableRawPointer(bitPattern: host), access: .read)
  }

  /// Against the plain definition, at every edge.
  @Test func findsWhatLiesInSeveral() {
    let regions = [
      region(0x9000, 0x1000), region(0x1000, 0x2000), region(0, 0x1000), region(0x3000, 0x1000), region(0x6000, 0x1000),
    ]
    let ranges = HostRanges(regions)
    let places = stride(from: 0x0fff as UInt, through: 0xb000, by: 0x1000).flatMap { [$0 - 1, $0, $0 + 1, $0 + 2] }
    for first in places {
      for last in places where last >= first {
        let isTouched = regions.contains { region in
          region.isReachable
            && stride(from: first, through: last, by: 1).contains { region.contains(host: $0) }
        }
        #expect(ranges.touch(first, count: last - first + 1) == isTouched, "\(first) to \(last)")
      }
      #expect(!ranges.touch(first, count: 0))
    }
  }

  @Test func emptyOnes() {
    #expect(HostRanges([]).isEmpty && !HostRanges([]).touch(0, count: 1))
    #expect(HostRanges([region(0, 0x1000)]).isEmpty)
    let last = HostRanges([region(UInt.max - 0xfff, 0x1000)])
    #expect(last.touch(UInt.max, count: 1) && !last.touch(UInt.max - 0x1000, count: 1))
  }
}
