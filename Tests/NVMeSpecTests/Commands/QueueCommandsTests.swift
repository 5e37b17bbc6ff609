import NVMeSpec
import Testing

@Suite struct QueueCommandsTests {
  @Test func createSubmissionQueue() {
    let entry = SubmissionQueueEntry(dataPointer0: 0x3000, cdw10: 0x03FF_0002, cdw11: 0x0005_0005, cdw12: 0xFFFF_0007)
    let command = CreateIOSubmissionQueueCommand(entry)
    #expect(command.queueIdentifier == 2)
    #expect(command.size == 1024)
    #expect(command.physicallyContiguous)
    #expect(command.priority == 2)
    #expect(command.completionQueueIdentifier == 5)
    #expect(command.nvmSetIdentifier == 7)
    #expect(command.prp1 == 0x3000)

    var made = CreateIOSubmissionQueueCommand(SubmissionQueueEntry(cdw12: 0xFFFF_0000))
    made.queueIdentifier = 2
    made.size = 1024
    made.physicallyContiguous = true
    made.priority = 2
    made.completionQueueIdentifier = 5
    made.nvmSetIdentifier = 7
    made.prp1 = 0x3000
    #expect(made.entry == entry)
  }

  @Test func createCompletionQueue() {
    let entry = SubmissionQueueEntry(dataPointer0: 0x4000, cdw10: 0xFFFF_0001, cdw11: 0x0009_0003)
    let command = CreateIOCompletionQueueCommand(entry)
    #expect(command.queueIdentifier == 1)
    #expect(command.size == 65536)
    #expect(command.physicallyContiguous)
    #expect(command.interruptsEnabled)
    #expect(command.interruptVector == 9)
    #expect(command.prp1 == 0x4000)

    var made = CreateIOCompletionQueueCommand(SubmissionQueueEntry())
    made.queueIdentifier = 1
    made.size = 65536
    made.physicallyContiguous = true
    made.interruptsEnabled = true
    made.interruptVector = 9
    made.prp1 = 0x4000
    #expect(made.entry == entry)
    #expect(CreateIOCompletionQueueCommand(SubmissionQueueEntry()).size == 1)
    #expect(CreateIOSubmissionQueueCommand(SubmissionQueueEntry()).size == 1)
  }

  @Test func deleteQueue() {
    var command = DeleteIOQueueCommand(SubmissionQueueEntry(cdw10: 0xFFFF_0003))
    #expect(command.queueIdentifier == 3)
    command.queueIdentifier = 4
    #expect(command.entry.cdw10 == 0xFFFF_0004)
  }
}
