import NVMeSpec
import Testing

@Suite struct LogicalBlockFieldsTests {
  @Test func startingBlock() {
    var entry = SubmissionQueueEntry(cdw10: 0x5566_7788, cdw11: 0x1122_3344)
    #expect(entry.slba == 0x1122_3344_5566_7788)
    entry.slba = 0x0102_0304_0506_0708
    #expect(entry.cdw10 == 0x0506_0708)
    #expect(entry.cdw11 == 0x0102_0304)
  }

  @Test func numberOfBlocks() {
    #expect(SubmissionQueueEntry(cdw12: 0xFFFF_0000).numberOfLogicalBlocks == 1)
    #expect(SubmissionQueueEntry(cdw12: 0x0000_FFFF).numberOfLogicalBlocks == 65536)
    var entry = SubmissionQueueEntry(cdw12: 0xC000_0000)
    entry.numberOfLogicalBlocks = 65536
    #expect(entry.cdw12 == 0xC000_FFFF)
    entry.numberOfLogicalBlocks = 1
    #expect(entry.cdw12 == 0xC000_0000)
    entry.numberOfLogicalBlocks = 0
    #expect(entry.numberOfLogicalBlocks == 65536)
  }

  @Test func bits() {
    func filled(_ fill: (inout SubmissionQueueEntry) -> Void) -> UInt32 {
      var entry = SubmissionQueueEntry()
      fill(&entry)
      return entry.cdw12
    }
    #expect(filled { $0.limitedRetry = true } == 1 << 31)
    #expect(filled { $0.forceUnitAccess = true } == 1 << 30)
    #expect(filled { $0.protectionInformationAction = true } == 1 << 29)
    #expect(filled { $0.protectionInformationCheck = .max } == 7 << 26)
    #expect(filled { $0.deallocate = true } == 1 << 25)
    #expect(filled { $0.storageTagCheck = true } == 1 << 24)
    #expect(filled { $0.directiveType = .max } == 0xF << 20)
    let full = SubmissionQueueEntry(cdw12: 0xFFFF_FFFF)
    #expect(full.limitedRetry && full.forceUnitAccess && full.protectionInformationAction)
    #expect(full.deallocate && full.storageTagCheck)
    #expect(full.protectionInformationCheck == 7)
    #expect(full.directiveType == 15)
    #expect(!SubmissionQueueEntry(cdw12: ~(1 << 30)).forceUnitAccess)
  }
}
