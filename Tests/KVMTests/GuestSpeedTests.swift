import KVM
import Testing

@Suite struct GuestSpeedTests {
  @Test(.enabled(if: kvm == .available, "\(kvm)")) func everyInstructionTakesTime() throws {
    let speed = try #require(GuestSpeed.measure())
    print("KVM: \(speed.nanoseconds) ns for each instruction of a guest")
    #expect(speed.nanoseconds < 1_000_000)
  }

  @Test func withoutADeviceThereIsNone() { #expect(GuestSpeed.measure(devicePath: "/nonexistent/kvm") == nil) }

  @Test(arguments: [(0, false), (1, false), (30, false), (300, true), (2600, true)] as [(UInt64, Bool)])
  func tellsEmulationFromACPU(_ nanoseconds: UInt64, _ isEmulated: Bool) {
    #expect(GuestSpeed(nanoseconds: nanoseconds).isEmulated == isEmulated)
  }
}
