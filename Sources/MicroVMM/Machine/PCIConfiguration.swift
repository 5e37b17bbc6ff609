/// Where things are in PCI configuration space (PCI Express 6.0, 7.5 and 7.7.2), as far as this VMM needs them.
enum PCIConfiguration {
  /// Bytes of the header.
  static let headerSize: UInt64 = 0x40
  /// Command register, 2 bytes: bit 1 memory space, bit 2 bus master, bit 10 interrupt disable.
  static let command: UInt64 = 0x04
  /// Command: the function decodes its memory BARs.
  static let memorySpaceEnable: UInt64 = 1 << 1
  /// Memory and DMA on, INTx off.
  static let enabledCommand: UInt64 = memorySpaceEnable | 1 << 2 | 1 << 10
  /// Base address registers 0 and 1, 4 bytes each.
  static let baseAddress0: UInt64 = 0x10
  /// Type of a memory BAR, bits 2:1: 2 for one of 64 bits, which takes the next register too.
  static let memoryType64: UInt64 = 2 << 1
  /// The bits of a memory BAR that tell its type.
  static let memoryTypeMask: UInt64 = 3 << 1
  /// Where the first capability is, 1 byte.
  static let capabilitiesPointer: UInt64 = 0x34
  /// The bits of a pointer to a capability that count.
  static let capabilityMask: UInt64 = 0xFC
  /// Most capabilities that fit into 256 bytes: the bound of a walk.
  static let maximumCapabilities = 48
  /// The MSI-X capability.
  static let msix: UInt8 = 0x11
  /// From the capability to MSI-X message control, 2 bytes.
  static let msixMessageControl: UInt64 = 2
  /// Message control: MSI-X enable.
  static let msixEnable: UInt64 = 1 << 15
  /// Message control, bits 10:0: the number of vectors less one.
  static let msixTableSize: UInt64 = 0x7FF
  /// From the capability to where the table is, and to where the pending bits are: the BAR in bits 2:0, an offset.
  static let msixTable: UInt64 = 4
  static let msixPendingBits: UInt64 = 8
  static let barIndicator: UInt64 = 7
  /// The PCI Express capability.
  static let express: UInt8 = 0x10
  /// From the capability to device control, 2 bytes, whose bit 15 starts a function level reset.
  static let deviceControl: UInt64 = 8
  static let functionLevelReset: UInt64 = 1 << 15
}
