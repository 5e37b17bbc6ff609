import NVMeSpec
import Testing

@Suite struct QueueFeaturesTests {
  @Test func arbitration() {
    var feature = ArbitrationFeature(rawValue: 0x0403_02FF)
    #expect(feature.arbitrationBurst == 7)
    #expect([feature.lowPriorityWeight, feature.mediumPriorityWeight, feature.highPriorityWeight] == [2, 3, 4])
    feature.arbitrationBurst = 2
    feature.highPriorityWeight = 9
    #expect(feature.rawValue == 0x0903_02FA)
  }

  @Test func numberOfQueues() {
    let feature = NumberOfQueuesFeature(submissionQueueCount: 4, completionQueueCount: 16)
    #expect(feature.rawValue == 0x000F_0003)
    #expect(feature.submissionQueueCount == 4)
    #expect(feature.completionQueueCount == 16)
    let reserved = NumberOfQueuesFeature(rawValue: 0xFFFF_0000)
    #expect(reserved.completionQueueCount == 65536)
    #expect(reserved.zeroBasedCompletionQueues == 0xFFFF)
    #expect(reserved.submissionQueueCount == 1)
  }
}
