import Testing

@testable import PCIDevice

@Suite struct MSIXLayoutTests {
  /// vectors, table bytes, offset and size of the pending bits, BAR4 bytes
  @Test(arguments: [
    [1, 16, 0x1000, 8, 0x2000], [64, 1024, 0x1000, 8, 0x2000], [65, 1040, 0x1000, 16, 0x2000],
    [256, 4096, 0x1000, 32, 0x2000], [257, 4112, 0x2000, 40, 0x4000], [512, 8192, 0x2000, 64, 0x4000],
    [1024, 16384, 0x4000, 128, 0x8000], [2047, 32752, 0x8000, 256, 0x1_0000], [2048, 32768, 0x8000, 256, 0x1_0000],
  ])
  func sizes(_ row: [UInt64]) throws {
    let layout = try layout(Int(row[0]))
    #expect(layout.tableSize == row[1])
    #expect(layout.pendingBitsOffset == row[2])
    #expect(layout.pendingBitsSize == row[3])
    #expect(layout.size == row[4])
  }

  @Test func tableAndPendingBitsNeverShareAPage() throws {
    for vectors in MSIXLayout.vectorCounts {
      let layout = try layout(vectors)
      #expect(layout.pendingBitsOffset >= layout.tableSize)
      #expect(layout.pendingBitsOffset % 4096 == 0)
      #expect(layout.pendingBitsOffset + 4096 <= layout.size)
      #expect(layout.size & (layout.size - 1) == 0)
    }
  }

  @Test(arguments: [Int.min, -1, 0, 2049, Int.max])
  func countsThatDoNotExist(_ vectors: Int) {
    #expect(MSIXLayout(vectorCount: vectors) == nil)
  }
}
