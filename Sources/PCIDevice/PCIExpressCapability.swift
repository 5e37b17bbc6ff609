/// The PCI Express capability (10h), version 2, 3Ch bytes, of an endpoint (PCI Express Base Specification, 7.5.3).
///
/// There is no link: its registers show a x4 link at 8.0 GT/s so that guests that print or compare them see a usual
/// NVMe drive.
enum PCIExpressCapability {
  static let offset = 0x60
  static let length = 0x3c
  private static let identifier: UInt32 = 0x10
  /// PCI Express Capabilities: version 2, device type 0000b (endpoint).
  private static let capabilities: UInt32 = 2

  /// Device Capabilities: Role-Based Error Reporting (bit 15) and Function Level Reset (bit 28); payloads of 128 bytes.
  private static let deviceCapabilities: UInt32 = 1 << 15 | 1 << 28
  /// Offset of the Device Control register.
  static let deviceControlOffset = offset + 0x08
  /// Device Control bit 15: writing one starts a function level reset; reads as zero.
  static let initiateFunctionLevelReset: UInt16 = 1 << 15
  /// Device Control after reset: Relaxed Ordering, No Snoop, read requests of 512 bytes.
  private static let deviceControl: UInt32 = 1 << 4 | 1 << 11 | 2 << 12
  /// Error reporting enables (3:0), Relaxed Ordering, Max_Payload_Size (7:5), No Snoop, Max_Read_Request_Size (14:12).
  private static let deviceControlWritable: UInt32 = 0xf | 1 << 4 | maxPayloadSize | 1 << 11 | 7 << 12
  private static let maxPayloadSize: UInt32 = 7 << 5
  /// Device Status bits 3:0, the errors detected.
  private static let deviceStatusErrors: UInt32 = 0xf

  /// Link Capabilities: 8.0 GT/s, x4, no ASPM, and bit 22 that says its absence is deliberate.
  private static let linkCapabilities: UInt32 = 3 | 4 << 4 | 1 << 22
  /// Link Control: ASPM Control (1:0), Read Completion Boundary, Common Clock Configuration, Extended Synch.
  private static let linkControlWritable: UInt32 = 0b11 | 1 << 3 | 1 << 6 | 1 << 7
  /// Link Status: 8.0 GT/s, x4, Slot Clock Configuration.
  private static let linkStatus: UInt32 = 3 | 4 << 4 | 1 << 12

  /// Device Capabilities 2: Completion Timeout Disable is supported.
  private static let deviceCapabilities2: UInt32 = 1 << 4
  /// Device Control 2 bit 4: Completion Timeout Disable.
  private static let deviceControl2Writable: UInt32 = 1 << 4
  /// Link Capabilities 2: 2.5, 5.0 and 8.0 GT/s.
  private static let linkCapabilities2: UInt32 = 0b111 << 1
  /// Link Control 2: Target Link Speed, 8.0 GT/s.
  private static let targetLinkSpeed: UInt32 = 3
  private static let targetLinkSpeedMask: UInt32 = 0xf

  /// The registers; those of slots and root ports (0x14 to 0x23, 0x34 to 0x3b) are read-only zero.
  static let registers: [ConfigurationRegister] = [
    .init(offset: offset, width: 1, value: identifier),
    .init(offset: offset + 1, width: 1, value: 0),
    .init(offset: offset + 0x02, width: 2, value: capabilities),
    .init(offset: offset + 0x04, width: 4, value: deviceCapabilities),
    .init(
      offset: deviceControlOffset, width: 2, value: deviceControl, writable: deviceControlWritable,
      kept: maxPayloadSize),
    .init(offset: offset + 0x0a, width: 2, value: 0, clearable: deviceStatusErrors),
    .init(offset: offset + 0x0c, width: 4, value: linkCapabilities),
    .init(
      offset: offset + 0x10, width: 2, value: 0, writable: linkControlWritable, kept: linkControlWritable),
    .init(offset: offset + 0x12, width: 2, value: linkStatus),
    .init(offset: offset + 0x24, width: 4, value: deviceCapabilities2),
    .init(offset: offset + 0x28, width: 2, value: 0, writable: deviceControl2Writable),
    .init(offset: offset + 0x2c, width: 4, value: linkCapabilities2),
    .init(
      offset: offset + 0x30, width: 2, value: targetLinkSpeed, writable: targetLinkSpeedMask,
      kept: targetLinkSpeedMask),
  ]
}
