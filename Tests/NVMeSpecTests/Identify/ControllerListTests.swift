import NVMeSpec
import Testing

@Suite struct ControllerListTests {
  @Test func encoding() {
    let bytes = ControllerList([1, 0x0203]).encode()
    #expect(bytes.count == 4096)
    #expect(Array(bytes[0..<8]) == [2, 0, 1, 0, 3, 2, 0, 0])
    #expect(ControllerList(decoding: bytes)?.identifiers == [1, 0x0203])
  }

  @Test func fromAnIdentifier() {
    #expect(ControllerList([7, 1, 4] as Set, from: 4).identifiers == [4, 7])
  }

  @Test func limits() {
    let full = ControllerList(Array(0...2047)).encode()
    #expect(full.count == 4096)
    #expect(Array(full[0..<2]) == [0xFF, 0x07])
    #expect(ControllerList(decoding: full)?.identifiers == Array(0...2046))
    #expect(ControllerList(decoding: [0x00, 0x08] + [UInt8](repeating: 0, count: 4094)) == nil)
    #expect(ControllerList(decoding: [UInt8](repeating: 0, count: 4095)) == nil)
  }
}
