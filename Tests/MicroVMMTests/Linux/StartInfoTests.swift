import Testing

@testable import MicroVMM

@Suite struct StartInfoTests {
  @Test func theMemoryMapLeavesOutWhatIsNoMemory() {
    #expect(
      StartInfo.memoryMap(256 << 20) == [
        StartInfo.MemoryRange(range: 0..<0x9_FC00, kind: .memory),
        StartInfo.MemoryRange(range: 0x9_FC00..<0x10_0000, kind: .reserved),
        StartInfo.MemoryRange(range: 0x10_0000..<0x1000_0000, kind: .memory),
        StartInfo.MemoryRange(range: 0xFFFB_C000..<0xFFFC_0000, kind: .reserved),
      ])
  }

  @Test func theStructIsAsTheProtocolSays() {
    let info = StartInfo(
      initramfs: 0x0123_4000..<0x0123_4567, memory: [StartInfo.MemoryRange(range: 0x1000..<0x3000, kind: .reserved)])
    let expected: [[UInt8]] = [
      littleEndian(UInt32(0x336E_C578)),  // magic
      littleEndian(UInt32(1)),  // version
      littleEndian(UInt32(0)),  // flags
      littleEndian(UInt32(1)),  // nr_modules
      littleEndian(UInt64(0x6038)),  // modlist_paddr
      littleEndian(UInt64(0x2_0000)),  // cmdline_paddr
      littleEndian(UInt64(0xE_0000)),  // rsdp_paddr
      littleEndian(UInt64(0x6058)),  // memmap_paddr
      littleEndian(UInt32(1)),  // memmap_entries
      littleEndian(UInt32(0)),
      // The module: address, size, command line, reserved.
      littleEndian(UInt64(0x0123_4000)), littleEndian(UInt64(0x567)), littleEndian(UInt64(0)), littleEndian(UInt64(0)),
      // The range: address, size, type, reserved.
      littleEndian(UInt64(0x1000)), littleEndian(UInt64(0x2000)), littleEndian(UInt32(2)), littleEndian(UInt32(0)),
    ]
    #expect(info.encoded() == Array(expected.joined()))
  }

  @Test func littleEndianBytes() {
    #expect(littleEndian(UInt32(0x1234_5678)) == [0x78, 0x56, 0x34, 0x12])
    #expect(littleEndian(UInt8(0x80)) == [0x80])
  }
}
