/// The identification registers of the function (PCI Express Base Specification, 7.5.1.1 and 7.5.1.2).
///
/// Guest drivers bind to an NVMe controller by its class code, so any vendor and device id works. Some pairs make Linux
/// work around faults of other controllers: 1b36:0010 (QEMU) has its namespace identifiers ignored, 8086:5845 loses
/// Write Zeroes as well. Identify Controller repeats `vendor` in VID and `subsystemVendor` in SSVID.
public struct PCIIdentity: Sendable, Equatable {
  /// Vendor ID, offset 00h.
  public var vendor: UInt16
  /// Device ID, offset 02h.
  public var device: UInt16
  /// Subsystem Vendor ID, offset 2Ch; not zero, since Windows builds its hardware ids from it.
  public var subsystemVendor: UInt16
  /// Subsystem ID, offset 2Eh; not zero for the same reason.
  public var subsystem: UInt16
  /// Revision ID, offset 08h.
  public var revision: UInt8

  /// An identity of the given ids.
  public init(
    vendor: UInt16, device: UInt16, subsystemVendor: UInt16, subsystem: UInt16, revision: UInt8 = 1
  ) {
    self.vendor = vendor
    self.device = device
    self.subsystemVendor = subsystemVendor
    self.subsystem = subsystem
    self.revision = revision
  }

  /// 1af4:10f0, the first of the ids 1af4:10f0 to 1af4:10ff that QEMU's `docs/specs/pci-ids` leaves to anyone for
  /// experiments without registration.
  ///
  /// The pair is in no quirk table of Linux's NVMe driver. Linux's virtio driver matches the vendor, looks at the
  /// device id and declines. Whoever ships a product sets ids of their own.
  public static let experimental = PCIIdentity(
    vendor: 0x1af4, device: 0x10f0, subsystemVendor: 0x1af4, subsystem: 0x10f0)
}
