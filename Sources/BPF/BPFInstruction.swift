/// One instruction of the BPF machine, 8 bytes (Linux, Documentation/bpf/standardization/instruction-set.rst).
///
/// Only what the programs of this daemon need, by name; each initializer is one instruction of the standard.
public struct BPFInstruction: Equatable, Sendable {
  /// Class, operation and operand kind.
  public let opcode: UInt8
  /// The register that is written, or the base of a store; the left side of a comparison.
  public let destination: UInt8
  /// The other register; or a kind of immediate (`mapValue`, `mapDescriptor`).
  public let source: UInt8
  /// Of a jump: instructions after the next; of a load or store: bytes from the base.
  public let offset: Int16
  /// The constant.
  public let immediate: Int32

  init(_ opcode: UInt8, _ destination: UInt8, _ source: UInt8, _ offset: Int16, _ immediate: Int32) {
    self.opcode = opcode
    self.destination = destination
    self.source = source
    self.offset = offset
    self.immediate = immediate
  }

  /// As the kernel takes it: `struct bpf_insn` of a little-endian machine as one word.
  public var encoded: UInt64 {
    UInt64(opcode) | UInt64(destination & 0xf) << 8 | UInt64(source & 0xf) << 12
      | UInt64(UInt16(bitPattern: offset)) << 16 | UInt64(UInt32(bitPattern: immediate)) << 32
  }

  /// How many bytes a load or store moves.
  public enum Width: UInt8, Sendable {
    /// 1 byte, zero-extended by a load.
    case byte = 0x10
    /// 4 bytes, zero-extended by a load.
    case word = 0x00
    /// 8 bytes.
    case doubleWord = 0x18
  }

  /// A calculation on 64 bits.
  public enum Operation: UInt8, Sendable {
    case add = 0x00
    case and = 0x50
    case shiftRight = 0x70
    case move = 0xb0
  }

  /// A comparison; unsigned.
  public enum Condition: UInt8, Sendable {
    case equal = 0x10
    case greater = 0x20
    case notEqual = 0x50
  }

  // MARK: Calculation

  /// `destination = destination operation constant`; the constant is sign-extended.
  public static func calculate(_ operation: Operation, _ destination: BPFRegister, _ constant: Int32) -> BPFInstruction
  {
    BPFInstruction(0x07 | operation.rawValue, destination.rawValue, 0, 0, constant)
  }

  /// `destination = destination operation source`.
  public static func calculate(
    _ operation: Operation, _ destination: BPFRegister, _ source: BPFRegister
  ) -> BPFInstruction {
    BPFInstruction(0x0f | operation.rawValue, destination.rawValue, source.rawValue, 0, 0)
  }

  // MARK: Memory

  /// `destination = *(base + offset)`.
  public static func load(
    _ width: Width, _ destination: BPFRegister, _ base: BPFRegister, _ offset: Int16
  ) -> BPFInstruction {
    BPFInstruction(0x61 | width.rawValue, destination.rawValue, base.rawValue, offset, 0)
  }

  /// `*(base + offset) = source`, in one store where the address is aligned.
  public static func store(
    _ width: Width, _ base: BPFRegister, _ offset: Int16, _ source: BPFRegister
  ) -> BPFInstruction {
    BPFInstruction(0x63 | width.rawValue, base.rawValue, source.rawValue, offset, 0)
  }

  /// `*(base + offset) = constant`.
  public static func store(_ width: Width, _ base: BPFRegister, _ offset: Int16, _ constant: Int32) -> BPFInstruction {
    BPFInstruction(0x62 | width.rawValue, base.rawValue, 0, offset, constant)
  }

  /// `*(base + offset) += source`, atomically.
  public static func atomicAdd(
    _ width: Width, _ base: BPFRegister, _ offset: Int16, _ source: BPFRegister
  ) -> BPFInstruction {
    BPFInstruction(0xc3 | width.rawValue, base.rawValue, source.rawValue, offset, 0)
  }

  // MARK: Maps

  /// `destination = map`, two instructions; for a call that takes a map.
  public static func map(_ destination: BPFRegister, descriptor: Int32) -> [BPFInstruction] {
    wide(destination, kind: 1, descriptor, 0)
  }

  /// `destination = address of the byte `offset` of the map's only element`, two instructions. For an array map of one
  /// element: the access needs no look-up.
  public static func mapValue(_ destination: BPFRegister, descriptor: Int32, offset: Int32) -> [BPFInstruction] {
    wide(destination, kind: 2, descriptor, offset)
  }

  private static func wide(
    _ destination: BPFRegister, kind: UInt8, _ low: Int32, _ high: Int32
  ) -> [BPFInstruction] {
    [BPFInstruction(0x18, destination.rawValue, kind, 0, low), BPFInstruction(0, 0, 0, 0, high)]
  }

  // MARK: Control

  /// Calls a function of the kernel: r0 is what it returns.
  public static func call(_ helper: BPFHelper) -> BPFInstruction { BPFInstruction(0x85, 0, 0, 0, helper.rawValue) }

  /// Ends the program: r0 is its result.
  public static var exit: BPFInstruction { BPFInstruction(0x95, 0, 0, 0, 0) }

  /// Goes on `distance` instructions after the next where `left` (64 bits) compares so with the constant.
  public static func jump(
    _ condition: Condition, _ left: BPFRegister, _ constant: Int32, _ distance: Int16
  ) -> BPFInstruction {
    BPFInstruction(0x05 | condition.rawValue, left.rawValue, 0, distance, constant)
  }

  /// The same for the lower 32 bits of `left`.
  public static func jump32(
    _ condition: Condition, _ left: BPFRegister, _ constant: Int32, _ distance: Int16
  ) -> BPFInstruction {
    BPFInstruction(0x06 | condition.rawValue, left.rawValue, 0, distance, constant)
  }
}

/// A function of the kernel that a program can call: `enum bpf_func_id` (linux/bpf.h).
public enum BPFHelper: Int32, Sendable {
  /// `r1` map, `r2` key: the address of the value, or 0.
  case mapLookup = 1
  /// The process (TGID) in the upper half, the thread in the lower, as the first PID namespace numbers them.
  case currentProcessAndThread = 14
  /// `r1` where to, `r2` bytes, `r3` kernel address: 0, or a negative error.
  case probeReadKernel = 113
}
