import NVMeSpec
import Testing

@Suite struct ControllerReadyTimeoutsTests {
  @Test func fields() {
    var timeouts = ControllerReadyTimeouts()
    timeouts.readyWithMedia = 0x1234
    #expect(timeouts.rawValue == 0x0000_1234)
    timeouts.readyIndependentOfMedia = 0x5678
    #expect(timeouts.rawValue == 0x5678_1234)
    #expect(timeouts.readyWithMedia == 0x1234)
    #expect(timeouts.readyIndependentOfMedia == 0x5678)
  }
}
