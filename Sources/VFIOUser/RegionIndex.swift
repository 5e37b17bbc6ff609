import LinuxIO

/// The regions of a PCI device (`VFIO_PCI_*_REGION_INDEX` of `linux/vfio.h`).
public enum RegionIndex: UInt32, CaseIterable, Sendable {
  /// Base address register 0.
  case bar0 = 0
  /// Base address register 1.
  case bar1 = 1
  /// Base address register 2.
  case bar2 = 2
  /// Base address register 3.
  case bar3 = 3
  /// Base address register 4.
  case bar4 = 4
  /// Base address register 5.
  case bar5 = 5
  /// The expansion ROM.
  case rom = 6
  /// Configuration space.
  case config = 7
  /// Legacy VGA ranges.
  case vga = 8

  /// How many there are: `num_regions` of the device.
  public static let count: UInt32 = 9

  /// The region of a number of the wire.
  ///
  /// - Throws: `EINVAL` where no PCI device has it.
  init(decoding number: UInt32) throws(Errno) {
    guard let region = RegionIndex(rawValue: number) else { throw .invalidArgument }
    self = region
  }
}
