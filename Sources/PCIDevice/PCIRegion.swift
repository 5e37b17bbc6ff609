/// A region of the device as VFIO numbers them (`VFIO_PCI_BAR0_REGION_INDEX` and the rest of `linux/vfio.h`).
///
/// A 64-bit BAR takes its own index and leaves the next one empty.
public enum PCIRegion: UInt32, CaseIterable, Sendable {
  /// Controller registers and doorbells, 64-bit.
  case bar0
  /// The upper half of BAR0's address; empty.
  case bar1
  /// Empty.
  case bar2
  /// Empty.
  case bar3
  /// MSI-X table and pending bits, 64-bit.
  case bar4
  /// The upper half of BAR4's address; empty.
  case bar5
  /// Expansion ROM; empty.
  case rom
  /// Configuration space.
  case configuration
  /// Legacy VGA ranges; empty.
  case vga

  /// Number of regions, `num_regions` of DEVICE_GET_INFO.
  public static let count = UInt32(allCases.count)

  /// Size of BAR0 in bytes: registers in the first 4 KiB, doorbells from 1000h.
  ///
  /// Windows wants at least 16 KiB.
  public static let bar0Size: UInt64 = 0x4000

  /// Size and flags of the region, for DEVICE_GET_REGION_INFO.
  public func info(msix: MSIXLayout) -> PCIRegionInfo {
    let size: UInt64 =
      switch self {
      case .bar0: Self.bar0Size
      case .bar4: msix.size
      case .configuration: UInt64(ConfigurationSpace.size)
      case .bar1, .bar2, .bar3, .bar5, .rom, .vga: 0
      }
    return PCIRegionInfo(size: size, flags: size == 0 ? [] : [.read, .write])
  }
}

/// Size and access of one region (`struct vfio_region_info`).
public struct PCIRegionInfo: Sendable, Equatable {
  /// Size in bytes; 0 when the region is absent.
  public let size: UInt64
  /// What a client may do with it.
  public let flags: PCIRegionFlags
}

/// Access flags of a region (`VFIO_REGION_INFO_FLAG_*`); mapping and capabilities are the server's to add.
public struct PCIRegionFlags: OptionSet, Sendable {
  /// The bits as they are on the wire.
  public let rawValue: UInt32
  /// Flags of the given bits.
  public init(rawValue: UInt32) { self.rawValue = rawValue }
  /// The region can be read.
  public static let read = PCIRegionFlags(rawValue: 1 << 0)
  /// The region can be written.
  public static let write = PCIRegionFlags(rawValue: 1 << 1)
}

/// The start of `[offset, offset + count)` when that range lies in a region of `size` bytes.
func regionOffset(_ offset: UInt64, count: Int, size: UInt64) -> Int? {
  guard let count = UInt64(exactly: count), count <= size, offset <= size - count else { return nil }
  return Int(exactly: offset)
}
