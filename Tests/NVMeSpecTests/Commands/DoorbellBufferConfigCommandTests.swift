import NVMeSpec
import Testing

@Suite struct DoorbellBufferConfigCommandTests {
  @Test func fields() {
    var command = DoorbellBufferConfigCommand(SubmissionQueueEntry(dataPointer0: 0x1000, dataPointer1: 0x2000))
    #expect(command.shadowDoorbellBuffer == 0x1000)
    #expect(command.eventIndexBuffer == 0x2000)
    command.shadowDoorbellBuffer = 0x3000
    command.eventIndexBuffer = 0x4000
    #expect(command.entry == SubmissionQueueEntry(dataPointer0: 0x3000, dataPointer1: 0x4000))
  }
}
