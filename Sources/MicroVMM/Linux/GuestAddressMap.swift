/// Where things are in the guest-physical addresses of a Linux guest.
///
/// Memory is one range from 0 on; devices are above 3 GiB, so that memory and devices never meet.
enum GuestAddressMap {
  /// The start info and the tables it points to.
  static let startInfo: UInt32 = 0x6000
  /// The command line, with its NUL.
  static let commandLine: UInt32 = 0x2_0000
  /// The first address that is no memory to the guest: the end of what old PCs have.
  static let lowMemoryEnd: UInt64 = 0x9_FC00
  /// The ACPI tables, where firmware would be.
  static let acpiTables: UInt32 = 0xE_0000
  /// The first address for the kernel and the initramfs.
  static let highMemory: UInt64 = 0x10_0000
  /// Where memory ends at the latest, and devices begin.
  static let deviceHole: UInt64 = 0xC000_0000
  /// Where the guest may place BARs: from the hole to the I/O APIC.
  static let barWindow: ClosedRange<UInt32> = 0xC000_0000...0xFEBF_FFFF
  /// What KVM itself uses: the page table and the TSS for real mode on some CPUs.
  static let kvmPages: Range<UInt64> = 0xFFFB_C000..<0xFFFC_0000
}
