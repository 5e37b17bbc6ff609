/// What the PVH boot protocol tells the kernel: command line, initramfs, memory, ACPI.
///
/// Source: Xen, xen/include/public/arch-x86/hvm/start_info.h, version 1.
struct StartInfo: Equatable, Sendable {
  /// A range of guest-physical addresses, as `struct hvm_memmap_table_entry`.
  struct MemoryRange: Equatable, Sendable {
    /// What is there, numbered as by E820.
    enum Kind: UInt32, Sendable {
      /// Memory.
      case memory = 1
      /// Not to be used.
      case reserved = 2
    }

    /// Where.
    var range: Range<UInt64>
    /// What.
    var kind: Kind
  }

  /// "xEn3", with bit 31 set.
  private static let magic: UInt32 = 0x336E_C578
  private static let version: UInt32 = 1
  /// Bytes of `struct hvm_start_info`, `struct hvm_modlist_entry` and `struct hvm_memmap_table_entry`.
  private static let size: UInt32 = 56
  private static let moduleSize: UInt32 = 32

  /// The initramfs.
  var initramfs: Range<UInt64>
  /// What the addresses are.
  var memory: [MemoryRange]

  /// What a guest with `memorySize` bytes of memory has.
  ///
  /// - Parameter memorySize: more than 1 MiB, at most `GuestAddressMap.deviceHole`.
  static func memoryMap(_ memorySize: UInt64) -> [MemoryRange] {
    [
      MemoryRange(range: 0..<GuestAddressMap.lowMemoryEnd, kind: .memory),
      MemoryRange(range: GuestAddressMap.lowMemoryEnd..<GuestAddressMap.highMemory, kind: .reserved),
      MemoryRange(range: GuestAddressMap.highMemory..<memorySize, kind: .memory),
      MemoryRange(range: GuestAddressMap.kvmPages, kind: .reserved),
    ]
  }

  /// The bytes at `GuestAddressMap.startInfo`: the start info, the module list, the memory map.
  func encoded() -> [UInt8] {
    let modules = UInt64(GuestAddressMap.startInfo + StartInfo.size)
    let map = modules + UInt64(StartInfo.moduleSize)
    var bytes = littleEndian(StartInfo.magic) + littleEndian(StartInfo.version)
    bytes += littleEndian(UInt32(0)) + littleEndian(UInt32(1)) + littleEndian(modules)
    bytes += littleEndian(UInt64(GuestAddressMap.commandLine)) + littleEndian(UInt64(GuestAddressMap.acpiTables))
    bytes += littleEndian(map) + littleEndian(UInt32(truncatingIfNeeded: memory.count)) + littleEndian(UInt32(0))
    bytes += littleEndian(initramfs.lowerBound) + littleEndian(UInt64(initramfs.count))
    bytes += littleEndian(UInt64(0)) + littleEndian(UInt64(0))
    for entry in memory {
      bytes += littleEndian(entry.range.lowerBound) + littleEndian(UInt64(entry.range.count))
      bytes += littleEndian(entry.kind.rawValue) + littleEndian(UInt32(0))
    }
    return bytes
  }
}
