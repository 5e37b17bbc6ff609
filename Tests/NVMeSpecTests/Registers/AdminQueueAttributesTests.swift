import NVMeSpec
import Testing

@Suite struct AdminQueueAttributesTests {
  @Test func sizes() {
    #expect(AdminQueueAttributes(submissionQueueSize: 32, completionQueueSize: 64).rawValue == 0x003F_001F)
    #expect(AdminQueueAttributes(rawValue: 0xFFFF_F000).submissionQueueSize == 1)
    #expect(AdminQueueAttributes(rawValue: 0xFFFF_F000).completionQueueSize == 4096)
    var attributes = AdminQueueAttributes()
    attributes.submissionQueueSize = 4096
    #expect(attributes.rawValue == 0x0000_0FFF)
    attributes.completionQueueSize = .min
    #expect(attributes.completionQueueSize == 4096)
  }
}
