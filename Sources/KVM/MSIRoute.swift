import CLinux

/// A GSI that stands for a message signalled interrupt: the target of an irqfd.
///
/// Source: Linux, Documentation/virt/kvm/api.rst, 4.52 KVM_SET_GSI_ROUTING; Intel SDM 3A, 11.11 for the message.
public struct MSIRoute: Equatable, Sendable {
  /// The number by which an irqfd names it.
  public var gsi: UInt32
  /// The vector that the local APIC of CPU 0 gets, 16 to 255; fixed delivery, edge triggered.
  public var vector: UInt8

  /// Names a route.
  public init(gsi: UInt32, vector: UInt8) {
    self.gsi = gsi
    self.vector = vector
  }

  /// The address of a message to the local APIC with identifier 0.
  static let messageAddress: UInt32 = 0xFEE0_0000

  /// The entry of the kernel.
  var encoded: kvm_irq_routing_entry {
    var entry = kvm_irq_routing_entry()
    entry.gsi = gsi
    entry.type = UInt32(KVM_IRQ_ROUTING_MSI)
    unsafe entry.u.msi.address_lo = MSIRoute.messageAddress
    unsafe entry.u.msi.address_hi = 0
    unsafe entry.u.msi.data = UInt32(vector)
    return entry
  }
}
