/// Makes x86 machine code for real mode, one named instruction at a time.
///
/// Operands have 32 bits unless an instruction says otherwise, addresses 16: instructions of 32 bits carry the operand
/// size prefix (66h). Names and encodings are those of the Intel SDM, volume 2. Only what guests of this room need is here,
/// and only encodings that KVM's instruction emulator knows.
public struct Assembler: Sendable {
  /// A 32-bit register, with its number in encodings.
  public enum Register: UInt8, Sendable {
    /// EAX.
    case eax = 0
    /// ECX.
    case ecx
    /// EDX.
    case edx
    /// EBX.
    case ebx
    /// ESP.
    case esp
    /// EBP.
    case ebp
    /// ESI.
    case esi
    /// EDI.
    case edi
  }

  /// A 64-bit register of MMX, with its number in encodings: for stores of 8 bytes, which real mode has no others of.
  public enum MMXRegister: UInt8, Sendable {
    /// MM0.
    case mm0 = 0
    /// MM1.
    case mm1
  }

  /// A place in memory: a displacement, with a base register or without, in a segment.
  public struct Memory: Equatable, Sendable {
    /// The segment override prefix; nil: DS.
    var segmentPrefix: UInt8?
    /// The ModRM byte without its register field: mod 00 rm 110 for a displacement alone, else mod 10.
    var mode: UInt8 = 0x06
    /// The displacement.
    var displacement: UInt16

    /// DS:displacement.
    public static func at(_ displacement: UInt16) -> Memory { Memory(displacement: displacement) }
    /// DS:[SI + displacement].
    public static func si(_ displacement: UInt16 = 0) -> Memory { Memory(mode: 0x84, displacement: displacement) }
    /// DS:[DI + displacement].
    public static func di(_ displacement: UInt16 = 0) -> Memory { Memory(mode: 0x85, displacement: displacement) }
    /// FS:displacement.
    public static func fs(_ displacement: UInt16) -> Memory {
      Memory(segmentPrefix: 0x64, displacement: displacement)
    }
    /// GS:displacement.
    public static func gs(_ displacement: UInt16) -> Memory {
      Memory(segmentPrefix: 0x65, displacement: displacement)
    }
  }

  /// A condition of Jcc, with its number in encodings.
  public enum Condition: UInt8, Sendable {
    /// B: below, unsigned.
    case below = 0x2
    /// AE: above or equal, unsigned.
    case aboveOrEqual = 0x3
    /// E, Z: equal, zero.
    case equal = 0x4
    /// NE, NZ: not equal, not zero.
    case notEqual = 0x5
  }

  /// A place in the code, which may come later than its use.
  public struct Label: Hashable, Sendable {
    fileprivate let number: Int
  }

  /// What makes code impossible.
  public enum Failure: Error, Equatable, Sendable {
    /// A label is used and never placed.
    case unplacedLabel
    /// The code passes the end of the 64 KiB segment.
    case tooLong
  }

  /// Where the code begins in its segment.
  public let origin: UInt16
  private var bytes: [UInt8] = []
  private var places: [Int: Int] = [:]
  private var labelCount = 0
  private var jumps: [(field: Int, label: Label)] = []

  /// Begins code at `origin`.
  public init(origin: UInt16) { self.origin = origin }

  // MARK: Labels

  /// A label that is placed later.
  public mutating func label() -> Label {
    labelCount += 1
    return Label(number: labelCount - 1)
  }

  /// Places a label at the next instruction. The last place counts.
  public mutating func place(_ label: Label) { places[label.number] = bytes.count }

  /// A label at the next instruction.
  public mutating func here() -> Label {
    let label = label()
    place(label)
    return label
  }

  /// The finished code.
  ///
  /// - Throws: `unplacedLabel`, `tooLong`.
  public func assemble() throws(Failure) -> [UInt8] {
    guard Int(origin) + bytes.count <= 0x1_0000 else { throw .tooLong }
    var code = bytes
    for jump in jumps {
      guard let place = places[jump.label.number] else { throw .unplacedLabel }
      // Relative to the next instruction, modulo 64 KiB.
      let distance = UInt16(truncatingIfNeeded: place - (jump.field + 2))
      code[jump.field] = UInt8(truncatingIfNeeded: distance)
      code[jump.field + 1] = UInt8(truncatingIfNeeded: distance >> 8)
    }
    return code
  }

  /// Where a label lies in the segment.
  ///
  /// - Throws: `unplacedLabel`, `tooLong`.
  public func address(of label: Label) throws(Failure) -> UInt16 {
    guard let place = places[label.number] else { throw .unplacedLabel }
    guard let address = UInt16(exactly: Int(origin) + place) else { throw .tooLong }
    return address
  }

  // MARK: Moves

  /// MOV register, immediate.
  public mutating func mov(_ destination: Register, _ value: UInt32) {
    emit([0x66, 0xB8 | destination.rawValue])
    emit(value)
  }

  /// MOV register, memory.
  public mutating func mov(_ destination: Register, _ source: Memory) { emit(0x8B, destination.rawValue, source) }

  /// MOV memory, register.
  public mutating func mov(_ destination: Memory, _ source: Register) { emit(0x89, source.rawValue, destination) }

  /// MOV memory, immediate.
  public mutating func mov(_ destination: Memory, _ value: UInt32) {
    emit(0xC7, 0, destination)
    emit(value)
  }

