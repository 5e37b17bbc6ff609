import NVMeSpec
import Testing

@testable import NVMeHost

@Suite struct CommandsTests {
  private typealias Entry = SubmissionQueueEntry

  private static func entry(
    _ opcode: UInt32, nsid: UInt32 = 0, prp1: UInt64 = 0, _ dwords: (UInt32, UInt32, UInt32, UInt32, UInt32)
  ) -> SubmissionQueueEntry {
    SubmissionQueueEntry(
      cdw0: opcode, namespaceIdentifier: nsid, dataPointer0: prp1, cdw10: dwords.0, cdw11: dwords.1,
      cdw12: dwords.2, cdw13: dwords.3, cdw14: dwords.4)
  }

  @Test func identify() {
    #expect(
      Entry.identify(cns: 0x12, nsid: 7, controller: 3, csi: 2)
        == Self.entry(0x06, nsid: 7, (0x0003_0012, 0x0200_0000, 0, 0, 0)))
  }

  @Test func getLogPage() {
    #expect(
      Entry.getLogPage(2, byteCount: 512) == Self.entry(0x02, nsid: .max, (0x007F_0002, 0, 0, 0, 0)))
    #expect(
      Entry.getLogPage(5, byteCount: 1 << 20, offset: 0x1_0000_0004, nsid: 1, retainsEvent: true)
        == Self.entry(0x02, nsid: 1, (0xFFFF_8005, 0x0003, 4, 1, 0)))
  }

  @Test func features() {
    #expect(Entry.getFeatures(0x0B, select: 3, nsid: 1) == Self.entry(0x0A, nsid: 1, (0x30B, 0, 0, 0, 0)))
    #expect(
      Entry.setFeatures(0x07, 0x0003_0004, cdw12: 9, save: true)
        == Self.entry(0x09, (0x8000_0007, 0x0003_0004, 9, 0, 0)))
  }

  @Test func queues() {
    #expect(
      Entry.createCompletionQueue(3, size: 65_536, iova: 0x1_2345_6000, vector: 5)
        == Self.entry(0x05, prp1: 0x1_2345_6000, (0xFFFF_0003, 0x0005_0003, 0, 0, 0)))
    #expect(
      Entry.createCompletionQueue(3, size: 2, iova: 0x1000)
        == Self.entry(0x05, prp1: 0x1000, (0x0001_0003, 0x0000_0001, 0, 0, 0)))
    #expect(
      Entry.createSubmissionQueue(4, size: 256, iova: 0x9000, completionQueue: 3)
        == Self.entry(0x01, prp1: 0x9000, (0x00FF_0004, 0x0003_0005, 0, 0, 0)))
    #expect(Entry.deleteSubmissionQueue(4) == Self.entry(0x00, (4, 0, 0, 0, 0)))
    #expect(Entry.deleteCompletionQueue(3) == Self.entry(0x04, (3, 0, 0, 0, 0)))
  }

  @Test func others() {
    #expect(Entry.abort(submissionQueue: 2, command: 0xABCD) == Self.entry(0x08, (0xABCD_0002, 0, 0, 0, 0)))
    #expect(Entry.asynchronousEventRequest == Self.entry(0x0C, (0, 0, 0, 0, 0)))
  }

  @Test func io() {
    #expect(
      Entry.io(.read, nsid: 5, slba: 0x1234_5678_9ABC, blocks: 65_536)
        == Self.entry(0x02, nsid: 5, (0x5678_9ABC, 0x1234, 0xFFFF, 0, 0)))
    #expect(Entry.flush(nsid: .max) == Self.entry(0x00, nsid: .max, (0, 0, 0, 0, 0)))
    #expect(Entry.deallocate(nsid: 1, ranges: 256) == Self.entry(0x09, nsid: 1, (0xFF, 4, 0, 0, 0)))
  }
}
