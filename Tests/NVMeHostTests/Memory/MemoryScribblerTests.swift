import Testing

@testable import NVMeHost

@Suite struct MemoryScribblerTests {
  @Test func writesOnlyItsValuesAndOnlyInItsBuffer() throws {
    let memory = try HostMemory(byteCount: 3 * HostMemory.pageSize)
    let whole = try memory.allocate(3 * HostMemory.pageSize)
    let scribbler = try MemoryScribbler(whole[4096..<4112], seed: 3, values: [0x1111, 0x2222])
    while scribbler.writeCount < 1000 { yieldProcessor() }
    scribbler.stop()
    let words = stride(from: 0, to: whole.count, by: 8).map { whole.load(UInt64.self, at: $0) }
    for (index, word) in words.enumerated() {
      #expect(index == 512 || index == 513 ? word == 0x1111 || word == 0x2222 : word == 0)
    }
  }

  @Test func theSameSeedGivesTheSameSequence() {
    var one = XorShift(seed: 5)
    var two = XorShift(seed: 5)
    var zero = XorShift(seed: 0)
    #expect((0..<8).map { _ in one.next() } == (0..<8).map { _ in two.next() })
    #expect(zero.next() != 0)
    #expect(one.next() != XorShift(seed: 6).state)
  }
}
