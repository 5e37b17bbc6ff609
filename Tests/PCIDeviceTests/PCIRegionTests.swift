import Testing

@testable import PCIDevice

@Suite struct PCIRegionTests {
  @Test func regionsAsVFIONumbersThem() throws {
    #expect(PCIRegion.count == 9)
    let msix = try layout(65)
    let expected: [(PCIRegion, UInt32, UInt64, UInt32)] = [
      (.bar0, 0, 0x4000, 3), (.bar1, 1, 0, 0), (.bar2, 2, 0, 0), (.bar3, 3, 0, 0), (.bar4, 4, 0x2000, 3),
      (.bar5, 5, 0, 0), (.rom, 6, 0, 0), (.configuration, 7, 4096, 3), (.vga, 8, 0, 0),
    ]
    for (region, index, size, flags) in expected {
      #expect(region.rawValue == index)
      #expect(region.info(msix: msix) == PCIRegionInfo(size: size, flags: PCIRegionFlags(rawValue: flags)))
    }
    #expect(PCIRegion(rawValue: 9) == nil)
  }

  @Test func regionSizesAreThoseOfTheBars() throws {
    for vectors in [1, 65, 512, 2048] {
      let msix = try layout(vectors)
      var space = ConfigurationSpace(msix: msix)
      for (region, offset) in [(PCIRegion.bar0, UInt64(0x10)), (.bar4, 0x20)] {
        try space.set(offset, 4, .max)
        #expect(UInt64(~(try space.value(offset, 4) & ~0xf)) + 1 == region.info(msix: msix).size)
      }
    }
  }
}
