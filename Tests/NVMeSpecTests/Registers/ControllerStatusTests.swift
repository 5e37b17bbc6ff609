import NVMeSpec
import Testing

@Suite struct ControllerStatusTests {
  @Test func bits() {
    func filled(_ fill: (inout ControllerStatus) -> Void) -> UInt32 {
      var status = ControllerStatus()
      fill(&status)
      return status.rawValue
    }
    #expect(filled { $0.ready = true } == 1 << 0)
    #expect(filled { $0.controllerFatalStatus = true } == 1 << 1)
    #expect(filled { $0.shutdownStatus = .inProgress } == 0b01 << 2)
    #expect(filled { $0.shutdownStatus = .complete } == 0b10 << 2)
    #expect(filled { $0.nssro = true } == 1 << 4)
    #expect(filled { $0.processingPaused = true } == 1 << 5)
    #expect(filled { $0.subsystemShutdown = true } == 1 << 6)
  }

  @Test(
    arguments: [(0x0, .normalOperation), (0x4, .inProgress), (0x8, .complete), (0xC, .reserved)]
      as [(UInt32, ShutdownStatus)])
  func shutdown(register: UInt32, status: ShutdownStatus) {
    #expect(ControllerStatus(rawValue: register).shutdownStatus == status)
    #expect(!ControllerStatus(rawValue: register).ready)
  }
}
