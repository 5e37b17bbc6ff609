import NVMeSpec
import Testing

@Suite struct AsynchronousEventConfigurationTests {
  @Test func bits() {
    #expect(AsynchronousEventConfiguration.spareBelowThreshold.rawValue == 1 << 0)
    #expect(AsynchronousEventConfiguration.volatileMemoryBackupFailed.rawValue == 1 << 4)
    #expect(AsynchronousEventConfiguration.namespaceAttributeNotices.rawValue == 1 << 8)
    #expect(AsynchronousEventConfiguration.firmwareActivationNotices.rawValue == 1 << 9)
    #expect(AsynchronousEventConfiguration.asymmetricNamespaceAccessChangeNotices.rawValue == 1 << 11)
    #expect(AsynchronousEventConfiguration.enduranceGroupEventAggregateLogChangeNotices.rawValue == 1 << 14)
    #expect(AsynchronousEventConfiguration.normalSubsystemShutdown.rawValue == 1 << 15)
    #expect(AsynchronousEventConfiguration.zoneDescriptorChangedNotices.rawValue == 1 << 27)
    #expect(AsynchronousEventConfiguration.discoveryLogPageChange.rawValue == 1 << 31)
  }

  @Test func criticalWarnings() {
    let configuration: AsynchronousEventConfiguration = [.temperature, .readOnly, .namespaceAttributeNotices]
    #expect(configuration.criticalWarnings == [.temperature, .readOnly])
  }
}
