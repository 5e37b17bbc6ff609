/// The PCI Power Management capability (01h), 8 bytes (PCI Express Base Specification, 7.5.2).
enum PowerManagementCapability {
  static let offset = 0x40
  static let length = 8
  private static let identifier: UInt32 = 0x01
  /// Power Management Capabilities: version 3, no PME, neither D1 nor D2.
  private static let capabilities: UInt32 = 3
  /// Offset of the Power Management Control/Status register.
  static let controlOffset = offset + 4
  /// Control/Status bits 1:0, the power state: 0 is D0, 3 is D3hot.
  static let powerStateMask: UInt8 = 0b11
  static let d3hot: UInt8 = 0b11
  /// Control/Status bit 3: going from D3hot to D0 resets nothing.
  private static let noSoftReset: UInt32 = 1 << 3

  static let registers: [ConfigurationRegister] = [
    .init(offset: offset, width: 1, value: identifier),
    .init(offset: offset + 1, width: 1, value: UInt32(MSIXCapability.offset)),
    .init(offset: offset + 2, width: 2, value: capabilities),
    .init(offset: controlOffset, width: 2, value: noSoftReset, writable: UInt32(powerStateMask)),
  ]
}
