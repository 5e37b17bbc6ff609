import Testing
import VFIOUser

@testable import MicroVMM

@Suite struct BaseAddressRegistersTests {
  /// BAR0 of 16 KiB and 64 bits, BAR2 of 4 KiB and 32 bits, BAR4 of 8 GiB and 64 bits.
  private static func registers() -> BaseAddressRegisters {
    BaseAddressRegisters(kinds: [0x4, 0, 0x8, 0, 0xC, 0], sizes: [0x4000, 0, 0x1000, 0, 1 << 33, 0])
  }

  @Test func allOnesTellTheSizeAndTheKind() {
    var bars = Self.registers()
    for offset in stride(from: 0x10 as UInt64, to: 0x28, by: 4) { bars.write(at: offset, count: 4, 0xFFFF_FFFF) }
    let read = stride(from: 0x10 as UInt64, to: 0x28, by: 4).map { bars.read(at: $0, count: 4) }
    #expect(read == [0xFFFF_C004, 0xFFFF_FFFF, 0xFFFF_F008, 0, 0x0000_000C, 0xFFFF_FFFE])
  }

  @Test func aRegionIsWhereItWasPut() {
    var bars = Self.registers()
    #expect(bars.windows.isEmpty)
    bars.write(at: 0x10, count: 4, 0xE000_0000)
    bars.write(at: 0x18, count: 4, 0xD000_1000)
    bars.write(at: 0x24, count: 4, 0x0000_0012)
    #expect(
      bars.windows == [
        BaseAddressRegisters.Window(region: .bar0, address: 0xE000_0000, size: 0x4000),
        BaseAddressRegisters.Window(region: .bar2, address: 0xD000_1000, size: 0x1000),
        BaseAddressRegisters.Window(region: .bar4, address: 0x12_0000_0000, size: 1 << 33),
      ])
    bars.write(at: 0x14, count: 4, 0x0000_0001)
    #expect(bars.window(.bar0)?.address == 0x1_E000_0000)
    bars.reset()
    #expect(bars == Self.registers())
  }

  @Test func partsOfARegisterAreWrittenAlone() {
    var bars = Self.registers()
    bars.write(at: 0x13, count: 1, 0xE1)
    bars.write(at: 0x10, count: 2, 0xFFFF)
    #expect(bars.read(at: 0x10, count: 4) == 0xE100_C004)
    #expect(bars.read(at: 0x12, count: 2) == 0xE100)
    #expect(bars.read(at: 0x11, count: 1) == 0xC0)
  }

  @Test func aRegionThatWouldPassTheEndOfTheAddressesIsNowhere() {
    var bars = BaseAddressRegisters(kinds: [0x4, 0, 0, 0, 0, 0], sizes: [1 << 40, 0, 0, 0, 0, 0])
    bars.write(at: 0x14, count: 4, 0xFFFF_FFFF)
    #expect(bars.window(.bar0)?.address == 0xFFFF_FF00_0000_0000)
    #expect(bars.window(.bar0)?.offset(of: UInt64.max, count: 8) == nil)
    #expect(bars.window(.bar0)?.offset(of: UInt64.max - 7, count: 8) == (1 << 40) - 8)
  }

  /// I/O, odd sizes, too small, a 64-bit region in the last register, 32 bits and too large, and too few numbers.
  @Test(
    arguments: [
      ([0x1, 0, 0, 0, 0, 0], [0x100, 0, 0, 0, 0, 0]), ([0, 0, 0, 0, 0, 0], [0x3000, 0, 0, 0, 0, 0]),
      ([0, 0, 0, 0, 0, 0], [8, 0, 0, 0, 0, 0]), ([0, 0, 0, 0, 0, 4], [0, 0, 0, 0, 0, 0x1000]),
      ([0, 0, 0, 0, 0, 0], [1 << 32, 0, 0, 0, 0, 0]), ([], []),
    ] as [([UInt32], [UInt64])])
  func regionsThatCannotBeAreLeftOut(kinds: [UInt32], sizes: [UInt64]) {
    var bars = BaseAddressRegisters(kinds: kinds, sizes: sizes)
    for offset in stride(from: 0x10 as UInt64, to: 0x28, by: 4) { bars.write(at: offset, count: 4, 0xFFFF_FFFF) }
    #expect(bars.read(at: 0x10, count: 4) == 0)
    #expect(bars.read(at: 0x24, count: 4) == 0)
    #expect(bars.windows.isEmpty)
  }

  @Test func theUpperHalfOfARegisterIsNoRegister() {
    let bars = BaseAddressRegisters(kinds: [0x4, 0x4, 0, 0, 0, 0], sizes: [0x4000, 0x4000, 0, 0, 0, 0])
    #expect(bars.read(at: 0x14, count: 4) == 0)
    #expect(bars.window(.bar1) == nil)
  }

  @Test func anAccessMustLieInTheWindow() {
    let window = BaseAddressRegisters.Window(region: .bar0, address: 0x1000, size: 0x1000)
    #expect(window.offset(of: 0x1000, count: 4) == 0)
    #expect(window.offset(of: 0x1FFC, count: 4) == 0xFFC)
    #expect(window.offset(of: 0x1FFD, count: 4) == nil)
    #expect(window.offset(of: 0x2000, count: 1) == nil)
    #expect(window.offset(of: 0xFFF, count: 1) == nil)
    #expect(BaseAddressRegisters.Window(region: .bar0, address: 0, size: 4).offset(of: 0, count: 8) == nil)
  }

  @Test func widthsOfAccesses() {
    #expect((0x1234_5678 as UInt32).low(1) == 0x78)
    #expect((0x1234_5678 as UInt32).low(2) == 0x5678)
    #expect((0x1234_5678 as UInt32).low(4) == 0x1234_5678)
    #expect(UInt64.unanswered(8) == .max)
    #expect(UInt32.unanswered(2) == 0xFFFF)
    #expect((0x1122_3344 as UInt32).replacing(from: 1, count: 2, with: 0xAABB_CCDD) == 0x11CC_DD44)
  }
}
