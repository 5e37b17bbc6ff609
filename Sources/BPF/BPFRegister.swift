/// A register of the BPF machine (Linux, Documentation/bpf/standardization/instruction-set.rst, "Registers and calling
/// convention").
public enum BPFRegister: UInt8, CaseIterable, Sendable {
  /// What a call returns, and the program.
  case r0
  /// First argument of a call; at the program's begin its context. A call leaves nothing in r1 to r5.
  case r1
  /// Second argument.
  case r2
  /// Third argument.
  case r3
  /// Fourth argument.
  case r4
  /// Fifth argument.
  case r5
  /// Kept across calls, as r7 to r9.
  case r6
  case r7
  case r8
  case r9
  /// The end of the program's stack of 512 bytes, which is below it; read only.
  case r10
}
