import CLinux
import Glibc
import LinuxIO

/// The owner of a VM: its memory map, interrupt routes and eventfds.
///
/// KVM lets only the process that made it use it: every call from another answers `EIO`. Any thread of that process.
/// Source: Linux, Documentation/virt/kvm/api.rst, "VM ioctls".
public struct VirtualMachine: ~Copyable, Sendable {
  /// Three pages below 4 GiB that no guest of this room uses; KVM keeps its TSS for real mode there on some CPUs.
  private static let tssAddress: UInt = 0xFFFB_D000

  private let descriptor: FileDescriptor
  private let runMappingSize: Int

  /// Makes a VM without memory and vCPUs.
  ///
  /// - Throws: the `errno` of `KVM_CREATE_VM` or `KVM_SET_TSS_ADDR`.
  public init(_ system: borrowing KVMSystem) throws(Errno) {
    let kvm = system.descriptor.rawValue
    let number = try kvmCall { clinux_kvm_ioctl_value(kvm, CLINUX_KVM_CREATE_VM, 0) }
    let descriptor = FileDescriptor(owning: number)
    try descriptor.setCloseOnExec(true)
    try kvmCall { clinux_kvm_ioctl_value(number, CLINUX_KVM_SET_TSS_ADDR, VirtualMachine.tssAddress) }
    self.descriptor = descriptor
    runMappingSize = system.runMappingSize
  }

  /// Puts memory of this process into the guest.
  ///
  /// - Parameters:
  ///   - slot: the number of the range; a number twice replaces it.
  ///   - address: where the guest sees it; a multiple of 4 KiB.
  ///   - memory: the memory; it must stay mapped as long as a vCPU runs.
  /// - Throws: the `errno` of `KVM_SET_USER_MEMORY_REGION`: `EEXIST` where ranges overlap.
  public borrowing func setMemory(
    slot: UInt32 = 0, at address: UInt64 = 0, _ memory: borrowing MemoryMapping
  ) throws(Errno) {
    var region = kvm_userspace_memory_region()
    region.slot = slot
    region.guest_phys_addr = address
    region.memory_size = UInt64(memory.count)
    region.userspace_addr = UInt64(UInt(bitPattern: unsafe memory.base))
    let number = descriptor.rawValue
    try kvmCall { unsafe ioctl(number, CLINUX_KVM_SET_USER_MEMORY_REGION, &region) }
  }

  /// Gives the VM an I/O APIC, and each vCPU made from now on a local APIC. Then HLT waits in the kernel.
  ///
  /// - Throws: the `errno` of `KVM_CREATE_IRQCHIP`.
  public borrowing func createInterruptController() throws(Errno) {
    let number = descriptor.rawValue
    try kvmCall { clinux_kvm_ioctl_value(number, CLINUX_KVM_CREATE_IRQCHIP, 0) }
  }

  /// Replaces the whole table of interrupt routes.
  ///
  /// - Throws: the `errno` of `KVM_SET_GSI_ROUTING`: `EINVAL` for a GSI beyond KVM's limit (4096).
  public borrowing func setRoutes(_ routes: [MSIRoute]) throws(Errno) {
    let number = descriptor.rawValue
    let header = MemoryLayout<kvm_irq_routing>.size
    let entry = MemoryLayout<kvm_irq_routing_entry>.stride
    try unsafe withUnsafeTemporaryAllocation(
      byteCount: header + entry * routes.count, alignment: MemoryLayout<kvm_irq_routing_entry>.alignment
    ) { (table) throws(Errno) in
      unsafe table.storeBytes(of: UInt32(truncatingIfNeeded: routes.count), toByteOffset: 0, as: UInt32.self)
      unsafe table.storeBytes(of: 0, toByteOffset: 4, as: UInt32.self)
      for (index, route) in routes.enumerated() {
        unsafe table.storeBytes(
          of: route.encoded, toByteOffset: header + index * entry, as: kvm_irq_routing_entry.self)
      }
      guard let base = table.baseAddress else { throw .invalidArgument }
      try kvmCall { unsafe ioctl(number, CLINUX_KVM_SET_GSI_ROUTING, base) }
    }
  }

  /// Lets the signal of an eventfd raise an interrupt, without this process.
  ///
  /// - Parameters:
  ///   - event: the eventfd; KVM holds it until the VM is gone.
  ///   - gsi: the route.
  /// - Throws: the `errno` of `KVM_IRQFD`: `EBUSY` for an eventfd that already is one.
  public borrowing func assign(_ event: borrowing EventFD, gsi: UInt32) throws(Errno) {
    var irqfd = kvm_irqfd()
    irqfd.fd = UInt32(bitPattern: event.rawValue)
    irqfd.gsi = gsi
    let number = descriptor.rawValue
    try kvmCall { unsafe ioctl(number, CLINUX_KVM_IRQFD, &irqfd) }
  }

  /// Lets writes to a guest-physical address signal an eventfd, without an exit.
  ///
  /// - Throws: the `errno` of `KVM_IOEVENTFD`: `EEXIST` where the write already has one; `EINVAL` for a length that is
  ///   none, and for POST_WRITE where the kernel does not have it, where the length is 0 and where the address is none
  ///   of user space.
  public borrowing func assign(_ event: IOEventFD) throws(Errno) { try ioeventfd(event.encoded(deassign: false)) }

  /// Takes an address back.
  ///
  /// - Throws: the `errno` of `KVM_IOEVENTFD`: `ENOENT` where there is none.
  public borrowing func deassign(_ event: IOEventFD) throws(Errno) { try ioeventfd(event.encoded(deassign: true)) }

  private borrowing func ioeventfd(_ encoded: clinux_kvm_ioeventfd) throws(Errno) {
    var encoded = encoded
    let number = descriptor.rawValue
    try kvmCall { unsafe ioctl(number, CLINUX_KVM_IOEVENTFD, &encoded) }
  }

  /// Makes a vCPU, in the state after a reset.
  ///
  /// - Parameter identifier: its number, and that of its local APIC.
  /// - Throws: the `errno` of `KVM_CREATE_VCPU` or `mmap(2)`.
  public borrowing func makeVCPU(_ identifier: UInt32 = 0) throws(Errno) -> VirtualCPU {
    let number = descriptor.rawValue
    let vcpu = try kvmCall { clinux_kvm_ioctl_value(number, CLINUX_KVM_CREATE_VCPU, UInt(identifier)) }
    return try VirtualCPU(FileDescriptor(owning: vcpu), runMappingSize: runMappingSize)
  }
}
