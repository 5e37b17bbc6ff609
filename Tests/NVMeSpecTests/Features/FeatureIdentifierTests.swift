import NVMeSpec
import Testing

@Suite struct FeatureIdentifierTests {
  @Test func values() {
    #expect(
      FeatureIdentifier.allCases.map(\.rawValue)
        == Array(0x01...0x1A) + [0x1D, 0x1E, 0x7D, 0x7E, 0x7F] + Array(0x80...0x84))
    #expect(FeatureIdentifier.numberOfQueues.rawValue == 0x07)
    #expect(FeatureIdentifier.asynchronousEventConfiguration.rawValue == 0x0B)
    #expect(FeatureIdentifier.hostBehaviorSupport.rawValue == 0x16)
  }

  @Test func capabilities() {
    #expect(FeatureCapabilities.saveable.rawValue == 1)
    #expect(FeatureCapabilities.namespaceSpecific.rawValue == 2)
    #expect(FeatureCapabilities.changeable.rawValue == 4)
  }
}
