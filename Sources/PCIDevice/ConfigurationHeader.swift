/// The type 0 header of configuration space, 00h to 3Fh (PCI Express Base Specification, 7.5.1).
enum ConfigurationHeader {
  static let vendorIDOffset = 0x00
  static let deviceIDOffset = 0x02
  static let commandOffset = 0x04
  static let statusOffset = 0x06
  static let revisionIDOffset = 0x08
  static let programmingInterfaceOffset = 0x09
  static let subclassOffset = 0x0a
  static let baseClassOffset = 0x0b
  static let cacheLineSizeOffset = 0x0c
  static let bar0Offset = 0x10
  static let bar4Offset = 0x20
  static let subsystemVendorIDOffset = 0x2c
  static let subsystemIDOffset = 0x2e
  static let capabilitiesPointerOffset = 0x34
  static let interruptLineOffset = 0x3c

  /// Command: the function answers accesses to its memory BARs.
  static let memorySpaceEnable: UInt16 = 1 << 1
  /// Command: the function may issue DMA and message interrupts.
  static let busMasterEnable: UInt16 = 1 << 2

  /// Command bits that software may set: Memory Space, Bus Master, Parity Error Response, SERR#, Interrupt Disable.
  ///
  /// I/O Space (bit 0) stays zero since no BAR decodes I/O.
  private static let commandWritable: UInt32 = 1 << 1 | 1 << 2 | 1 << 6 | 1 << 8 | 1 << 10
  /// Status bit 4: there is a capability list.
  private static let statusCapabilitiesList: UInt32 = 1 << 4
  /// Status bits that software clears: Master Data Parity Error and the five error bits at the top.
  private static let statusErrors: UInt32 = 0xf900
  /// The low four bits of a 64-bit non-prefetchable memory BAR: type 10b, memory.
  static let memoryBAR64: UInt32 = 0b0100

  /// The registers of the header; those not listed (BAR2, BAR3, Expansion ROM, Interrupt Pin, header type 0 ...) are
  /// read-only zero.
  static func registers(identity: PCIIdentity, msix: MSIXLayout) -> [ConfigurationRegister] {
    [
      .init(offset: vendorIDOffset, width: 2, value: UInt32(identity.vendor)),
      .init(offset: deviceIDOffset, width: 2, value: UInt32(identity.device)),
      .init(offset: commandOffset, width: 2, value: 0, writable: commandWritable),
      .init(offset: statusOffset, width: 2, value: statusCapabilitiesList, clearable: statusErrors),
      .init(offset: revisionIDOffset, width: 1, value: UInt32(identity.revision)),
      // 010802h: mass storage, non-volatile memory, NVM Express I/O controller.
      .init(offset: programmingInterfaceOffset, width: 1, value: 0x02),
      .init(offset: subclassOffset, width: 1, value: 0x08),
      .init(offset: baseClassOffset, width: 1, value: 0x01),
      // PCI Express keeps this one writable for old software and gives it no effect.
      .init(offset: cacheLineSizeOffset, width: 1, value: 0, writable: 0xff),
      .init(offset: subsystemVendorIDOffset, width: 2, value: UInt32(identity.subsystemVendor)),
      .init(offset: subsystemIDOffset, width: 2, value: UInt32(identity.subsystem)),
      .init(offset: capabilitiesPointerOffset, width: 1, value: UInt32(PowerManagementCapability.offset)),
      .init(offset: interruptLineOffset, width: 1, value: 0, writable: 0xff),
    ]
      + memoryBAR64(at: bar0Offset, size: PCIRegion.bar0Size)
      + memoryBAR64(at: bar4Offset, size: msix.size)
  }

  /// The two dwords of a 64-bit BAR: address bits below `size` stay zero, which is how software finds the size.
  private static func memoryBAR64(at offset: Int, size: UInt64) -> [ConfigurationRegister] {
    let address = ~(size &- 1)
    return [
      .init(
        offset: offset, width: 4, value: memoryBAR64, writable: UInt32(truncatingIfNeeded: address) & ~0xf),
      .init(offset: offset + 4, width: 4, value: 0, writable: UInt32(truncatingIfNeeded: address >> 32)),
    ]
  }
}
