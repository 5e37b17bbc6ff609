import NVMeSpec
import Testing

@Suite struct InterruptFeaturesTests {
  @Test func coalescing() {
    var feature = InterruptCoalescingFeature(rawValue: 0xABCD_0907)
    #expect(feature.aggregationThreshold == 7)
    #expect(feature.aggregationTime == 9)
    feature.aggregationThreshold = 1
    feature.aggregationTime = 2
    #expect(feature.rawValue == 0xABCD_0201)
  }

  @Test func vectorConfiguration() {
    var feature = InterruptVectorConfigurationFeature(rawValue: 0x0001_1234)
    #expect(feature.interruptVector == 0x1234)
    #expect(feature.coalescingDisable)
    feature.coalescingDisable = false
    feature.interruptVector = 7
    #expect(feature.rawValue == 7)
  }
}
