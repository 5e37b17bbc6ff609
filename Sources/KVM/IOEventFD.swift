import CLinux

/// A guest-physical address, or an I/O port, whose writes KVM turns into the signal of an eventfd, without an exit to
/// the VMM.
///
/// Source: Linux, Documentation/virt/kvm/api.rst, 4.59 KVM_IOEVENTFD; `post_addr` as in the POST_WRITE patch. A write
/// matches only where address and length are equal.
public struct IOEventFD: Equatable, Sendable {
  /// What the guest writes to.
  public enum Bus: Sendable {
    /// A guest-physical address without memory (`KVM_MMIO_BUS`).
    case mmio
    /// An I/O port (`KVM_PIO_BUS`).
    case pio
  }

  /// Which addresses `address` is one of.
  public var bus: Bus
  /// Guest-physical address of the write, or its port.
  public var address: UInt64
  /// Bytes of the write: 1, 2, 4 or 8; 0: any.
  public var length: UInt32
  /// The number of the eventfd, whose owner the caller keeps alive during the call.
  public var event: Int32
  /// Only writes of this value; nil: of any.
  public var datamatch: UInt64?
  /// The address in this process where KVM stores the value before it signals (POST_WRITE); nil: nowhere.
  public var postAddress: UInt64?

  /// Describes a write.
  public init(
    bus: Bus = .mmio, address: UInt64, length: UInt32, event: Int32, datamatch: UInt64? = nil,
    postAddress: UInt64? = nil
  ) {
    self.bus = bus
    self.address = address
    self.length = length
    self.event = event
    self.datamatch = datamatch
    self.postAddress = postAddress
  }

  /// The struct of the kernel.
  func encoded(deassign: Bool) -> clinux_kvm_ioeventfd {
    var encoded = clinux_kvm_ioeventfd()
    encoded.addr = address
    encoded.len = length
    encoded.fd = event
    if bus == .pio { encoded.flags |= UInt32(CLINUX_KVM_IOEVENTFD_FLAG_PIO) }
    if let datamatch {
      encoded.datamatch = datamatch
      encoded.flags |= UInt32(CLINUX_KVM_IOEVENTFD_FLAG_DATAMATCH)
    }
    if let postAddress {
      encoded.post_addr = postAddress
      encoded.flags |= UInt32(CLINUX_KVM_IOEVENTFD_FLAG_POST_WRITE)
    }
    if deassign { encoded.flags |= UInt32(CLINUX_KVM_IOEVENTFD_FLAG_DEASSIGN) }
    return encoded
  }
}
