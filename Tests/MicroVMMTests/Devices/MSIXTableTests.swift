import Testing

@testable import MicroVMM

@Suite struct MSIXTableTests {
  private static func table() -> MSIXTable {
    var table = MSIXTable(vectorCount: 3)
    table.setControl(0x8000)
    return table
  }

  @Test func everyVectorIsMaskedAfterAReset() {
    let table = Self.table()
    #expect(table.size == 48)
    for vector in 0..<3 {
      #expect(table.read(at: UInt64(vector * 16 + 12), count: 4) == 1)
      #expect(table.message(vector) == nil)
    }
  }

  @Test func aVectorSendsWhatItsEntrySaysWhileNothingMasksIt() {
    var table = Self.table()
    table.write(at: 16, count: 4, 0xFEE0_1003)
    table.write(at: 20, count: 4, 0x0000_0001)
    table.write(at: 24, count: 4, 0x0000_4031)
    #expect(table.message(1) == nil)
    table.write(at: 28, count: 4, 0xFFFF_FFFE)
    // Addresses are doubleword aligned, and vector control has one bit.
    #expect(table.read(at: 16, count: 4) == 0xFEE0_1000)
    #expect(table.read(at: 28, count: 4) == 0)
    let message = MSIXTable.Message(address: 0x1_FEE0_1000, data: 0x4031)
    #expect(table.message(1) == message)
    #expect(table.message(0) == nil)
    table.setControl(0xC000)
    #expect(table.message(1) == nil)
    table.setControl(0x0000)
    #expect(table.message(1) == nil)
    #expect(!table.isEnabled)
    table.setControl(0x87FF)
    #expect(table.control == 0x8000)
    #expect(table.message(1) == message)
    table.write(at: 28, count: 1, 1)
    #expect(table.message(1) == nil)
    table.reset()
    #expect(table == MSIXTable(vectorCount: 3))
  }

  @Test func accessesOfEightBytes() {
    var table = Self.table()
    table.write(at: 0, count: 8, 0x1122_3344_5566_7788)
    #expect(table.read(at: 0, count: 8) == 0x1122_3344_5566_7788)
    table.write(at: 8, count: 8, 0x0000_0000_0000_0055)
    #expect(table.message(0) == MSIXTable.Message(address: 0x1122_3344_5566_7788, data: 0x55))
  }

  @Test func whatIsBeyondTheTableReadsZeroAndIsDropped() {
    var table = Self.table()
    let before = table
    table.write(at: 48, count: 8, .max)
    table.write(at: .max, count: 8, .max)
    #expect(table == before)
    table.write(at: 44, count: 8, 0)
    #expect(table.read(at: 44, count: 8) == 0)
    #expect(table.message(2) != nil)
    #expect(table.read(at: .max, count: 8) == 0)
    #expect(table.message(3) == nil)
    #expect(table.message(-1) == nil)
  }
}
