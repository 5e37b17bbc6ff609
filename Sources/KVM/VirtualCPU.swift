import CLinux
import Glibc
import LinuxIO

/// The owner of a vCPU and of the memory that it shares with its user (`struct kvm_run`).
///
/// One thread at a time; KVM runs the guest on the thread that calls `run()`.
/// Source: Linux, Documentation/virt/kvm/api.rst, "vcpu ioctls" and 5, "The kvm_run structure".
@safe public struct VirtualCPU: ~Copyable, Sendable {
  let descriptor: FileDescriptor
  private let mapping: MemoryMapping
  /// Which byte of the shared memory ends `KVM_RUN` at once.
  private static let immediateExitOffset = MemoryLayout<kvm_run>.offset(of: \.immediate_exit) ?? 1

  init(_ descriptor: consuming FileDescriptor, runMappingSize: Int) throws(Errno) {
    mapping = try MemoryMapping(
      fd: descriptor.rawValue, offset: 0, count: runMappingSize, [.read, .write])
    self.descriptor = descriptor
  }

  private var state: UnsafeMutablePointer<kvm_run> { unsafe mapping.base.assumingMemoryBound(to: kvm_run.self) }

  /// The byte that `VCPUKick` sets.
  var immediateExit: UnsafeMutablePointer<UInt8> {
    unsafe (mapping.base + VirtualCPU.immediateExitOffset).assumingMemoryBound(to: UInt8.self)
  }

  /// Takes the writes that KVM has kept (`VirtualMachine.coalesceWrites`), oldest first; while the vCPU does not run.
  ///
  /// - Parameter page: where they are, in pages: what `KVMSystem.checkExtension(KVM_CAP_COALESCED_MMIO)` answers.
  public mutating func takeCoalescedWrites(page: Int32) -> [CoalescedWrite] {
    let start = Int(page) * 4096
    guard page > 0, start + 4096 <= mapping.count else { return [] }
    return unsafe CoalescedWrite.take(mapping.base + start)
  }

  /// Where a real-mode program begins, and the segment bases that it needs.
  public struct RealModeEntry: Equatable, Sendable {
    /// IP; the code segment begins at 0.
    public var instructionPointer: UInt16
    /// SP; the stack segment begins at 0.
    public var stackPointer: UInt16
    /// Where FS begins. A real CPU computes the base from the selector, below 1 MiB; KVM takes any.
    public var fsBase: UInt64
    /// Where GS begins.
    public var gsBase: UInt64

    /// Describes an entry.
    public init(instructionPointer: UInt16, stackPointer: UInt16 = 0, fsBase: UInt64 = 0, gsBase: UInt64 = 0) {
      self.instructionPointer = instructionPointer
      self.stackPointer = stackPointer
      self.fsBase = fsBase
      self.gsBase = gsBase
    }
  }

  /// Sets the vCPU to the begin of a real-mode program: CS, DS, ES and SS begin at 0; interrupts are off.
  ///
  /// - Throws: the `errno` of `KVM_GET_SREGS`, `KVM_SET_SREGS` or `KVM_SET_REGS`.
  public borrowing func enterRealMode(_ entry: RealModeEntry) throws(Errno) {
    let number = descriptor.rawValue
    var segments = kvm_sregs()
    try kvmCall { unsafe ioctl(number, CLINUX_KVM_GET_SREGS, &segments) }
    for segment in [\kvm_sregs.cs, \.ds, \.es, \.ss, \.fs, \.gs] {
      segments[keyPath: segment].base = 0
      segments[keyPath: segment].selector = 0
      segments[keyPath: segment].limit = 0xFFFF
    }
    segments.fs.base = entry.fsBase
    segments.gs.base = entry.gsBase
    try kvmCall { unsafe ioctl(number, CLINUX_KVM_SET_SREGS, &segments) }
    var registers = kvm_regs()
    registers.rip = UInt64(entry.instructionPointer)
    registers.rsp = UInt64(entry.stackPointer)
    registers.rflags = 2  // Bit 1 is always 1.
    try kvmCall { unsafe ioctl(number, CLINUX_KVM_SET_REGS, &registers) }
  }

