import LinuxIO

/// The kinds of interrupt of a PCI device (`VFIO_PCI_*_IRQ_INDEX` of `linux/vfio.h`).
public enum IRQIndex: UInt32, CaseIterable, Sendable {
  /// The interrupt pin.
  case intx = 0
  /// Message signalled interrupts.
  case msi = 1
  /// MSI-X, one for each table entry.
  case msix = 2
  /// An uncorrectable error of the device.
  case error = 3
  /// The device asks to be unplugged.
  case request = 4

  /// How many there are: `num_irqs` of the device.
  public static let count: UInt32 = 5

  /// The interrupt index of a number of the wire.
  ///
  /// - Throws: `EINVAL` where no PCI device has it.
  init(decoding number: UInt32) throws(Errno) {
    guard let index = IRQIndex(rawValue: number) else { throw .invalidArgument }
    self = index
  }
}
