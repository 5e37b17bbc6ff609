import Testing

@testable import MicroVMM

@Suite struct ACPITablesTests {
  private static let base: UInt32 = 0xE_0000
  private static let image = ACPITables.image(at: base, window: 0xC000_0000...0xFEBF_FFFF)

  private static func integer(_ offset: Int, _ count: Int) -> UInt64 {
    (0..<count).reduce(0) { $0 | UInt64(image[offset + $1]) << UInt64($1 * 8) }
  }

  /// The table that a pointer at an offset of the image leads to.
  private static func table(pointer: Int) throws -> (offset: Int, bytes: [UInt8]) {
    let offset = Int(integer(pointer, 8)) - Int(base)
    try #require(offset > 0 && offset % 16 == 0)
    return (offset, Array(image[offset..<offset + Int(integer(offset + 4, 4))]))
  }

  private static func sum(_ bytes: some Sequence<UInt8>) -> UInt8 { bytes.reduce(0, &+) }

  @Test func everyTableIsFoundAndSumsToZero() throws {
    #expect(Self.sum(Self.image[0..<20]) == 0)
    #expect(Self.sum(Self.image[0..<36]) == 0)
    #expect(Self.image[15] == 2)
    let xsdt = try Self.table(pointer: 24)
    #expect(Array(xsdt.bytes[0..<4]) == Array("XSDT".utf8))
    #expect(xsdt.bytes.count == 36 + 16)
    let fadt = try Self.table(pointer: xsdt.offset + 36)
    #expect(Array(fadt.bytes[0..<4]) == Array("FACP".utf8))
    let madt = try Self.table(pointer: xsdt.offset + 44)
    #expect(Array(madt.bytes[0..<4]) == Array("APIC".utf8))
    let dsdt = try Self.table(pointer: fadt.offset + 140)
    #expect(Array(dsdt.bytes[0..<4]) == Array("DSDT".utf8))
    for table in [xsdt, fadt, madt, dsdt] { #expect(Self.sum(table.bytes) == 0) }
  }

  @Test func theFADTIsHardwareReducedWithResetAndSleepRegisters() throws {
    let xsdt = try Self.table(pointer: 24)
    let fadt = try Self.table(pointer: xsdt.offset + 36).bytes
    #expect(fadt.count == 276)
    #expect(fadt[112..<116].elementsEqual([0x31, 0x04, 0x10, 0x00]))
    #expect(fadt[116..<129].elementsEqual([1, 8, 0, 1, 0xF9, 0x0C, 0, 0, 0, 0, 0, 0, 6]))
    #expect(fadt[244..<256].elementsEqual([1, 8, 0, 1, 0x00, 0x06, 0, 0, 0, 0, 0, 0]))
    // No keyboard controller, VGA or CMOS clock.
    #expect(fadt[109..<111].elementsEqual([0x24, 0]))
  }

  @Test func theMADTHasOneCPUAndAnIOAPIC() throws {
    let xsdt = try Self.table(pointer: 24)
    let madt = try Self.table(pointer: xsdt.offset + 44).bytes
    let expected: [UInt8] = [
      0, 0, 0xE0, 0xFE, 1, 0, 0, 0,  // local APICs, flags
      0, 8, 0, 0, 1, 0, 0, 0,  // CPU 0, enabled
      1, 12, 0, 0, 0, 0, 0xC0, 0xFE, 0, 0, 0, 0,
    ]
    #expect(madt[36...].elementsEqual(expected))
  }

  /// What `iasl` makes of the same source.
  @Test func machineLanguage() {
    #expect(AML.eisaID("PNP", 0x0A03) == [0x0C, 0x41, 0xD0, 0x0A, 0x03])
    #expect(AML.eisaID("PNP", 0x0501) == [0x0C, 0x41, 0xD0, 0x05, 0x01])
    #expect(AML.name("_UID", AML.byte(1)) == [0x08, 0x5F, 0x55, 0x49, 0x44, 0x0A, 0x01])
    #expect(AML.ports(0x3F8, count: 8) == [0x47, 0x01, 0xF8, 0x03, 0xF8, 0x03, 0x01, 0x08])
    #expect(AML.interrupt(4) == [0x89, 0x06, 0x00, 0x03, 0x01, 0x04, 0x00, 0x00, 0x00])
    #expect(
      AML.buses(0...0) == [0x88, 0x0D, 0, 0x02, 0x0C, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x01, 0])
    #expect(
      AML.memory(0xC000_0000...0xFEBF_FFFF) == [
        0x87, 0x17, 0, 0x00, 0x0C, 0x01, 0, 0, 0, 0, 0, 0, 0, 0xC0, 0xFF, 0xFF, 0xBF, 0xFE, 0, 0, 0, 0, 0, 0, 0xC0,
        0x3E,
      ])
    #expect(AML.resources([[1, 2]]) == [0x11, 0x07, 0x0A, 0x04, 1, 2, 0x79, 0])
    #expect(AML.package(of: [AML.byte(5)]) == [0x12, 0x04, 0x01, 0x0A, 0x05])
    #expect(AML.device("PCI0", [[0xAA]]) == [0x5B, 0x82, 0x06, 0x50, 0x43, 0x49, 0x30, 0xAA])
    #expect(AML.scope("\\_SB_", []) == [0x10, 0x06, 0x5C, 0x5F, 0x53, 0x42, 0x5F])
  }

  @Test(
    arguments: [
      (62, [0x3F]), (63, [0x41, 0x04]), (4093, [0x4F, 0xFF]), (4094, [0x81, 0x00, 0x01]),
    ] as [(Int, [UInt8])])
  func lengthsOfPackages(count: Int, length: [UInt8]) {
    let bytes = AML.package([UInt8](repeating: 7, count: count))
    #expect(Array(bytes.prefix(bytes.count - count)) == length)
  }
}
