import Testing

@testable import BPF

/// The encodings are those of clang for `-target bpf`, as `llvm-objdump -d` prints them, least significant byte first.
@Suite struct BPFInstructionTests {
  @Test(arguments: [
    (BPFInstruction.calculate(.move, .r6, .r1), 0x0000_0000_0000_16bf as UInt64),
    (.calculate(.shiftRight, .r0, 32), 0x0000_0020_0000_0077),
    (.calculate(.and, .r1, -4096), 0xffff_f000_0000_0157),
    (.calculate(.add, .r2, -16), 0xffff_fff0_0000_0207),
    (.calculate(.add, .r8, .r7), 0x0000_0000_0000_780f),
    (.calculate(.move, .r0, 0), 0x0000_0000_0000_00b7),
    (.load(.doubleWord, .r1, .r6, 8), 0x0000_0000_0008_6179),
    (.load(.word, .r2, .r10, -24), 0x0000_0000_ffe8_a261),
    (.load(.byte, .r1, .r1, 0), 0x0000_0000_0000_1171),
    (.store(.doubleWord, .r10, -16, .r0), 0x0000_0000_fff0_0a7b),
    (.store(.word, .r1, 0, .r2), 0x0000_0000_0000_2163),
    (.store(.doubleWord, .r10, -24, 0), 0x0000_0000_ffe8_0a7a),
    (.atomicAdd(.word, .r1, 4096, .r2), 0x0000_0000_1000_21c3),
    (.atomicAdd(.doubleWord, .r1, 0, .r2), 0x0000_0000_0000_21db),
    (.call(.mapLookup), 0x0000_0001_0000_0085),
    (.call(.probeReadKernel), 0x0000_0071_0000_0085),
    (.exit, 0x0000_0000_0000_0095),
    (.jump(.equal, .r0, 0, 5), 0x0000_0000_0005_0015),
    (.jump(.greater, .r8, 4092, -1), 0x0000_0ffc_ffff_0825),
    (.jump32(.notEqual, .r1, 2, 3), 0x0000_0002_0003_0156),
  ])
  func anInstructionIsOneWord(_ instruction: BPFInstruction, _ word: UInt64) { #expect(instruction.encoded == word) }

  @Test func aMapTakesTwoWords() {
    #expect(BPFInstruction.map(.r1, descriptor: 7).map(\.encoded) == [0x0000_0007_0000_1118, 0])
    #expect(
      BPFInstruction.mapValue(.r2, descriptor: 9, offset: 16).map(\.encoded)
        == [0x0000_0009_0000_2218, 0x0000_0010_0000_0000])
  }

  @Test func jumpsGoForwardToTheirLabels() throws {
    var code = BPFAssembler()
    let end = code.label()
    let near = code.label()
    code.jump(.equal, .r1, 0, to: end)
    code.jump32(.notEqual, .r1, 1, to: near)
    code.place(near)
    code.add(BPFInstruction.map(.r1, descriptor: 3))
    code.place(end)
    code.add(.exit)
    #expect(
      try code.assemble() == [
        .jump(.equal, .r1, 0, 3), .jump32(.notEqual, .r1, 1, 0), BPFInstruction(0x18, 1, 1, 0, 3),
        BPFInstruction(0, 0, 0, 0, 0), .exit,
      ])
  }

  @Test func aLabelThatIsNowhereIsAnError() {
    var code = BPFAssembler()
    let label = code.label()
    code.jump(.equal, .r0, 0, to: label)
    #expect(throws: BPFAssembler.Failure.unplacedLabel) { try code.assemble() }
  }

  @Test func aJumpBackOrTooFarIsAnError() {
    var back = BPFAssembler()
    let start = back.label()
    back.place(start)
    back.jump(.equal, .r0, 0, to: start)
    #expect(throws: BPFAssembler.Failure.distance) { try back.assemble() }
    var far = BPFAssembler()
    let end = far.label()
    far.jump(.equal, .r0, 0, to: end)
    for _ in 0..<32_768 { far.add(.exit) }
    far.place(end)
    #expect(throws: BPFAssembler.Failure.distance) { try far.assemble() }
  }
}
