/// An interrupt of the device as VFIO numbers them (`VFIO_PCI_INTX_IRQ_INDEX` and the rest of `linux/vfio.h`).
public enum PCIInterrupt: UInt32, CaseIterable, Sendable {
  /// The interrupt pin; not offered (Interrupt Pin is 0), which spares every driver and us level interrupts.
  case intx
  /// MSI; not offered.
  case msi
  /// MSI-X, one per vector.
  case msix
  /// An unrecoverable error of the device.
  ///
  /// One is offered: without it QEMU warns at every start that it cannot enable error recovery.
  case error
  /// A request of the device to be unplugged; not offered.
  case request

  /// Number of interrupt indexes, `num_irqs` of DEVICE_GET_INFO.
  public static let count = UInt32(allCases.count)

  /// Count and flags of the interrupt, for DEVICE_GET_IRQ_INFO.
  public func info(msix: MSIXLayout) -> PCIInterruptInfo {
    let count: UInt32 =
      switch self {
      case .intx, .msi, .request: 0
      case .msix: UInt32(truncatingIfNeeded: msix.vectorCount)
      case .error: 1
      }
    return PCIInterruptInfo(count: count, flags: count == 0 ? [] : [.eventfd])
  }
}

/// Count and flags of one interrupt index (`struct vfio_irq_info`).
public struct PCIInterruptInfo: Sendable, Equatable {
  /// How many interrupts the index has; 0 when it is not offered.
  public let count: UInt32
  /// How they are signalled.
  public let flags: PCIInterruptFlags
}

/// Flags of an interrupt index (`VFIO_IRQ_INFO_*`).
///
/// `VFIO_IRQ_INFO_NORESIZE` is left out on purpose: with it QEMU tears all vectors down to add one.
public struct PCIInterruptFlags: OptionSet, Sendable {
  /// The bits as they are on the wire.
  public let rawValue: UInt32
  /// Flags of the given bits.
  public init(rawValue: UInt32) { self.rawValue = rawValue }
  /// Signalled through an eventfd.
  public static let eventfd = PCIInterruptFlags(rawValue: 1 << 0)
}
