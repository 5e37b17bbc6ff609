import NVMeSpec
import Testing

@Suite struct SupportedLogPagesLogTests {
  @Test func oneWordForEachPage() {
    var log = SupportedLogPagesLog()
    log[.smartHealthInformation] = true
    log[.changedZoneList] = true
    log[.errorInformation] = true
    log[.errorInformation] = false
    var expected = [UInt8](repeating: 0, count: 1024)
    expected[2 * 4] = 1
    expected[0xBF * 4] = 1
    #expect(log.encode() == expected)
    #expect(SupportedLogPagesLog(decoding: expected)?[.smartHealthInformation] == true)
    #expect(SupportedLogPagesLog(decoding: expected)?[.errorInformation] == false)
    #expect(SupportedLogPagesLog(decoding: expected.dropLast()) == nil)
  }
}
