import CLinux
import Glibc
import LinuxIO

/// Where a program of 32-bit protected mode begins: flat segments from 0 to 4 GiB, no paging, interrupts off.
///
/// It is the state that the PVH boot protocol asks for (Xen, docs/misc/pvh.pandoc).
public struct ProtectedModeEntry: Equatable, Sendable {
  /// EIP.
  public var instructionPointer: UInt32
  /// EBX: with PVH the address of the start info.
  public var ebx: UInt32

  /// Describes an entry.
  public init(instructionPointer: UInt32, ebx: UInt32) {
    self.instructionPointer = instructionPointer
    self.ebx = ebx
  }

  /// CR0: protection enabled (PE); the extension type (ET) reads as 1.
  private static let cr0: UInt64 = 1 << 0 | 1 << 4
  /// Types of segment descriptors (Intel SDM 3A, 3.4.5.1): code, execute and read; data, read and write; both accessed.
  private static let code: UInt8 = 0xB
  private static let data: UInt8 = 0x3
  /// A busy 32-bit TSS (3.5).
  private static let busyTSS: UInt8 = 0xB
  /// The limit of the smallest TSS.
  private static let tssLimit: UInt32 = 0x67

  /// The segment registers, out of those of a vCPU after a reset.
  func applied(to reset: kvm_sregs) -> kvm_sregs {
    var registers = reset
    registers.cr0 = ProtectedModeEntry.cr0
    registers.cr4 = 0
    registers.efer = 0
    registers.cs = ProtectedModeEntry.segment(selector: 0x10, type: ProtectedModeEntry.code)
    let data = ProtectedModeEntry.segment(selector: 0x18, type: ProtectedModeEntry.data)
    for register in [\kvm_sregs.ds, \.es, \.fs, \.gs, \.ss] { registers[keyPath: register] = data }
    registers.tr.base = 0
    registers.tr.limit = ProtectedModeEntry.tssLimit
    registers.tr.type = ProtectedModeEntry.busyTSS
    registers.tr.present = 1
    registers.tr.s = 0
    registers.tr.g = 0
    return registers
  }

  private static func segment(selector: UInt16, type: UInt8) -> kvm_segment {
    var segment = kvm_segment()
    segment.limit = 0xFFFF_FFFF
    segment.selector = selector
    segment.type = type
    segment.present = 1
    segment.db = 1
    segment.s = 1
    segment.g = 1
    return segment
  }
}

extension VirtualCPU {
  /// Sets the vCPU to the begin of a program of protected mode.
  ///
  /// - Throws: the `errno` of `KVM_GET_SREGS`, `KVM_SET_SREGS` or `KVM_SET_REGS`.
  public borrowing func enterProtectedMode(_ entry: ProtectedModeEntry) throws(Errno) {
    let number = descriptor.rawValue
    var segments = kvm_sregs()
    try kvmCall { unsafe ioctl(number, CLINUX_KVM_GET_SREGS, &segments) }
    segments = entry.applied(to: segments)
    try kvmCall { unsafe ioctl(number, CLINUX_KVM_SET_SREGS, &segments) }
    var registers = kvm_regs()
    registers.rip = UInt64(entry.instructionPointer)
    registers.rbx = UInt64(entry.ebx)
    registers.rflags = 2  // Bit 1 is always 1.
    try kvmCall { unsafe ioctl(number, CLINUX_KVM_SET_REGS, &registers) }
  }
}
