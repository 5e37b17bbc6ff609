import Testing

@testable import PCIDevice

@Suite struct ConfigurationSpaceTests {
  /// The whole space after reset, byte by byte, as the specification's figures lay it out.
  @Test func everyByteAfterReset() throws {
    let identity = PCIIdentity(
      vendor: 0x1234, device: 0x5678, subsystemVendor: 0x9abc, subsystem: 0xdef0, revision: 0x42)
    let space = ConfigurationSpace(identity: identity, msix: try layout(65))
    var expected = [UInt8](repeating: 0, count: 4096)
    let rows: [(Int, [UInt8])] = [
      (0x00, [0x34, 0x12, 0x78, 0x56, 0x00, 0x00, 0x10, 0x00]),
      (0x08, [0x42, 0x02, 0x08, 0x01, 0x00, 0x00, 0x00, 0x00]),
      (0x10, [0x04, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00]),
      (0x20, [0x04, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00]),
      (0x28, [0x00, 0x00, 0x00, 0x00, 0xbc, 0x9a, 0xf0, 0xde]),
      (0x30, [0x00, 0x00, 0x00, 0x00, 0x40, 0x00, 0x00, 0x00]),
      (0x38, [0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00]),
      // Power Management: version 3, No_Soft_Reset.
      (0x40, [0x01, 0x50, 0x03, 0x00, 0x08, 0x00, 0x00, 0x00]),
      // MSI-X: 65 vectors, table at BAR4 + 0, pending bits at BAR4 + 1000h.
      (0x50, [0x11, 0x60, 0x40, 0x00, 0x04, 0x00, 0x00, 0x00, 0x04, 0x10, 0x00, 0x00]),
      // PCI Express: version 2 endpoint; role-based error reporting and FLR.
      (0x60, [0x10, 0x00, 0x02, 0x00, 0x00, 0x80, 0x00, 0x10]),
      (0x68, [0x10, 0x28, 0x00, 0x00, 0x43, 0x00, 0x40, 0x00]),
      (0x70, [0x00, 0x00, 0x43, 0x10]),
      (0x84, [0x10, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00]),
      (0x8c, [0x0e, 0x00, 0x00, 0x00, 0x03, 0x00, 0x00, 0x00]),
    ]
    for (offset, bytes) in rows { expected.replaceSubrange(offset..<offset + bytes.count, with: bytes) }
    #expect(space.read(at: 0, count: 4096) == expected)
  }

  @Test func defaultIdentityAvoidsKnownQuirks() throws {
    let space = try configurationSpace()
    #expect(try space.value(0x00, 4) == 0x10f0_1af4)
    #expect(try space.value(0x08, 4) == 0x0108_0201)
    #expect(try space.value(0x2c, 4) == 0x10f0_1af4)
  }

  @Test func capabilityListEndsAndStaysInsideTheSpace() throws {
    let space = try configurationSpace()
    var found: [UInt32] = []
    var next = try space.value(0x34, 1)
    while next != 0, found.count < 48 {
      #expect(next & 3 == 0)
      #expect(next >= 0x40)
      found.append(try space.value(UInt64(next), 1))
      next = try space.value(UInt64(next) + 1, 1)
    }
    #expect(found == [0x01, 0x11, 0x10])
  }

  /// One register and the bits of it that a write of ones sets; every other bit of the space must not move.
  struct Writable {
    let offset: UInt64
    let width: Int
    let ones: UInt32
  }

  static let writable: [Writable] = [
    Writable(offset: 0x04, width: 2, ones: 0x0546),
    Writable(offset: 0x0c, width: 1, ones: 0x00ff),
    Writable(offset: 0x10, width: 4, ones: 0xffff_c004),
    Writable(offset: 0x14, width: 4, ones: 0xffff_ffff),
    Writable(offset: 0x20, width: 4, ones: 0xffff_e004),
    Writable(offset: 0x24, width: 4, ones: 0xffff_ffff),
    Writable(offset: 0x3c, width: 1, ones: 0x00ff),
    Writable(offset: 0x44, width: 2, ones: 0x000b),
    Writable(offset: 0x52, width: 2, ones: 0xc040),
    Writable(offset: 0x68, width: 2, ones: 0x78ff),
    Writable(offset: 0x70, width: 2, ones: 0x00cb),
    Writable(offset: 0x88, width: 2, ones: 0x0010),
    Writable(offset: 0x90, width: 2, ones: 0x000f),
  ]

  @Test func onesSetExactlyTheWritableBits() throws {
    var space = try configurationSpace()
    var expected = try #require(space.read(at: 0, count: 4096))
    for register in Self.writable {
      for byte in 0..<register.width {
        expected[Int(register.offset) + byte] = UInt8(truncatingIfNeeded: register.ones >> UInt32(byte * 8))
      }
    }
    try space.fill(0xff, count: 4096)
    #expect(space.read(at: 0, count: 4096) == expected)
  }

