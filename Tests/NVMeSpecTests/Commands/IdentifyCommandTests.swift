import NVMeSpec
import Testing

@Suite struct IdentifyCommandTests {
  @Test func fields() {
    let entry = SubmissionQueueEntry(
      namespaceIdentifier: 7, cdw10: 0x1234_0006, cdw11: 0x0200_4321, cdw14: 0x0000_007F)
    let command = IdentifyCommand(entry)
    #expect(command.cns == IdentifyCNS.ioCommandSetSpecificController.rawValue)
    #expect(command.controllerIdentifier == 0x1234)
    #expect(command.cnsSpecificIdentifier == 0x4321)
    #expect(command.commandSetIdentifier == CommandSetIdentifier.zonedNamespace)
    #expect(command.uuidIndex == 0x7F)
    #expect(command.nsid == 7)

    var made = IdentifyCommand(SubmissionQueueEntry())
    made.cns = 6
    made.controllerIdentifier = 0x1234
    made.cnsSpecificIdentifier = 0x4321
    made.commandSetIdentifier = 2
    made.uuidIndex = 0xFF
    made.nsid = 7
    #expect(made.entry == entry)
    #expect([CommandSetIdentifier.nvm, CommandSetIdentifier.keyValue] == [0, 1])
  }
}
