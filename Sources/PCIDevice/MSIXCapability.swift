/// The MSI-X capability (11h), 12 bytes (PCI Express Base Specification, 7.7.2).
enum MSIXCapability {
  static let offset = 0x50
  static let length = 12
  private static let identifier: UInt32 = 0x11
  /// Offset of the Message Control register.
  static let controlOffset = offset + 2
  /// Message Control bit 14: all vectors are masked.
  static let functionMask: UInt16 = 1 << 14
  /// Message Control bit 15: the function signals by MSI-X.
  static let enable: UInt16 = 1 << 15

  static func registers(_ msix: MSIXLayout) -> [ConfigurationRegister] {
    // Message Control bits 10:0 hold the number of vectors less one; vectorCount is 1...2048.
    let tableSize = UInt32(truncatingIfNeeded: msix.vectorCount - 1)
    return [
      .init(offset: offset, width: 1, value: identifier),
      .init(offset: offset + 1, width: 1, value: UInt32(PCIExpressCapability.offset)),
      .init(offset: controlOffset, width: 2, value: tableSize, writable: UInt32(functionMask | enable)),
      .init(offset: offset + 4, width: 4, value: UInt32(MSIXLayout.tableOffset) | MSIXLayout.barIndicator),
      .init(
        offset: offset + 8, width: 4,
        value: UInt32(truncatingIfNeeded: msix.pendingBitsOffset) | MSIXLayout.barIndicator),
    ]
  }
}
