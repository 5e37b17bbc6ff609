import CLinux

/// A GSI that stands for a message signalled interrupt: the target of an irqfd.
///
/// Source: Linux, Documentation/virt/kvm/api.rst, 4.52 KVM_SET_GSI_ROUTING; Intel SDM 3A, 11.11 for the message.
public struct MSIRoute: Equatable, Sendable {
  /// The number by which an irqfd names it.
  public var gsi: UInt32
  /// Where the message is written: which local APIC gets it.
  public var address: UInt64
  /// The message: bits 7:0 are the vector.
  public var data: UInt32

  /// Names a message.
  public init(gsi: UInt32, address: UInt64, data: UInt32) {
    self.gsi = gsi
    self.address = address
    self.data = data
  }

  /// A vector, 16 to 255, of the local APIC with identifier 0; fixed delivery, edge triggered.
  public init(gsi: UInt32, vector: UInt8) {
    self.init(gsi: gsi, address: MSIRoute.messageAddress, data: UInt32(vector))
  }

  /// The address of a message to the local APIC with identifier 0.
  static let messageAddress: UInt64 = 0xFEE0_0000

  /// The entry of the kernel.
  var encoded: kvm_irq_routing_entry {
    var entry = kvm_irq_routing_entry()
    entry.gsi = gsi
    entry.type = UInt32(KVM_IRQ_ROUTING_MSI)
    unsafe entry.u.msi.address_lo = UInt32(truncatingIfNeeded: address)
    unsafe entry.u.msi.address_hi = UInt32(truncatingIfNeeded: address >> 32)
    unsafe entry.u.msi.data = data
    return entry
  }
}
