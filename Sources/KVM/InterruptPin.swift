import CLinux

/// The pins of a PC's interrupt controllers, as GSIs: 0 to 15 are inputs of the PICs and of the I/O APIC, 16 to 23 of the
/// I/O APIC alone.
///
/// Source: Linux, arch/x86/kvm/irq_comm.c, `default_routing`.
enum InterruptPin {
  private static let picInputs: UInt32 = 8
  private static let isaLines: UInt32 = 16
  /// How many there are: GSIs from here on are free for messages.
  static let count: UInt32 = 24

  /// The routes of a new VM.
  static var routes: [kvm_irq_routing_entry] {
    (0..<count).flatMap { gsi in
      let apic = route(gsi, chip: UInt32(KVM_IRQCHIP_IOAPIC), pin: gsi)
      guard gsi < isaLines else { return [apic] }
      let chip = UInt32(gsi < picInputs ? KVM_IRQCHIP_PIC_MASTER : KVM_IRQCHIP_PIC_SLAVE)
      return [route(gsi, chip: chip, pin: gsi % picInputs), apic]
    }
  }

  private static func route(_ gsi: UInt32, chip: UInt32, pin: UInt32) -> kvm_irq_routing_entry {
    var entry = kvm_irq_routing_entry()
    entry.gsi = gsi
    entry.type = UInt32(KVM_IRQ_ROUTING_IRQCHIP)
    unsafe entry.u.irqchip.irqchip = chip
    unsafe entry.u.irqchip.pin = pin
    return entry
  }
}
