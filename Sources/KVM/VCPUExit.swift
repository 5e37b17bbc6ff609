/// Why a vCPU stopped (`KVM_EXIT_*`).
public enum VCPUExit: Equatable, Sendable {
  /// HLT, in a VM without an interrupt controller.
  case halt
  /// The guest reads `count` bytes where no memory is; `VirtualCPU.completeRead` gives it the value.
  case mmioRead(address: UInt64, count: Int)
  /// The guest writes `count` bytes where no memory is; the value's higher bytes are 0.
  case mmioWrite(address: UInt64, count: Int, value: UInt64)
  /// OUT: a value of `count` bytes to an I/O port; of a repeated access (REP OUTS) the first.
  case portWrite(port: UInt16, count: Int, value: UInt32)
  /// IN: `count` bytes of an I/O port; `VirtualCPU.completePortRead` gives it the value.
  case portRead(port: UInt16, count: Int)
  /// A signal, or a kick.
  case interrupted
  /// A triple fault.
  case shutdown
  /// The CPU refuses the guest's state.
  case failedEntry(reason: UInt64)
  /// KVM itself cannot go on; suberror 1: it cannot emulate an instruction.
  case internalError(suberror: UInt32)
  /// Another `KVM_EXIT_*`.
  case other(reason: UInt32)
}
