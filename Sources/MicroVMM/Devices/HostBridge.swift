/// The PCI host bridge at 00:00.0: a header that says so. All of it is read only.
///
/// Source: PCI Express Base Specification, 7.5.1.
enum HostBridge {
  /// 1b36:0008, QEMU's generic host bridge.
  private static let identity: UInt32 = 0x0008_1B36
  /// Class 060000h, revision 0.
  private static let classCode: UInt32 = 0x0600_0000

  /// Reads `count` bytes, 1 to 4, inside of one doubleword.
  static func read(at offset: UInt64, count: Int) -> UInt32 {
    let register: UInt32 =
      switch offset & ~3 {
      case 0x00: identity
      case 0x08: classCode
      default: 0
      }
    return (register >> UInt32((offset & 3) * 8)).low(count)
  }
}
