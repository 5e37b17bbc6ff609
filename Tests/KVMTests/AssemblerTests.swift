import Testing

@testable import KVM

@Suite struct AssemblerTests {
  struct Encoding: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let bytes: [UInt8]
    let emit: @Sendable (inout Assembler) -> Void

    init(_ name: String, _ bytes: [UInt8], _ emit: @escaping @Sendable (inout Assembler) -> Void) {
      testDescription = name
      self.bytes = bytes
      self.emit = emit
    }
  }

  /// As the GNU assembler makes them with `.code16`; with the longer form where it has a choice.
  static let encodings = [
    Encoding("mov $0x12345678, %edx", [0x66, 0xBA, 0x78, 0x56, 0x34, 0x12]) { $0.mov(.edx, 0x1234_5678) },
    Encoding("mov 0x1234, %ecx", [0x66, 0x8B, 0x0E, 0x34, 0x12]) { $0.mov(.ecx, .at(0x1234)) },
    Encoding("mov %ebx, 0x1234", [0x66, 0x89, 0x1E, 0x34, 0x12]) { $0.mov(.at(0x1234), .ebx) },
    Encoding("movl $1, 0x1234", [0x66, 0xC7, 0x06, 0x34, 0x12, 1, 0, 0, 0]) { $0.mov(.at(0x1234), 1) },
    Encoding("movl $0x1ff, %gs:0xf0", [0x65, 0x66, 0xC7, 0x06, 0xF0, 0, 0xFF, 1, 0, 0]) {
      $0.mov(.gs(0xF0), 0x1FF)
    },
    Encoding("mov %fs:0x1c, %eax", [0x64, 0x66, 0x8B, 0x06, 0x1C, 0]) { $0.mov(.eax, .fs(0x1C)) },
    Encoding("mov %eax, %fs:0x1008", [0x64, 0x66, 0x89, 0x06, 0x08, 0x10]) { $0.mov(.fs(0x1008), .eax) },
    Encoding("mov %eax, 0x28(%di)", [0x66, 0x89, 0x85, 0x28, 0]) { $0.mov(.di(0x28), .eax) },
    Encoding("mov 0xc(%si), %eax", [0x66, 0x8B, 0x84, 0x0C, 0]) { $0.mov(.eax, .si(12)) },
    Encoding("movl $2, 4(%di)", [0x66, 0xC7, 0x85, 4, 0, 2, 0, 0, 0]) { $0.mov(.di(4), 2) },
    Encoding("mov %al, %fs:0x1008", [0x64, 0x88, 0x06, 0x08, 0x10]) { $0.movAL(.fs(0x1008)) },
    Encoding("mov %ax, 0x10(%di)", [0x89, 0x85, 0x10, 0]) { $0.movAX(.di(0x10)) },
    Encoding("movq 0x800, %mm1", [0x0F, 0x6F, 0x0E, 0x00, 0x08]) { $0.movq(.mm1, .at(0x800)) },
    Encoding("movq %mm0, %fs:0x10", [0x64, 0x0F, 0x7F, 0x06, 0x10, 0]) { $0.movq(.fs(0x10), .mm0) },
    Encoding("add $0x1000193, %edi", [0x66, 0x81, 0xC7, 0x93, 1, 0, 1]) { $0.add(.edi, 0x100_0193) },
    Encoding("add 0x500, %esi", [0x66, 0x03, 0x36, 0, 5]) { $0.add(.esi, .at(0x500)) },
    Encoding("and $0x10000, %eax", [0x66, 0x81, 0xE0, 0, 0, 1, 0]) { $0.and(.eax, 0x1_0000) },
    Encoding("xor $0x10000, %edx", [0x66, 0x81, 0xF2, 0, 0, 1, 0]) { $0.xor(.edx, 0x1_0000) },
    Encoding("xor 0x520, %eax", [0x66, 0x33, 0x06, 0x20, 5]) { $0.xor(.eax, .at(0x520)) },
    Encoding("cmp $8, %eax", [0x66, 0x81, 0xF8, 8, 0, 0, 0]) { $0.cmp(.eax, 8) },
    Encoding("cmp (%di), %eax", [0x66, 0x3B, 0x85, 0, 0]) { $0.cmp(.eax, .di()) },
    Encoding("imul $0x12345678, 0x500, %eax", [0x66, 0x69, 0x06, 0, 5, 0x78, 0x56, 0x34, 0x12]) {
      $0.imul(.eax, .at(0x500), 0x1234_5678)
    },
    Encoding("shl $6, %edi", [0x66, 0xC1, 0xE7, 6]) { $0.shl(.edi, 6) },
    Encoding("inc %eax", [0x66, 0x40]) { $0.inc(.eax) },
    Encoding("incl 0x514", [0x66, 0xFF, 0x06, 0x14, 5]) { $0.inc(.at(0x514)) },
    Encoding("dec %ecx", [0x66, 0x49]) { $0.dec(.ecx) },
    Encoding("out %eax, $0x80", [0x66, 0xE7, 0x80]) { $0.out(0x80) },
    Encoding("out %eax, %dx", [0x66, 0xEF]) { $0.outDX() },
    Encoding("cli; sti; hlt; ret; iret", [0xFA, 0xFB, 0xF4, 0xC3, 0xCF]) {
      $0.cli()
      $0.sti()
      $0.hlt()
      $0.ret()
      $0.iret()
    },
  ]

  @Test(arguments: encodings)
  func encodesAsTheManualSays(_ encoding: Encoding) throws {
    var assembler = Assembler(origin: 0)
    encoding.emit(&assembler)
    #expect(try assembler.assemble() == encoding.bytes)
  }

  @Test func jumpsBackwardAndForward() throws {
    var assembler = Assembler(origin: 0x1000)
    let end = assembler.label()
    let begin = assembler.here()
    assembler.j(.notEqual, end)
    assembler.call(begin)
    assembler.jmp(begin)
    assembler.place(end)
    assembler.j(.below, begin)
    #expect(
      try assembler.assemble() == [
        0x0F, 0x85, 6, 0,  // To 0x100A, from 0x1004.
        0xE8, 0xF9, 0xFF,  // To 0x1000, from 0x1007.
        0xE9, 0xF6, 0xFF,  // From 0x100A.
        0x0F, 0x82, 0xF2, 0xFF,  // From 0x100E.
      ])
    #expect(try assembler.address(of: end) == 0x100A)
    #expect(try assembler.address(of: begin) == 0x1000)
  }

  @Test func conditionsHaveTheirNumbers() throws {
    for (condition, number) in [
      (Assembler.Condition.below, 0x82), (.aboveOrEqual, 0x83), (.equal, 0x84), (.notEqual, 0x85),
    ] as [(Assembler.Condition, UInt8)] {
      var assembler = Assembler(origin: 0)
      let here = assembler.here()
      assembler.j(condition, here)
      #expect(try assembler.assemble() == [0x0F, number, 0xFC, 0xFF])
    }
  }

  @Test func refusesAnUnplacedLabel() {
    var assembler = Assembler(origin: 0)
    let label = assembler.label()
    assembler.jmp(label)
    #expect(throws: Assembler.Failure.unplacedLabel) { try assembler.assemble() }
    #expect(throws: Assembler.Failure.unplacedLabel) { try assembler.address(of: label) }
  }

  @Test func refusesCodeBeyondTheSegment() throws {
    var assembler = Assembler(origin: 0xFFFE)
    assembler.hlt()
    assembler.hlt()
    #expect(try assembler.assemble() == [0xF4, 0xF4])
    let end = assembler.here()
    #expect(throws: Assembler.Failure.tooLong) { try assembler.address(of: end) }
    assembler.hlt()
    #expect(throws: Assembler.Failure.tooLong) { try assembler.assemble() }
  }
}