  /// Lets the time stamp counter run at the rate at which the host's does now; before the vCPU runs.
  ///
  /// A new vCPU has the rate that the host's had when KVM was loaded. Where the kernel has corrected its calibration since
  /// then, and the CPU cannot scale, KVM refuses that rate and leaves the vCPU without any: its deadline timer never fires.
  ///
  /// - Throws: the `errno` of `KVM_SET_TSC_KHZ`.
  public borrowing func useHostTSCRate() throws(Errno) {
    let number = descriptor.rawValue
    try kvmCall { clinux_kvm_ioctl_value(number, CLINUX_KVM_SET_TSC_KHZ, 0) }
  }

  /// Runs the guest until it needs the VMM.
  ///
  /// - Throws: the `errno` of `KVM_RUN`.
  public mutating func run() throws(Errno) -> VCPUExit {
    if clinux_kvm_ioctl_value(descriptor.rawValue, CLINUX_KVM_RUN, 0) == -1 {
      let error = Errno.current
      if error == .interrupted || error == .wouldBlock { return .interrupted }
      throw error
    }
    let reason = unsafe state.pointee.exit_reason
    switch Int32(bitPattern: reason) {
    case KVM_EXIT_HLT: return .halt
    case KVM_EXIT_MMIO: return mmioExit()
    case KVM_EXIT_IO: return portExit()
    case KVM_EXIT_INTR: return .interrupted
    case KVM_EXIT_SHUTDOWN: return .shutdown
    case KVM_EXIT_FAIL_ENTRY:
      return .failedEntry(reason: unsafe state.pointee.fail_entry.hardware_entry_failure_reason)
    case KVM_EXIT_INTERNAL_ERROR: return .internalError(suberror: unsafe state.pointee.internal.suberror)
    default: return .other(reason: reason)
    }
  }

  /// Gives the guest the value that it reads: after `mmioRead`, before the next `run()`.
  public mutating func completeRead(_ value: UInt64) {
    unsafe withUnsafeMutableBytes(of: &state.pointee.mmio.data) {
      unsafe $0.storeBytes(of: value.littleEndian, as: UInt64.self)
    }
  }

  /// Gives the guest the value that it reads from a port: after `portRead`, before the next `run()`.
  ///
  /// A repeated access (REP INS) reads the same value each time.
  public mutating func completePortRead(_ value: UInt32) {
    let access = unsafe state.pointee.io
    let count = Int(min(access.size, 4))
    let total = UInt64(count) * UInt64(access.count)
    // KVM tells where in the mapping the data lies.
    guard access.data_offset <= UInt64(mapping.count), total <= UInt64(mapping.count) - access.data_offset else {
      return
    }
    for index in 0..<Int(total) {
      let byte = UInt8(truncatingIfNeeded: value >> UInt32(8 * (index % count)))
      unsafe mapping.base.storeBytes(of: byte, toByteOffset: Int(access.data_offset) + index, as: UInt8.self)
    }
  }

  private func mmioExit() -> VCPUExit {
    let access = unsafe state.pointee.mmio
    let count = Int(min(access.len, 8))
    guard access.is_write != 0 else { return .mmioRead(address: access.phys_addr, count: count) }
    let bytes = access.data
    let all = unsafe withUnsafeBytes(of: bytes) { unsafe UInt64(littleEndian: $0.load(as: UInt64.self)) }
    let value = count == 8 ? all : all & ((1 << UInt64(8 * count)) &- 1)
    return .mmioWrite(address: access.phys_addr, count: count, value: value)
  }

  private func portExit() -> VCPUExit {
    let access = unsafe state.pointee.io
    let count = Int(min(access.size, 4))
    guard Int32(access.direction) == KVM_EXIT_IO_OUT else { return .portRead(port: access.port, count: count) }
    var value: UInt32 = 0
    // KVM tells where in the mapping the data lies.
    if access.data_offset <= UInt64(mapping.count - 4) {
      for index in 0..<count {
        let byte = unsafe mapping.base.load(fromByteOffset: Int(access.data_offset) + index, as: UInt8.self)
        value |= UInt32(byte) << UInt32(8 * index)
      }
    }
    return .portWrite(port: access.port, count: count, value: value)
  }
}
