import NVMeSpec
import Testing

@Suite struct LogPageIdentifierTests {
  @Test func values() {
    #expect(
      LogPageIdentifier.allCases.map(\.rawValue)
        == Array(0x00...0x16) + Array(0x20...0x23) + [0x70, 0x80, 0x81, 0xBF])
    #expect(LogPageIdentifier.changedNamespaceList.rawValue == 0x04)
    #expect(LogPageIdentifier.asymmetricNamespaceAccess.rawValue == 0x0C)
    #expect(LogPageIdentifier.featureIdentifiersSupportedAndEffects.rawValue == 0x12)
  }
}
