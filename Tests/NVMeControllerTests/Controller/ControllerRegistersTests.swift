import NVMeController
import NVMeSpec
import Testing

/// What the register file shows and takes: `Controller+Registers.swift` and `ControllerRegisters.swift`.
@Suite struct ControllerRegistersTests {
  /// MQES 255, CQR, TO 127.5 s, the NVM command set, 4 KiB pages only.
  private static let capabilities: UInt64 = 0x20_ff01_00ff

  @Test(arguments: [
    (0x00, 8, ControllerRegistersTests.capabilities), (0x00, 4, 0xff01_00ff), (0x04, 4, 0x20), (0x08, 4, 0x1_0400),
    (0x0c, 4, 0), (0x10, 4, 0), (0x14, 4, 0), (0x18, 4, 0), (0x1c, 4, 0), (0x20, 4, 0), (0x24, 4, 0), (0x28, 8, 0),
    (0x30, 8, 0), (0x38, 4, 0), (0x3c, 4, 0), (0x40, 4, 0), (0x44, 4, 0), (0x48, 8, 0), (0x50, 8, 0), (0x58, 4, 0),
    (0x5c, 4, 0), (0x60, 4, 0), (0x64, 4, 0), (0x68, 4, 0), (0xe00, 4, 0), (0xe1c, 4, 0), (0xffc, 4, 0),
    (0x1000, 4, 0), (0x1004, 4, 0), (0x3ffc, 4, 0),
  ])
  func valuesAfterPowerOn(offset: UInt64, count: Int, value: UInt64) throws {
    let host = try Host(isEnabled: false)
    #expect(host.controller.readRegister(offset: offset, count: count) == value)
  }

  @Test func queueEntriesAreMQES() throws {
    let host = try Host(isEnabled: false) { $0.queueEntries = 1024 }
    #expect(ControllerCapabilities(rawValue: host.read64(0)).maximumQueueEntriesSupported == 1023)
  }

  /// Firmware and dumps read bytes, words and what crosses registers.
  @Test(
    arguments: [
      (0x00, 1, 0xff), (0x01, 1, 0), (0x02, 1, 0x01), (0x03, 1, 0xff), (0x02, 2, 0xff01), (0x03, 4, 0x20ff),
      (0x07, 4, 0x104_0000), (0x09, 1, 0x04), (0x08, 8, 0x1_0400), (0x06, 8, 0x1_0400_0000), (0x00, 3, 0x01_00ff),
    ] as [(UInt64, Int, UInt64)])
  func readsOfAnyWidth(offset: UInt64, count: Int, value: UInt64) throws {
    let host = try Host(isEnabled: false)
    #expect(host.controller.readRegister(offset: offset, count: count) == value)
  }

  @Test(arguments: [UInt64.max - 3, 1 << 63, 0x4000]) func readsFarOutside(offset: UInt64) throws {
    let host = try Host(isEnabled: false)
    #expect(host.controller.readRegister(offset: offset, count: 4) == 0)
    host.write32(offset, 1)
    host.write64(offset, 1)
  }

  // MARK: Writes

  @Test(arguments: [0x28, 0x30] as [UInt64], [[0, 4], [4, 0]] as [[UInt64]])
  func queueBasesByHalves(register: UInt64, order: [UInt64]) throws {
    let host = try Host(isEnabled: false)
    let value: UInt64 = 0x1234_5678_9abc_d000
    for half in order { host.write32(register + half, UInt32(truncatingIfNeeded: value >> (half * 8))) }
    #expect(host.read64(register) == value)
    // One half leaves the other as it is.
    host.write32(register + order[0], 0)
    #expect(host.read64(register) == (order[0] == 0 ? value & ~0xffff_ffff : value & 0xffff_ffff))
    host.write64(register, value)
    #expect(host.read32(register) == 0x9abc_d000 && host.read32(register + 4) == 0x1234_5678)
  }

  @Test(arguments: [0x28, 0x30] as [UInt64]) func lowBitsOfQueueBasesAreReserved(register: UInt64) throws {
    let host = try Host(isEnabled: false)
    host.write64(register, UInt64.max)
    #expect(host.read64(register) == 0xffff_ffff_ffff_f000)
  }

  @Test func reservedBitsOfAQA() throws {
    let host = try Host(isEnabled: false)
    host.write32(ControllerRegister.adminQueueAttributes, UInt32.max)
    #expect(host.read32(ControllerRegister.adminQueueAttributes) == 0x0fff_0fff)
  }

