import NVMeSpec
import Testing

@Suite struct MediaFeaturesTests {
  @Test func errorRecovery() {
    var feature = ErrorRecoveryFeature(rawValue: 0x0001_1234)
    #expect(feature.timeLimitedErrorRecovery == 0x1234)
    #expect(feature.deallocatedOrUnwrittenErrorEnable)
    feature.timeLimitedErrorRecovery = 1
    feature.deallocatedOrUnwrittenErrorEnable = false
    #expect(feature.rawValue == 1)
  }

  @Test func flags() {
    var cache = VolatileWriteCacheFeature(rawValue: 0xFFFF_FFFE)
    #expect(!cache.enabled)
    cache.enabled = true
    #expect(cache.rawValue == 0xFFFF_FFFF)
    var atomicity = WriteAtomicityFeature()
    atomicity.disableNormal = true
    #expect(atomicity.rawValue == 1)
  }

  @Test func writeProtection() {
    #expect(NamespaceWriteProtectionState.writeProtectUntilPowerCycle.rawValue == 2)
    #expect(NamespaceWriteProtectionState(rawValue: 4) == nil)
  }
}
