/// Writes the instructions of a program one after the other; jumps go forward to labels.
public struct BPFAssembler: Sendable {
  /// A place in the program that jumps go to.
  public struct Label: Equatable, Sendable {
    fileprivate let index: Int
  }

  /// Why a program cannot be assembled.
  public enum Failure: Error, Equatable, Sendable {
    /// A jump goes to a label that was not put anywhere.
    case unplacedLabel
    /// A jump goes back, which could loop, or farther than 32,767 instructions.
    case distance
  }

  private var instructions: [BPFInstruction] = []
  private var places: [Int?] = []
  private var jumps: [(at: Int, to: Label)] = []

  /// An empty program.
  public init() {}

  /// A label for jumps to a place that is not there yet.
  public mutating func label() -> Label {
    places.append(nil)
    return Label(index: places.count - 1)
  }

  /// Puts a label here.
  public mutating func place(_ label: Label) { places[label.index] = instructions.count }

  /// Adds an instruction that is no jump.
  public mutating func add(_ instruction: BPFInstruction) { instructions.append(instruction) }

  /// Adds an instruction of two words.
  public mutating func add(_ words: [BPFInstruction]) { instructions += words }

  /// Goes to `label` where `left` (64 bits) compares so with the constant.
  public mutating func jump(
    _ condition: BPFInstruction.Condition, _ left: BPFRegister, _ constant: Int32, to label: Label
  ) {
    jumps.append((instructions.count, label))
    instructions.append(.jump(condition, left, constant, 0))
  }

  /// The same for the lower 32 bits of `left`.
  public mutating func jump32(
    _ condition: BPFInstruction.Condition, _ left: BPFRegister, _ constant: Int32, to label: Label
  ) {
    jumps.append((instructions.count, label))
    instructions.append(.jump32(condition, left, constant, 0))
  }

  /// The program.
  public func assemble() throws(Failure) -> [BPFInstruction] {
    var result = instructions
    for jump in jumps {
      guard let place = places[jump.to.index] else { throw .unplacedLabel }
      guard place > jump.at, let distance = Int16(exactly: place - jump.at - 1) else { throw .distance }
      let open = result[jump.at]
      result[jump.at] = BPFInstruction(open.opcode, open.destination, open.source, distance, open.immediate)
    }
    return result
  }
}
