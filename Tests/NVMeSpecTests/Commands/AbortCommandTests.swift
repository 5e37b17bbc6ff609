import NVMeSpec
import Testing

@Suite struct AbortCommandTests {
  @Test func fields() {
    let command = AbortCommand(SubmissionQueueEntry(cdw10: 0x1234_0002))
    #expect(command.sqid == 2)
    #expect(command.cid == 0x1234)
    var made = AbortCommand(SubmissionQueueEntry())
    made.sqid = 2
    made.cid = 0x1234
    #expect(made == command)
  }
}
