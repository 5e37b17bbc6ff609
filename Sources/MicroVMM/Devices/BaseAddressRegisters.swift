import VFIOUser

/// The base address registers of a PCI function as the guest sees them: where its regions are, and how large.
///
/// The VMM keeps them itself, as a server may keep addresses only: which bits can be written follows from the sizes of
/// the regions. Source: PCI Local Bus Specification 3.0, 6.2.5.1 "Address Maps".
struct BaseAddressRegisters: Equatable, Sendable {
  /// Where the registers are in configuration space.
  static let offsets: Range<UInt64> = 0x10..<0x28
  /// How many there are.
  static let count = 6
  private static let regions: [RegionIndex] = [.bar0, .bar1, .bar2, .bar3, .bar4, .bar5]
  /// The bits of a memory BAR that tell its kind: I/O, type, prefetchable.
  private static let kindMask: UInt32 = 0xF
  private static let ioSpace: UInt32 = 1 << 0

  /// A region where the guest sees it.
  struct Window: Equatable, Sendable {
    /// Which.
    var region: RegionIndex
    /// Its first guest-physical address.
    var address: UInt64
    /// Bytes.
    var size: UInt64

    /// The offset in the region of an access; nil where it is not all inside.
    func offset(of address: UInt64, count: Int) -> UInt64? {
      guard address >= self.address, address - self.address <= size - min(UInt64(count), size),
        UInt64(count) <= size
      else { return nil }
      return address - self.address
    }
  }

  private var registers: [UInt32]
  private let writable: [UInt32]
  /// The size of the region that begins at a register; 0: none.
  private let sizes: [UInt64]
  private let is64Bit: [Bool]

  /// The registers of a function.
  ///
  /// - Parameters:
  ///   - kinds: the registers as the server has them; only bits 3:0 are looked at.
  ///   - sizes: the sizes of the regions. A region that is no memory, whose size is no power of two from 16 bytes on, or
  ///     that does not fit its kind, is left out.
  init(kinds: [UInt32], sizes: [UInt64]) {
    var registers = [UInt32](repeating: 0, count: BaseAddressRegisters.count)
    var writable = registers
    var kept = [UInt64](repeating: 0, count: BaseAddressRegisters.count)
    var wide = [Bool](repeating: false, count: BaseAddressRegisters.count)
    for index in 0..<BaseAddressRegisters.count where index < kinds.count && index < sizes.count {
      let size = sizes[index]
      let kind = kinds[index] & BaseAddressRegisters.kindMask
      let isWide = UInt64(kind) & PCIConfiguration.memoryTypeMask == PCIConfiguration.memoryType64
      let isUpperHalf = index > 0 && wide[index - 1]
      guard size >= 16, size & (size - 1) == 0, kind & BaseAddressRegisters.ioSpace == 0, !isUpperHalf,
        isWide ? index + 1 < BaseAddressRegisters.count : size <= 1 << 31
      else { continue }
      registers[index] = kind
      let mask = ~(size - 1)
      writable[index] = UInt32(truncatingIfNeeded: mask) & ~BaseAddressRegisters.kindMask
      if isWide { writable[index + 1] = UInt32(truncatingIfNeeded: mask >> 32) }
      kept[index] = size
      wide[index] = isWide
    }
    self.registers = registers
    self.writable = writable
    self.sizes = kept
    is64Bit = wide
  }

  /// Reads `count` bytes inside of one register, at an offset of `offsets`.
  func read(at offset: UInt64, count: Int) -> UInt32 {
    let position = offset - BaseAddressRegisters.offsets.lowerBound
    return (registers[Int(position / 4)] >> UInt32(position % 4 * 8)).low(count)
  }

  /// Writes `count` bytes inside of one register, at an offset of `offsets`.
  mutating func write(at offset: UInt64, count: Int, _ value: UInt32) {
    let position = offset - BaseAddressRegisters.offsets.lowerBound
    let index = Int(position / 4)
    let written = registers[index].replacing(from: Int(position % 4), count: count, with: value)
    registers[index] = registers[index] & ~writable[index] | written & writable[index]
  }

  /// As after a reset: every region without an address.
  mutating func reset() {
    for index in registers.indices { registers[index] &= ~writable[index] }
  }

  /// Where a region is; nil where there is none, where it has no address yet, or where it would pass 2^64.
  func window(_ region: RegionIndex) -> Window? {
    guard let index = BaseAddressRegisters.regions.firstIndex(of: region), sizes[index] > 0 else { return nil }
    var address = UInt64(registers[index] & ~BaseAddressRegisters.kindMask)
    if is64Bit[index] { address |= UInt64(registers[index + 1]) << 32 }
    guard address != 0, !address.addingReportingOverflow(sizes[index] - 1).overflow else { return nil }
    return Window(region: region, address: address, size: sizes[index])
  }

  /// Where the regions are that have an address.
  var windows: [Window] { BaseAddressRegisters.regions.compactMap(window) }
}
