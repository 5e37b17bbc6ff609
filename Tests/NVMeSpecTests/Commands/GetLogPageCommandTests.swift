import NVMeSpec
import Testing

@Suite struct GetLogPageCommandTests {
  @Test func fields() {
    let entry = SubmissionQueueEntry(
      namespaceIdentifier: 0xFFFF_FFFF, cdw10: 0x007F_8502, cdw11: 0x1234_0000, cdw12: 0x200, cdw13: 1,
      cdw14: 0x0180_0003)
    let command = GetLogPageCommand(entry)
    #expect(command.logPageIdentifier == LogPageIdentifier.smartHealthInformation.rawValue)
    #expect(command.lsp == 5)
    #expect(command.retainAsynchronousEvent)
    #expect(command.numberOfDwords == 128)
    #expect(command.byteCount == 512)
    #expect(command.lsi == 0x1234)
    #expect(command.offset == 0x1_0000_0200)
    #expect(command.uuidIndex == 3)
    #expect(command.offsetType)
    #expect(command.csi == 1)
    #expect(command.nsid == 0xFFFF_FFFF)

    var made = GetLogPageCommand(SubmissionQueueEntry())
    made.logPageIdentifier = 2
    made.lsp = 0x85
    made.retainAsynchronousEvent = true
    made.numberOfDwords = 128
    made.lsi = 0x1234
    made.offset = 0x1_0000_0200
    made.uuidIndex = 3
    made.offsetType = true
    made.csi = 1
    made.nsid = 0xFFFF_FFFF
    #expect(made.entry == entry)
  }

  @Test func theLongestDoesNotOverflow() {
    var command = GetLogPageCommand(SubmissionQueueEntry(cdw10: 0xFFFF_0000, cdw11: 0x0000_FFFF))
    #expect(command.numberOfDwords == 1 << 32)
    #expect(command.byteCount == 1 << 34)
    command.numberOfDwords = 0x1_0001
    #expect(command.entry.cdw10 == 0)
    #expect(command.entry.cdw11 == 1)
    #expect(GetLogPageCommand(SubmissionQueueEntry()).byteCount == 4)
  }
}
