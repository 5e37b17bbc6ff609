import NVMeSpec
import Testing

@Suite struct IOCommandSetCombinationsTests {
  @Test func theNVMCommandSetAlone() {
    let bytes = IOCommandSetCombinations().encode()
    #expect(bytes.count == 4096)
    #expect(bytes == [1] + [UInt8](repeating: 0, count: 4095))
    #expect(IOCommandSetCombinations(decoding: bytes)?.combinations == [1])
  }

  @Test func limits() {
    let full = IOCommandSetCombinations([UInt64](repeating: 0x0102_0304_0506_0708, count: 513)).encode()
    #expect(full.count == 4096)
    #expect(Array(full[4088...]) == [8, 7, 6, 5, 4, 3, 2, 1])
    #expect(IOCommandSetCombinations(decoding: full)?.combinations.count == 512)
    #expect(IOCommandSetCombinations(decoding: [UInt8](repeating: 0, count: 4095)) == nil)
  }
}
