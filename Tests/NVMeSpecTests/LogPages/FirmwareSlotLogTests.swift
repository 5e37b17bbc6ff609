import NVMeSpec
import Testing

@Suite struct FirmwareSlotLogTests {
  @Test func layout() {
    checkLayout(
      of: FirmwareSlotLog.self,
      [.integer("afi", \.activeFirmwareInformation), .reserved(7), .reserved(7 * 8), .reserved(448)])
  }

  @Test(arguments: [(1, 8), (7, 56)]) func revisions(slot: Int, offset: Int) {
    var log = FirmwareSlotLog()
    log[revisionInSlot: slot] = "1.0"
    var expected = [UInt8](repeating: 0, count: 512)
    expected.replaceSubrange(offset..<offset + 8, with: [0x31, 0x2E, 0x30, 0x20, 0x20, 0x20, 0x20, 0x20])
    #expect(log.encode() == expected)
    #expect(log[revisionInSlot: slot] == "1.0")
  }

  @Test(arguments: [0, 8]) func slotsThatAreNot(slot: Int) {
    var log = FirmwareSlotLog()
    log[revisionInSlot: slot] = "x"
    #expect(log == FirmwareSlotLog())
    #expect(log[revisionInSlot: slot] == nil)
  }
}