  @Test func zerosClearExactlyTheWritableBits() throws {
    var space = try configurationSpace()
    var expected = try #require(space.read(at: 0, count: 4096))
    // Registers that are writable and not zero after reset.
    expected[0x68] = 0
    expected[0x69] = 0
    expected[0x90] = 0
    try space.fill(0xff, count: 4096)
    try space.fill(0, count: 4096)
    #expect(space.read(at: 0, count: 4096) == expected)
  }

  @Test(arguments: ConfigurationSpaceTests.writable.indices)
  func aRegisterIsWrittenAloneAsWithItsNeighbours(_ index: Int) throws {
    let register = Self.writable[index]
    var whole = try configurationSpace()
    var bytewise = whole
    try whole.set(register.offset, register.width, .max)
    #expect(try whole.value(register.offset, register.width) == register.ones)
    for byte in 0..<UInt64(register.width) {
      // Writing 11b to the power state bits byte by byte is the same as at once: they are in one byte.
      try bytewise.set(register.offset + byte, 1, 0xff)
    }
    #expect(bytewise == whole)
  }

  @Test func errorBitsAreClearedByWritingOnes() throws {
    var space = try configurationSpace()
    var state = space.encodedState
    state[0x07] = 0xf9  // Status: all errors detected.
    state[0x6a] = 0x0f  // Device Status: all errors detected.
    #expect(space.restore(encodedState: state) == true)
    #expect(try space.value(0x06, 2) == 0xf910)

    try space.set(0x06, 2, 0x0000)
    #expect(try space.value(0x06, 2) == 0xf910)
    try space.set(0x06, 2, 0x8110)
    #expect(try space.value(0x06, 2) == 0x7810)
    try space.set(0x04, 4, 0xffff_0000)
    #expect(try space.value(0x06, 2) == 0x0010)

    try space.set(0x6a, 1, 0x05)
    #expect(try space.value(0x6a, 2) == 0x000a)
    try space.set(0x68, 4, 0x000a_0000)
    #expect(try space.value(0x6a, 2) == 0)
  }

  // MARK: Ranges