  @Test func reservedBitsOfCC() throws {
    let host = try Host(isEnabled: false)
    host.write32(ControllerRegister.configuration, ~1)
    #expect(host.read32(ControllerRegister.configuration) == 0x00ff_fff0)
    #expect(host.status == ControllerStatus(), "SHN 11b is reserved, and EN is 0")
  }

  @Test func interruptMask() throws {
    let host = try Host(isEnabled: false)
    host.write32(ControllerRegister.interruptMaskSet, 0xf0f0_0001)
    #expect(host.read32(ControllerRegister.interruptMaskSet) == 0xf0f0_0001)
    #expect(host.read32(ControllerRegister.interruptMaskClear) == 0xf0f0_0001)
    host.write32(ControllerRegister.interruptMaskSet, 2)
    host.write32(ControllerRegister.interruptMaskClear, 0xf000_0000)
    #expect(host.read32(ControllerRegister.interruptMaskSet) == 0x00f0_0003)
  }

  @Test(arguments: [
    ControllerRegister.capabilities, ControllerRegister.capabilities + 4, ControllerRegister.version,
    ControllerRegister.status, ControllerRegister.subsystemReset, 0x18, 0x38, 0x3c, 0x40, 0x44, 0x48, 0x50, 0x64,
    0x68, 0xe04, 0xe14, 0xffc,
  ])
  func writesToWhatIsReadOnly(offset: UInt64) throws {
    let host = try Host(isEnabled: false)
    let before = (0..<1024).map { host.read32(UInt64($0) * 4) }
    // NSSR takes this one ("NVMe") where it is supported.
    for value: UInt32 in [UInt32.max, 0x4e56_4d65] { host.write32(offset, value) }
    #expect((0..<1024).map { host.read32(UInt64($0) * 4) } == before)
  }

  @Test(
    arguments: [
      (0x24, 1), (0x24, 2), (0x25, 1), (0x26, 2), (0x26, 4), (0x25, 4), (0x24, 3), (0x2a, 8), (0x29, 4), (0x15, 4),
    ] as [(UInt64, Int)])
  func writesOfOtherWidthsAreIgnored(offset: UInt64, count: Int) throws {
    let host = try Host(isEnabled: false)
    host.controller.writeRegister(offset: offset, count: count, value: UInt64.max)
    #expect(host.read32(ControllerRegister.adminQueueAttributes) == 0)
    #expect(host.read64(ControllerRegister.adminSubmissionQueueBase) == 0)
    #expect(host.read32(ControllerRegister.configuration) == 0)
  }

  /// Drivers read the admin queue's registers back while the controller runs.
  @Test func adminQueueRegistersWhileEnabled() throws {
    let host = try Host()
    host.write32(ControllerRegister.adminQueueAttributes, 0)
    host.write64(ControllerRegister.adminSubmissionQueueBase, 0)
    host.write32(ControllerRegister.adminCompletionQueueBase, 0)
    host.write32(ControllerRegister.adminCompletionQueueBase + 4, 0)
    #expect(host.read32(ControllerRegister.adminQueueAttributes) == 0x001f_001f)
    #expect(host.read64(ControllerRegister.adminSubmissionQueueBase) == host.adminSubmission.iova)
    #expect(host.read64(ControllerRegister.adminCompletionQueueBase) == host.adminCompletion.iova)
    try host.disable()
    #expect(host.read64(ControllerRegister.adminSubmissionQueueBase) == host.adminSubmission.iova, "kept by CC.EN 0")
    host.write64(ControllerRegister.adminSubmissionQueueBase, 0)
    #expect(host.read64(ControllerRegister.adminSubmissionQueueBase) == 0)
  }

  @Test func doorbellsReadAsZero() throws {
    let host = try Host([try .memory()])
    try host.createQueuePair()
    for _ in 0..<3 { try host.io(.flush()) }
    for offset in stride(from: UInt64(0x1000), to: 0x1040, by: 4) { #expect(host.read32(offset) == 0) }
  }

  /// Only 4 bytes, aligned, are a doorbell.
  @Test(arguments: [(0x1008, 8), (0x1008, 1), (0x1008, 2), (0x100a, 4), (0x1009, 4)] as [(UInt64, Int)])
  func doorbellsOfOtherWidthsAreIgnored(offset: UInt64, count: Int) throws {
    let host = try Host([try .memory()])
    let queue = try host.createQueuePair()
    let command = queue.put(.flush())
    host.controller.writeRegister(offset: offset, count: count, value: 1)
    try host.settle()
    #expect(host.completions[1]?.entries.isEmpty == true)
    host.ring(queue)
    #expect(try host.completion(of: command, on: queue).status == .success)
  }
}
