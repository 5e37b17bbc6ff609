import Testing

@testable import Daemon

@Suite struct SandboxCheckTests {
  @Test func saysWhatTheKernelHas() {
    let check = SandboxCheck()
    #expect(check.findings().map(\.identifier) == ["sandbox.seccomp", "sandbox.landlock"])
    #expect(check.seccomp(isAvailable: true).verdict == .ok)
    #expect(check.seccomp(isAvailable: false).remedy?.contains("CONFIG_SECCOMP_FILTER") == true)
    #expect(check.landlock(version: 6).reason.hasPrefix("version 6: "))
    let missing = check.landlock(version: nil)
    #expect(missing.verdict == .limited && missing.remedy?.contains("lsm=") == true)
  }
}
