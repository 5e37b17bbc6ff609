import NVMeSpec
import Testing

@Suite struct StatusTests {
  @Test func fields() {
    let status = Status(rawValue: 0xFFFF)
    #expect(status.rawValue == 0x7FFF)
    #expect(status.statusCode == 0xFF)
    #expect(status.statusCodeType == .vendorSpecific)
    #expect(status.commandRetryDelay == 3)
    #expect(status.more && status.doNotRetry && !status.isSuccess)
    #expect(Status(type: .mediaError, code: 0x85, doNotRetry: true).rawValue == 0x4285)
  }

  @Test(arguments: 0...7) func types(value: UInt16) {
    #expect(Status(rawValue: value << 8).statusCodeType.rawValue == UInt8(value))
  }

  @Test func flags() {
    #expect(Status.invalidField.retryable().rawValue == 0x0002)
    #expect(Status.invalidField.retryable().notRetryable() == .invalidField)
    #expect(Status.success.withMore(true).rawValue == 0x2000)
    #expect(Status.success.withMore(true).isSuccess)
    #expect(Status.invalidField.withMore(true).withMore(false) == .invalidField)
    #expect(Status.invalidField.isSameCode(as: .invalidField.retryable()))
    #expect(!Status.invalidField.isSameCode(as: .completionQueueInvalid))
  }

  @Test func size() { #expect(MemoryLayout<Status>.size == 2) }
}
