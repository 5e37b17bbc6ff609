import Testing

@testable import PCIDevice

@Suite struct MSIXTableTests {
  private func read(_ table: MSIXTable, _ offset: UInt64, _ count: Int) -> [UInt8]? {
    var buffer = [UInt8](repeating: 0x5a, count: count)
    var span = buffer.mutableSpan
    return table.read(at: offset, into: &span) ? buffer : nil
  }

  /// Whether the write lies in the BAR; outside of `#expect`, which cannot call what mutates.
  private func write(_ table: inout MSIXTable, _ offset: UInt64, _ bytes: [UInt8]) -> Bool {
    table.write(at: offset, from: bytes.span)
  }

  @Test func everyVectorIsMaskedAfterReset() throws {
    let table = MSIXTable(layout: try layout(65))
    for vector in 0..<65 {
      #expect(table.entry(vector) == MSIXTableEntry(address: 0, data: 0, isMasked: true))
      #expect(!table.isPending(vector))
    }
    #expect(read(table, 0, 16) == [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0])
    // The table is 1040 bytes; the rest of its page is zero.
    #expect(
      read(table, 1024, 32) == [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0] + [UInt8](repeating: 0, count: 16))
  }

  @Test func entriesHoldWhatIsWritten() throws {
    var table = MSIXTable(layout: try layout(65))
    let message: [UInt8] = [0x0f, 0x00, 0xe0, 0xfe, 0x01, 0x00, 0x00, 0x00, 0x21, 0x40, 0x00, 0x80]
    #expect(write(&table, 32, message) == true)
    #expect(table.entry(2) == MSIXTableEntry(address: 0x1_fee0_000c, data: 0x8000_4021, isMasked: true))
    #expect(write(&table, 44, [UInt8](repeating: 0, count: 4)) == true)
    #expect(table.entry(2)?.isMasked == false)
    #expect(write(&table, 44, [UInt8](repeating: 0xff, count: 4)) == true)
    #expect(read(table, 44, 4) == [1, 0, 0, 0])
    #expect(table.entry(1) == MSIXTableEntry(address: 0, data: 0, isMasked: true))
    #expect(table.entry(3) == MSIXTableEntry(address: 0, data: 0, isMasked: true))
    table.reset()
    #expect(table == MSIXTable(layout: try layout(65)))
  }

  @Test func pendingBitsAreReadableAndNotWritable() throws {
    var table = MSIXTable(layout: try layout(65))
    table.setPending(0, true)
    table.setPending(9, true)
    table.setPending(64, true)
    let expected: [UInt8] = [0x01, 0x02, 0, 0, 0, 0, 0, 0, 0x01, 0, 0, 0, 0, 0, 0, 0]
    #expect(read(table, 0x1000, 16) == expected)
    #expect(write(&table, 0x1000, [UInt8](repeating: 0, count: 16)) == true)
    #expect(write(&table, 0x1008, [UInt8](repeating: 0xff, count: 8)) == true)
    #expect(read(table, 0x1000, 16) == expected)
    table.setPending(9, false)
    #expect(!table.isPending(9))
    #expect(table.isPending(64))
    #expect(read(table, 0x1001, 2) == [0, 0])
    table.reset()
    #expect(!table.isPending(0))
  }

  @Test func accessesAcrossTheGaps() throws {
    var table = MSIXTable(layout: try layout(1))
    table.setPending(0, true)
    #expect(write(&table, 0, [UInt8](repeating: 0xff, count: 0x2000)) == true)
    var expected = [UInt8](repeating: 0, count: 0x2000)
    expected.replaceSubrange(0..<16, with: [0xfc] + [UInt8](repeating: 0xff, count: 11) + [1, 0, 0, 0])
    expected[0x1000] = 1
    #expect(read(table, 0, 0x2000) == expected)
    #expect(read(table, 13, 5) == [0, 0, 0, 0, 0])
    #expect(read(table, 0xfff, 2) == [0, 1])
  }

  @Test(arguments: [(UInt64(0x2000), 1), (0x1fff, 2), (0, 0x2001), (UInt64.max, 1), (UInt64.max - 7, 8)])
  func accessesOutsideTheBarAreRefused(_ offset: UInt64, _ count: Int) throws {
    var table = MSIXTable(layout: try layout(65))
    let before = table
    #expect(read(table, offset, count) == nil)
    #expect(write(&table, offset, [UInt8](repeating: 0, count: count)) == false)
    #expect(table == before)
  }

  @Test(arguments: [-1, 65, Int.max, Int.min])
  func vectorsThatDoNotExist(_ vector: Int) throws {
    var table = MSIXTable(layout: try layout(65))
    let before = table
    table.setPending(vector, true)
    #expect(!table.isPending(vector))
    #expect(table.entry(vector) == nil)
    #expect(table == before)
  }
}
