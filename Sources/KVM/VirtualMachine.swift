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

  /// Gives the VM two PICs and an I/O APIC, and each vCPU made from now on a local APIC. Then HLT waits in the kernel.
  ///
  /// - Throws: the `errno` of `KVM_CREATE_IRQCHIP`.
  public borrowing func createInterruptController() throws(Errno) {
    let number = descriptor.rawValue
    try kvmCall { clinux_kvm_ioctl_value(number, CLINUX_KVM_CREATE_IRQCHIP, 0) }
  }

  /// Gives the VM a timer chip (8254), and answers the port of its speaker gate (61h). Needs the interrupt controller.
  ///
  /// - Throws: the `errno` of `KVM_CREATE_PIT2`.
  public borrowing func createTimer() throws(Errno) {
    var configuration = kvm_pit_config()
    configuration.flags = UInt32(KVM_PIT_SPEAKER_DUMMY)
    let number = descriptor.rawValue
    try kvmCall { unsafe ioctl(number, CLINUX_KVM_CREATE_PIT2, &configuration) }
  }

  /// Sets the level of an interrupt line.
  ///
  /// - Parameters:
  ///   - gsi: a pin of the interrupt controllers; 0 to 15 are the lines of the ISA bus.
  ///   - isHigh: the level.
  /// - Throws: the `errno` of `KVM_IRQ_LINE`: `ENXIO` without an interrupt controller.
  public borrowing func setInterruptLine(_ gsi: UInt32, _ isHigh: Bool) throws(Errno) {
    var line = kvm_irq_level()
    line.irq = gsi
    line.level = isHigh ? 1 : 0
    let number = descriptor.rawValue
    try kvmCall { unsafe ioctl(number, CLINUX_KVM_IRQ_LINE, &line) }
  }

  /// Replaces the whole table of interrupt routes.
  ///
  /// - Parameters:
  ///   - routes: the messages.
  ///   - pins: whether GSIs 0 to 23 stay the pins of the interrupt controllers, as they are in a new VM. Without them
  ///     `setInterruptLine` and the timer reach nobody.
  /// - Throws: the `errno` of `KVM_SET_GSI_ROUTING`: `EINVAL` for a GSI beyond KVM's limit (4096).
  public borrowing func setRoutes(_ routes: [MSIRoute], pins: Bool = false) throws(Errno) {
    let routes = (pins ? InterruptPin.routes : []) + routes.map(\.encoded)
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
          of: route, toByteOffset: header + index * entry, as: kvm_irq_routing_entry.self)
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
    try assign(eventNumber: event.rawValue, gsi: gsi)
  }

  /// As `assign(_:gsi:)`, of the eventfd with this number.
  public borrowing func assign(eventNumber: Int32, gsi: UInt32) throws(Errno) { try irqfd(eventNumber, gsi, flags: 0) }

  /// Ends that. The eventfd counts on; a count that is there when it is assigned again raises the interrupt then, and
  /// stays.
  ///
  /// - Throws: the `errno` of `KVM_IRQFD`.
  public borrowing func deassign(eventNumber: Int32, gsi: UInt32) throws(Errno) {
    try irqfd(eventNumber, gsi, flags: UInt32(KVM_IRQFD_FLAG_DEASSIGN))
  }

  private borrowing func irqfd(_ event: Int32, _ gsi: UInt32, flags: UInt32) throws(Errno) {
    var irqfd = kvm_irqfd()
    irqfd.fd = UInt32(bitPattern: event)
    irqfd.gsi = gsi
    irqfd.flags = flags
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

  /// Keeps writes to a range in a ring of the vCPUs (`CoalescedWrites`), without an exit and without telling anybody.
  ///
  /// - Throws: the `errno` of `KVM_REGISTER_COALESCED_MMIO`.
  public borrowing func coalesceWrites(at address: UInt64, count: UInt32) throws(Errno) {
    var zone = kvm_coalesced_mmio_zone()
    zone.addr = address
    zone.size = count
    let number = descriptor.rawValue
    try kvmCall { unsafe ioctl(number, CLINUX_KVM_REGISTER_COALESCED_MMIO, &zone) }
  }

  /// How long a vCPU of this VM that executes HLT looks for an interrupt before its thread sleeps.
  ///
  /// - Parameter nanoseconds: at most; 0: it sleeps at once.
  /// - Throws: the `errno` of `KVM_ENABLE_CAP` with `KVM_CAP_HALT_POLL`.
  public borrowing func setHaltPolling(nanoseconds: UInt64) throws(Errno) {
    var capability = kvm_enable_cap()
    capability.cap = UInt32(KVM_CAP_HALT_POLL)
    capability.args.0 = nanoseconds
    let number = descriptor.rawValue
    try kvmCall { unsafe ioctl(number, CLINUX_KVM_ENABLE_CAP, &capability) }
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