  @Test func readsAndWritesOfOddWidthsAndAlignments() throws {
    var space = try configurationSpace()
    #expect(space.read(at: 0x09, count: 3) == [0x02, 0x08, 0x01])
    #expect(space.read(at: 0x33, count: 3) == [0x00, 0x40, 0x00])
    // Bus Master with two bytes that straddle the revision-side neighbours: 03h (read-only) and 04h.
    #expect(
      space.write(at: 0x03, bytes: [0xff, 0x06]) == [.busMasterChanged, .memorySpaceChanged, .bar0AddressChanged])
    #expect(try space.value(0x00, 4) == 0x10f0_1af4)
    // Seven bytes over both halves of BAR0, from an odd address.
    #expect(space.write(at: 0x11, bytes: [0xff, 0xee, 0xdd, 0xcc, 0xbb, 0xaa, 0x99]) == [.bar0AddressChanged])
    #expect(space.bar0Address == 0x99aa_bbcc_ddee_c000)
  }

  @Test func extendedSpaceIsEmptyAndIgnoresWrites() throws {
    var space = try configurationSpace()
    let before = space
    #expect(try space.set(0x100, 4, 0xffff_ffff) == [])
    #expect(try space.value(0x100, 4) == 0)
    #expect(space.write(at: 0xfc, bytes: [1, 2, 3, 4, 5, 6, 7, 8]) == [])
    #expect(space.write(at: 4095, bytes: [0xff]) == [])
    #expect(space.read(at: 0xffe, count: 2) == [0, 0])
    #expect(space == before)
  }

  @Test(arguments: [
    (UInt64(4096), 1), (4095, 2), (4093, 4), (0, 4097), (UInt64.max, 1), (UInt64.max - 3, 4), (1 << 63, 8),
    (UInt64(UInt32.max), 1),
  ])
  func accessesOutsideTheSpaceAreRefused(_ offset: UInt64, _ count: Int) throws {
    var space = try configurationSpace()
    let before = space
    #expect(space.read(at: offset, count: count) == nil)
    var buffer = [UInt8](repeating: 0x5a, count: count)
    var span = buffer.mutableSpan
    #expect(space.read(at: offset, into: &span) == false)
    #expect(buffer == [UInt8](repeating: 0x5a, count: count))
    #expect(space.write(at: offset, bytes: [UInt8](repeating: 0xff, count: count)) == nil)
    #expect(space == before)
  }

  @Test func emptyAndNegativeLengths() throws {
    var space = try configurationSpace()
    #expect(space.read(at: 0, count: 0) == [])
    #expect(space.read(at: 4096, count: 0) == [])
    #expect(space.read(at: 4097, count: 0) == nil)
    #expect(space.read(at: 0, count: -1) == nil)
    #expect(space.write(at: 4096, bytes: []) == [])
    #expect(space.write(at: 4097, bytes: []) == nil)
  }

  // MARK: Sizing probes

  /// QEMU and SeaBIOS write ones to one dword at a time; Linux to the low, then the high one, and restores.
  @Test(arguments: [(UInt64(0x10), UInt32(0xffff_c004)), (0x20, 0xffff_e004)])
  func barSizing(_ offset: UInt64, _ low: UInt32) throws {
    var space = try configurationSpace()
    try space.set(offset, 4, 0xfebf_0000)
    try space.set(offset + 4, 4, 0x0000_0080)
    try space.set(offset, 4, 0xffff_ffff)
    #expect(try space.value(offset, 4) == low)
    try space.set(offset, 4, 0xfebf_0000)
    try space.set(offset + 4, 4, 0xffff_ffff)
    #expect(try space.value(offset + 4, 4) == 0xffff_ffff)
    try space.set(offset + 4, 4, 0x0000_0080)
    #expect(try space.value(offset, 4) == 0xfebf_0004)
    #expect(try space.value(offset + 4, 4) == 0x80)
  }

  @Test(arguments: [UInt64(0x18), 0x1c, 0x28, 0x30])
  func absentBarsAndRomReadZero(_ offset: UInt64) throws {
    var space = try configurationSpace()
    // SeaBIOS, Linux and QEMU's vfio-user client leave the low 11 bits of the ROM probe clear.
    for probe: UInt32 in [0xffff_ffff, 0xffff_f800, 0xffff_fffe, 0] {
      #expect(try space.set(offset, 4, probe) == [])
      #expect(try space.value(offset, 4) == 0)
    }
  }

  @Test(arguments: [
    (1, UInt32(0xffff_e004)), (256, 0xffff_e004), (257, 0xffff_c004), (512, 0xffff_c004), (2048, 0xffff_0004),
  ])
  func msixBarGrowsWithTheVectors(_ vectors: Int, _ low: UInt32) throws {
    var space = ConfigurationSpace(msix: try layout(vectors))
    try space.set(0x20, 4, .max)
    #expect(try space.value(0x20, 4) == low)
    #expect(try space.value(0x52, 2) == UInt32(vectors - 1))
  }

  // MARK: Events

  @Test func busMasterAndMemorySpace() throws {
    var space = try configurationSpace()
    #expect(!space.busMasterEnabled)
    #expect(!space.memorySpaceEnabled)
    #expect(try space.set(0x04, 2, 0x0004) == [.busMasterChanged])
    #expect(space.busMasterEnabled)
    #expect(try space.set(0x04, 2, 0x0004) == [])
    #expect(try space.set(0x04, 1, 0x06) == [.memorySpaceChanged, .bar0AddressChanged])
    #expect(space.memorySpaceEnabled)
    #expect(try space.set(0x04, 4, 0x0000_0400) == [.busMasterChanged, .memorySpaceChanged, .bar0AddressChanged])
    #expect(try space.value(0x04, 2) == 0x0400)
    // I/O space cannot be enabled.
    #expect(try space.set(0x04, 2, 0x0001) == [])
    #expect(try space.value(0x04, 2) == 0)
  }

  @Test func bar0AddressIsThatOfADecodingBar() throws {
    var space = try configurationSpace()
    #expect(try space.set(0x10, 4, 0xfebf_3fff) == [])
    #expect(try space.set(0x14, 4, 0x0000_0001) == [])
    #expect(space.bar0Address == nil)
    #expect(try space.set(0x04, 2, 2) == [.memorySpaceChanged, .bar0AddressChanged])
    #expect(space.bar0Address == 0x1_febf_0000)
    #expect(try space.set(0x14, 4, 0x0000_0001) == [])
    #expect(try space.set(0x14, 4, 0) == [.bar0AddressChanged])
    #expect(space.bar0Address == 0xfebf_0000)
    #expect(try space.set(0x20, 4, 0xfebf_8000) == [])
    #expect(try space.set(0x04, 2, 0) == [.memorySpaceChanged, .bar0AddressChanged])
    #expect(space.bar0Address == nil)
  }

  @Test func msixControl() throws {
    var space = try configurationSpace()
    // Linux masks and enables, fills the table, then unmasks.
    #expect(try space.set(0x52, 2, 0xc040) == [.msixControlChanged])
    #expect(space.msixEnabled)
    #expect(space.msixFunctionMask)
    #expect(try space.set(0x52, 2, 0x8040) == [.msixControlChanged])
    #expect(space.msixEnabled)
    #expect(!space.msixFunctionMask)
    #expect(try space.set(0x50, 4, 0x8000_0000) == [])
    #expect(try space.set(0x53, 1, 0x40) == [.msixControlChanged])
    #expect(!space.msixEnabled)
    #expect(try space.value(0x50, 4) == 0x4040_6011)
  }

  @Test func d3hotKeepsTheState() throws {
    var space = try configurationSpace()
    try space.set(0x10, 4, 0xfebf_0000)
    try space.set(0x04, 2, 0x0006)
    try space.set(0x52, 2, 0x8000)
    let working = space
    #expect(space.powerState == .d0)
    #expect(try space.set(0x44, 2, 0x0003) == [.powerStateChanged])
    #expect(space.powerState == .d3hot)
    #expect(try space.value(0x44, 4) == 0x000b)
    #expect(try space.set(0x44, 2, 0x0003) == [])
    #expect(try space.set(0x44, 4, 0) == [.powerStateChanged])
    #expect(space == working)
  }

  @Test(arguments: [UInt32(1), 2])
  func unsupportedPowerStatesAreDiscarded(_ state: UInt32) throws {
    var space = try configurationSpace()
    #expect(try space.set(0x44, 2, state) == [])
    #expect(try space.value(0x44, 2) == 0x0008)
    try space.set(0x44, 2, 3)
    #expect(try space.set(0x44, 2, state) == [])
    #expect(space.powerState == .d3hot)
  }

  // MARK: Reset

  /// Offset, width and value of writes that carry Device Control bit 15.
  @Test(arguments: [(UInt64(0x68), 2, UInt32(0xa810)), (0x68, 4, 0x0000_a810), (0x69, 1, 0xa8), (0x67, 3, 0xa8_1000)])
  func functionLevelResetIsReported(_ offset: UInt64, _ width: Int, _ value: UInt32) throws {
    var space = try configurationSpace()
    try space.set(0x04, 2, 6)
    #expect(try space.set(offset, width, value) == [.functionLevelReset])
    // Nothing is reset until the owner has stopped the device, and the bit reads as zero.
    #expect(try space.value(0x68, 2) == 0x2810)
    #expect(space.busMasterEnabled)
  }

  @Test(arguments: [
    (UInt64(0x68), 1, UInt32(0xff)), (0x68, 2, 0x7fff), (0x6a, 2, 0x8000), (0x89, 1, 0x80), (0x70, 2, 0x8000),
  ])
  func otherWritesDoNotReset(_ offset: UInt64, _ width: Int, _ value: UInt32) throws {
    var space = try configurationSpace()
    #expect(try space.set(offset, width, value) == [])
  }

  @Test func functionLevelResetKeepsTheLink() throws {
    var space = try configurationSpace()
    var expected = try #require(space.read(at: 0, count: 4096))
    try space.fill(0xff, count: 256)
    #expect(space.powerState == .d3hot)
    space.functionLevelReset()
    expected[0x68] |= 0xe0  // Max_Payload_Size
    expected[0x70] = 0xcb  // Link Control
    expected[0x90] = 0x0f  // Target Link Speed
    #expect(space.read(at: 0, count: 4096) == expected)
    #expect(!space.busMasterEnabled)
    #expect(!space.msixEnabled)
    #expect(space.powerState == .d0)
    #expect(space.bar0Address == nil)
  }

  @Test func conventionalResetKeepsNothing() throws {
    var space = try configurationSpace()
    let fresh = space
    try space.fill(0xff, count: 256)
    #expect(space != fresh)
    space.reset()
    #expect(space == fresh)
  }

  // MARK: State

  @Test func stateIsTakenOver() throws {
    var space = try configurationSpace()
    try space.set(0x04, 2, 6)
    try space.set(0x10, 4, 0xfebf_0000)
    try space.set(0x52, 2, 0x8000)
    var successor = try configurationSpace()
    #expect(successor.restore(encodedState: space.encodedState) == true)
    #expect(successor == space)
    #expect(successor.bar0Address == 0xfebf_0000)
  }

  @Test func stateOfAnotherDeviceIsRefused() throws {
    var space = try configurationSpace()
    let before = space
    let other = ConfigurationSpace(msix: try layout(33))
    #expect(space.restore(encodedState: other.encodedState) == false)
    #expect(space.restore(encodedState: []) == false)
    #expect(space.restore(encodedState: [UInt8](repeating: 0, count: 256)) == false)
    #expect(space.restore(encodedState: before.encodedState + [0]) == false)
    var badPowerState = before.encodedState
    badPowerState[0x44] = 0x0a
    #expect(space.restore(encodedState: badPowerState) == false)
    #expect(space == before)
  }
}
