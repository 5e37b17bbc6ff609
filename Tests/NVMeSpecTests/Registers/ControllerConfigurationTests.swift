import NVMeSpec
import Testing

@Suite struct ControllerConfigurationTests {
  @Test func bits() {
    func filled(_ fill: (inout ControllerConfiguration) -> Void) -> UInt32 {
      var configuration = ControllerConfiguration()
      fill(&configuration)
      return configuration.rawValue
    }
    #expect(filled { $0.enable = true } == 1)
    #expect(filled { $0.commandSetSelected = .max } == 7 << 4)
    #expect(filled { $0.memoryPageSize = .max } == 0xF << 7)
    #expect(filled { $0.arbitrationMechanism = .max } == 7 << 11)
    #expect(filled { $0.shutdownNotification = .reserved } == 3 << 14)
    #expect(filled { $0.ioSubmissionQueueEntrySize = .max } == 0xF << 16)
    #expect(filled { $0.ioCompletionQueueEntrySize = .max } == 0xF << 20)
    #expect(filled { $0.crime = true } == 1 << 24)
  }

  /// What Linux writes, and then what it writes to shut down.
  @Test func aWholeRegister() {
    var configuration = ControllerConfiguration(rawValue: 0x0046_0001)
    #expect(configuration.enable)
    #expect(configuration.commandSetSelected == ControllerConfiguration.nvmCommandSet)
    #expect(configuration.memoryPageByteCount == 4096)
    #expect(configuration.ioSubmissionQueueEntrySize == 6)
    #expect(configuration.ioCompletionQueueEntrySize == 4)
    #expect(configuration.shutdownNotification == .none)
    configuration.shutdownNotification = .normal
    #expect(configuration.rawValue == 0x0046_4001)
    #expect(ControllerConfiguration(rawValue: 0x8000).shutdownNotification == .abrupt)
    #expect(ControllerConfiguration(rawValue: 0xF << 7).memoryPageByteCount == 128 << 20)
    #expect(ControllerConfiguration(rawValue: 0x60).commandSetSelected == 6)
  }
}
