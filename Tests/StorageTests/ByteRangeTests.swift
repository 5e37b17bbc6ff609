import Testing

@testable import Storage

@Suite struct ByteRangeTests {
  @Test func knowsItsBoundsWithoutOverflow() {
    #expect(ByteRange(offset: 0, count: 4096).isWithin(4096))
    #expect(ByteRange(offset: 4096, count: 0).isWithin(4096))
    #expect(!ByteRange(offset: 1, count: 4096).isWithin(4096))
    #expect(!ByteRange(offset: 4097, count: 0).isWithin(4096))
    #expect(!ByteRange(offset: .max, count: .max).isWithin(4096))
    #expect(!ByteRange(offset: 2, count: .max).isWithin(.max))
    #expect(ByteRange(offset: 1, count: .max - 1).isWithin(.max))
  }

  @Test(
    arguments: [
      (0, 4096, 0, 4096), (0, 8191, 0, 4096), (1, 8191, 4096, 4096), (512, 4096, 512, 0), (512, 3584, 512, 0),
      (4095, 4097, 4096, 4096), (4096, 0, 4096, 0), (3, 12288, 4096, 8192), (1, .max, 1, 0),
      (.max - 10, 10, .max - 10, 0),
    ] as [(UInt64, UInt64, UInt64, UInt64)])
  func shrinksToWholeUnits(_ offset: UInt64, _ count: UInt64, _ newOffset: UInt64, _ newCount: UInt64) {
    #expect(
      ByteRange(offset: offset, count: count).shrunk(toWhole: 4096) == ByteRange(offset: newOffset, count: newCount))
  }

  @Test func noUnitIsNothing() {
    #expect(ByteRange(offset: 0, count: 4096).shrunk(toWhole: 0).count == 0)
  }
}
