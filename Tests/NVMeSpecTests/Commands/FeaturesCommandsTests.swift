import NVMeSpec
import Testing

@Suite struct FeaturesCommandsTests {
  @Test func get() {
    let entry = SubmissionQueueEntry(namespaceIdentifier: 1, cdw10: 0x0000_0307, cdw11: 0x1234)
    let command = GetFeaturesCommand(entry)
    #expect(command.fid == FeatureIdentifier.numberOfQueues.rawValue)
    #expect(FeatureSelect(rawValue: command.select) == .supportedCapabilities)
    #expect(command.cdw11 == 0x1234)
    #expect(command.nsid == 1)
    #expect(GetFeaturesCommand(SubmissionQueueEntry(cdw10: 0xFFFF_FFFF)).select == 7)

    var made = GetFeaturesCommand(SubmissionQueueEntry())
    made.fid = 7
    made.select = 0xFB
    made.cdw11 = 0x1234
    made.nsid = 1
    #expect(made.entry == entry)
  }

  @Test func set() {
    let entry = SubmissionQueueEntry(
      namespaceIdentifier: 1, cdw10: 0x8000_0006, cdw11: 11, cdw12: 12, cdw13: 13, cdw15: 15)
    let command = SetFeaturesCommand(entry)
    #expect(command.fid == FeatureIdentifier.volatileWriteCache.rawValue)
    #expect(command.save)
    #expect([command.cdw11, command.cdw12, command.cdw13, command.cdw15] == [11, 12, 13, 15])
    #expect(command.nsid == 1)

    var made = SetFeaturesCommand(SubmissionQueueEntry())
    made.fid = 6
    made.save = true
    made.cdw11 = 11
    made.cdw12 = 12
    made.cdw13 = 13
    made.cdw15 = 15
    made.nsid = 1
    #expect(made.entry == entry)
  }

  @Test func select() {
    #expect(FeatureSelect(rawValue: 0) == .current)
    #expect(FeatureSelect(rawValue: 1) == .default)
    #expect(FeatureSelect(rawValue: 2) == .saved)
    #expect(FeatureSelect(rawValue: 4) == nil)
  }
}
