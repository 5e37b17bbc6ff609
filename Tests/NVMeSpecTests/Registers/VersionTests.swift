import NVMeSpec
import Testing

@Suite struct VersionTests {
  @Test(
    arguments: [
      (.v1dot1, 0x0001_0100, "1.1"), (.v1dot2, 0x0001_0200, "1.2"), (.v1dot2dot1, 0x0001_0201, "1.2.1"),
      (.v1dot3, 0x0001_0300, "1.3"), (.v1dot4, 0x0001_0400, "1.4"), (.v2dot0, 0x0002_0000, "2.0"),
    ] as [(Version, UInt32, String)])
  func values(version: Version, rawValue: UInt32, text: String) {
    #expect(version.rawValue == rawValue)
    #expect("\(version)" == text)
  }

  @Test func parts() {
    let version = Version(rawValue: 0x0102_0304)
    #expect(version.major == 0x0102)
    #expect(version.minor == 3)
    #expect(version.tertiary == 4)
    #expect(Version.v1dot2dot1 < .v1dot3 && .v1dot4 < Version.v2dot0)
  }
}
