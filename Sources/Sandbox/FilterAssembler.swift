import CLinux

/// Assembles the classic BPF program of a seccomp filter (`seccomp(2)`, `struct seccomp_data`).
///
/// Each rule is a block of its own that ends with an answer, so that no jump is longer than its block.
struct FilterAssembler {
  /// The most instructions of a program (`BPF_MAXINSNS`).
  static let limit = 4096

  /// Opcodes of classic BPF that filters are made of (`linux/bpf_common.h`).
  enum Opcode: UInt16 {
    /// `BPF_LD | BPF_W | BPF_ABS`: loads 32 bits of the call's data.
    case load = 0x20
    /// `BPF_JMP | BPF_JEQ | BPF_K`
    case jumpIfEqual = 0x15
    /// `BPF_JMP | BPF_JGE | BPF_K`
    case jumpIfAtLeast = 0x35
    /// `BPF_ALU | BPF_AND | BPF_K`
    case and = 0x54
    /// `BPF_RET | BPF_K`
    case answer = 0x06
  }

  /// Offsets in `struct seccomp_data`.
  enum Offset {
    static let number: UInt32 = 0
    static let architecture: UInt32 = 4
    static func argument(_ index: Int) -> UInt32 { 16 + 8 * UInt32(index) }
  }

  private(set) var instructions: [sock_filter] = []

  /// Assembles a filter.
  ///
  /// - Parameters:
  ///   - rules: each system call at most once; the first ones are found with the least work.
  ///   - refusal: what the filter answers to everything else.
  init(rules: [SystemCallRule], refusal: FilterAction) {
    // Numbers mean other calls in another architecture, and in x32 too.
    emit(.load, Offset.architecture)
    emit(.jumpIfEqual, CLINUX_AUDIT_ARCH, then: 1)
    emit(.answer, FilterAction.killProcess.rawValue)
    emit(.load, Offset.number)
    #if arch(x86_64)
      emit(.jumpIfAtLeast, 0x4000_0000, otherwise: 1)
      emit(.answer, FilterAction.killProcess.rawValue)
    #endif
    for rule in rules {
      let block = FilterAssembler.block(rule, refusal)
      emit(.jumpIfEqual, rule.number, otherwise: UInt8(clamping: block.count))
      instructions += block
    }
    emit(.answer, refusal.rawValue)
  }

  /// What is done for a call of a rule; it never goes on behind it.
  private static func block(_ rule: SystemCallRule, _ refusal: FilterAction) -> [sock_filter] {
    let refused = instruction(.answer, (rule.otherwise ?? refusal).rawValue)
    var block: [sock_filter] = []
    for condition in rule.conditions {
      block.append(instruction(.load, Offset.argument(condition.argument)))
      if condition.mask != .max { block.append(instruction(.and, condition.mask)) }
      for (index, value) in condition.values.enumerated() {
        // Over the comparisons that are left and the refusal.
        let rest = condition.values.count - index - 1
        block.append(instruction(.jumpIfEqual, value, then: UInt8(clamping: rest + 1)))
      }
      block.append(refused)
    }
    return block + [instruction(.answer, FilterAction.allow.rawValue)]
  }

  private mutating func emit(_ opcode: Opcode, _ value: UInt32, then: UInt8 = 0, otherwise: UInt8 = 0) {
    instructions.append(FilterAssembler.instruction(opcode, value, then: then, otherwise: otherwise))
  }

  private static func instruction(
    _ opcode: Opcode, _ value: UInt32, then: UInt8 = 0, otherwise: UInt8 = 0
  ) -> sock_filter {
    sock_filter(code: opcode.rawValue, jt: then, jf: otherwise, k: value)
  }
}