  /// MOV memory, AL: 8 bits.
  public mutating func movAL(_ destination: Memory) { emit([0x88], Register.eax.rawValue, destination) }

  /// MOV memory, AX: 16 bits.
  public mutating func movAX(_ destination: Memory) { emit([0x89], Register.eax.rawValue, destination) }

  /// MOVQ register, memory: 64 bits.
  public mutating func movq(_ destination: MMXRegister, _ source: Memory) {
    emit([0x0F, 0x6F], destination.rawValue, source)
  }

  /// MOVQ memory, register: 64 bits.
  public mutating func movq(_ destination: Memory, _ source: MMXRegister) {
    emit([0x0F, 0x7F], source.rawValue, destination)
  }

  // MARK: Arithmetic

  /// The two-operand instructions that share a scheme of encodings, with their number in it.
  private enum Operation: UInt8 {
    case add = 0
    case and = 4
    case xor = 6
    case cmp = 7
  }

  /// ADD register, immediate.
  public mutating func add(_ destination: Register, _ value: UInt32) { emit(.add, destination, value) }
  /// ADD register, memory.
  public mutating func add(_ destination: Register, _ source: Memory) { emit(.add, destination, source) }
  /// AND register, immediate.
  public mutating func and(_ destination: Register, _ value: UInt32) { emit(.and, destination, value) }
  /// XOR register, immediate.
  public mutating func xor(_ destination: Register, _ value: UInt32) { emit(.xor, destination, value) }
  /// XOR register, memory.
  public mutating func xor(_ destination: Register, _ source: Memory) { emit(.xor, destination, source) }
  /// CMP register, immediate.
  public mutating func cmp(_ left: Register, _ value: UInt32) { emit(.cmp, left, value) }
  /// CMP register, memory.
  public mutating func cmp(_ left: Register, _ right: Memory) { emit(.cmp, left, right) }

  /// IMUL register, memory, immediate: the low 32 bits of the product.
  public mutating func imul(_ destination: Register, _ source: Memory, _ value: UInt32) {
    emit(0x69, destination.rawValue, source)
    emit(value)
  }

  /// SHL register, immediate.
  public mutating func shl(_ destination: Register, _ count: UInt8) {
    emit([0x66, 0xC1, 0xE0 | destination.rawValue, count])
  }

  /// INC register.
  public mutating func inc(_ destination: Register) { emit([0x66, 0x40 | destination.rawValue]) }
  /// INC memory.
  public mutating func inc(_ destination: Memory) { emit(0xFF, 0, destination) }
  /// DEC register.
  public mutating func dec(_ destination: Register) { emit([0x66, 0x48 | destination.rawValue]) }

  // MARK: Control

  /// JMP label.
  public mutating func jmp(_ target: Label) {
    emit([0xE9])
    emit(target)
  }

  /// Jcc label.
  public mutating func j(_ condition: Condition, _ target: Label) {
    emit([0x0F, 0x80 | condition.rawValue])
    emit(target)
  }

  /// CALL label.
  public mutating func call(_ target: Label) {
    emit([0xE8])
    emit(target)
  }

  /// RET.
  public mutating func ret() { emit([0xC3]) }
  /// IRET: 16 bits, as an interrupt of real mode pushes them.
  public mutating func iret() { emit([0xCF]) }
  /// CLI: interrupts off.
  public mutating func cli() { emit([0xFA]) }
  /// STI: interrupts on after the next instruction, so that none comes between STI and HLT.
  public mutating func sti() { emit([0xFB]) }
  /// HLT: sleeps until an interrupt.
  public mutating func hlt() { emit([0xF4]) }
  /// OUT port, EAX.
  public mutating func out(_ port: UInt8) { emit([0x66, 0xE7, port]) }
  /// OUT DX, EAX: to the port in the low 16 bits of EDX.
  public mutating func outDX() { emit([0x66, 0xEF]) }

  // MARK: Encoding

  private mutating func emit(_ more: [UInt8]) { bytes += more }

  private mutating func emit(_ value: UInt32) {
    for index in 0..<4 { bytes.append(UInt8(truncatingIfNeeded: value >> UInt32(8 * index))) }
  }

  /// A relative field of 16 bits, filled in when labels are known.
  private mutating func emit(_ target: Label) {
    jumps.append((bytes.count, target))
    emit([0, 0])
  }

  /// An instruction with a register (or the number of a variant) and a place in memory.
  private mutating func emit(_ opcode: UInt8, _ register: UInt8, _ memory: Memory) {
    emit([0x66, opcode], register, memory)
  }

  /// The same with the operand size that `opcode` has by itself: it is all that comes between the segment override prefix
  /// and the ModRM byte.
  private mutating func emit(_ opcode: [UInt8], _ register: UInt8, _ memory: Memory) {
    if let prefix = memory.segmentPrefix { bytes.append(prefix) }
    emit(opcode)
    emit([
      memory.mode | register << 3, UInt8(truncatingIfNeeded: memory.displacement),
      UInt8(truncatingIfNeeded: memory.displacement >> 8),
    ])
  }

  private mutating func emit(_ operation: Operation, _ destination: Register, _ value: UInt32) {
    emit([0x66, 0x81, 0xC0 | operation.rawValue << 3 | destination.rawValue])
    emit(value)
  }

  private mutating func emit(_ operation: Operation, _ destination: Register, _ source: Memory) {
    emit(operation.rawValue << 3 | 3, destination.rawValue, source)
  }
}
