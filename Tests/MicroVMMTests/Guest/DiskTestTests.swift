import KVM
import Testing

@testable import MicroVMM

@Suite struct DiskTestTests {
  @Test func thePatternOfAPageBeginsWithItsProduct() {
    let pattern = DiskTest.pattern(page: 3)
    #expect(pattern.count == 4096)
    // 3 * 9E3779B1h, and that plus 01000193h.
    #expect(Array(pattern.prefix(8)) == [0x13, 0x6D, 0xA6, 0xDA, 0xA6, 0x6E, 0xA6, 0xDB])
    #expect(DiskTest.pattern(page: 0) != DiskTest.pattern(page: 1))
  }

  @Test func theProgramLeavesRoomForItsStack() throws {
    let program = try DiskTest(pageCount: 32_000, blockSize: 512, queueSize: 64).program()
    let code = try #require(program.segments.first)
    #expect(code.address == GuestProgram.codeAddress)
    #expect(program.entry == GuestProgram.codeAddress)
    #expect(Int(code.address) + code.bytes.count <= Int(GuestProgram.stackAddress) - 256)
  }

  @Test func bothVectorsLeadToHandlersThatCountAndReturn() throws {
    let program = try DiskTest(pageCount: 1).program()
    let code = try #require(program.segments.first)
    for (vector, counter) in [(0x30, 0x14), (0x31, 0x34)] as [(UInt16, UInt8)] {
      let entry = try #require(program.segments.first { $0.address == vector * 4 })
      let handler = Int(entry.bytes[0]) | Int(entry.bytes[1]) << 8
      #expect(Array(entry.bytes.suffix(2)) == [0, 0])
      let start = handler - Int(code.address)
      let expected: [UInt8] = [
        0x66, 0xFF, 0x06, counter, 5,  // incl: the counter
        0x65, 0x66, 0xC7, 0x06, 0xB0, 0, 0, 0, 0, 0,  // movl $0, %gs:0xb0
        0xCF,  // iret
      ]
      #expect(Array(code.bytes[start..<start + expected.count]) == expected)
    }
  }

  @Test func readsTheReport() {
    var memory = [UInt8](repeating: 0, count: GuestProgram.memorySize)
    memory[0x500] = 7
    memory[0x507] = 0x80
    memory[0x514] = 2
    memory[0x535] = 1
    #expect(
      DiskTest.report(memory)
        == DiskTest.Report(adminInterrupts: 2, ioInterrupts: 256, page: 7, detail: 0x8000_0000))
    #expect(DiskTest.report(Array(memory.dropLast())) == nil)
  }
}
