import Testing

@testable import NVMeSpec

@Suite struct BitFieldTests {
  @Test func fields() {
    var word: UInt32 = 0xFFFF_FFFF
    word.setField(at: 8, width: 4, to: 0x125)
    #expect(word == 0xFFFF_F5FF)
    #expect(word.field(at: 8, width: 4) == 5)
    #expect(word.field(at: 0, width: 32) == word)
    word.setField(at: 0, width: 32, to: 0x1234_5678)
    #expect(word == 0x1234_5678)
    #expect(word.field(at: 28, width: 4) == 1)
  }

  @Test func bits() {
    var word: UInt16 = 0
    word.setBit(15, to: true)
    #expect(word == 0x8000)
    #expect(word.bit(15) && !word.bit(14))
    word.setBit(15, to: false)
    #expect(word == 0)
  }
}
