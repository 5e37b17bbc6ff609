import NVMeSpec
import Testing

@Suite struct CapabilityFieldsTests {
  @Test func controller() {
    #expect(MultipathCapabilities.asymmetricNamespaceAccessReporting.rawValue == 1 << 3)
    #expect(ControllerAttributes.trafficBasedKeepAlive.rawValue == 1 << 6)
    #expect(ControllerAttributes.uuidList.rawValue == 1 << 9)
    #expect(ControllerAttributes.extendedLBAFormats.rawValue == 1 << 15)
    #expect(ControllerAttributes.flexibleDataPlacement.rawValue == 1 << 19)
    #expect(OptionalAdminCommands.formatNVM.rawValue == 1 << 1)
    #expect(OptionalAdminCommands.namespaceManagement.rawValue == 1 << 3)
    #expect(OptionalAdminCommands.doorbellBufferConfig.rawValue == 1 << 8)
    #expect(OptionalAdminCommands.commandAndFeatureLockdown.rawValue == 1 << 10)
    #expect(LogPageAttributes.commandsSupportedAndEffects.rawValue == 1 << 1)
    #expect(LogPageAttributes.extendedData.rawValue == 1 << 2)
    #expect(LogPageAttributes.supportedLogPages.rawValue == 1 << 5)
  }

  @Test func nvm() {
    #expect(OptionalNVMCommands.compare.rawValue == 1 << 0)
    #expect(OptionalNVMCommands.datasetManagement.rawValue == 1 << 2)
    #expect(OptionalNVMCommands.writeZeroes.rawValue == 1 << 3)
    #expect(OptionalNVMCommands.saveAndSelect.rawValue == 1 << 4)
    #expect(OptionalNVMCommands.timestamp.rawValue == 1 << 6)
    #expect(OptionalNVMCommands.copy.rawValue == 1 << 8)
    #expect(FusedOperations.compareAndWrite.rawValue == 1)
    let cache: VolatileWriteCacheAttributes = [.present, .flushAllSupported]
    #expect(cache.rawValue == 0b111)
    #expect(VolatileWriteCacheAttributes.flushAllNotSupported.rawValue == 0b100)
    #expect(SGLSupport.supportedDwordAligned.rawValue == 2)
    #expect(SGLSupport.bitBucket.rawValue == 1 << 16)
    #expect(SGLSupport.metadataSGL.rawValue == 1 << 19)
    #expect(SGLSupport.transportDataBlock.rawValue == 1 << 21)
  }

  @Test func namespace() {
    #expect(NamespaceFeatures.thinProvisioning.rawValue == 1 << 0)
    #expect(NamespaceFeatures.deallocatedError.rawValue == 1 << 2)
    #expect(NamespaceFeatures.optimalPerformance.rawValue == 1 << 4)
    #expect(DeallocateFeatures.readsZeros.rawValue == 0b001)
    #expect(DeallocateFeatures.readsOnes.rawValue == 0b010)
    #expect(DeallocateFeatures.writeZeroesDeallocate.rawValue == 1 << 3)
    #expect(NamespaceAttributes.writeProtected.rawValue == 1)
    #expect(ReservationCapabilities.writeExclusiveRegistrantsOnly.rawValue == 1 << 3)
    #expect(ReservationCapabilities.ignoreExistingKey.rawValue == 1 << 7)
  }
}
