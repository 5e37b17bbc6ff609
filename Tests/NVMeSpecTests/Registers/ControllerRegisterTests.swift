import NVMeSpec
import Testing

@Suite struct ControllerRegisterTests {
  @Test(
    arguments: [
      (ControllerRegister.capabilities, 0x00), (ControllerRegister.version, 0x08),
      (ControllerRegister.interruptMaskSet, 0x0C), (ControllerRegister.interruptMaskClear, 0x10),
      (ControllerRegister.configuration, 0x14), (ControllerRegister.status, 0x1C),
      (ControllerRegister.subsystemReset, 0x20), (ControllerRegister.adminQueueAttributes, 0x24),
      (ControllerRegister.adminSubmissionQueueBase, 0x28), (ControllerRegister.adminCompletionQueueBase, 0x30),
      (ControllerRegister.controllerMemoryBufferLocation, 0x38), (ControllerRegister.controllerMemoryBufferSize, 0x3C),
      (ControllerRegister.bootPartitionInformation, 0x40), (ControllerRegister.bootPartitionReadSelect, 0x44),
      (ControllerRegister.bootPartitionMemoryBufferLocation, 0x48),
      (ControllerRegister.controllerMemoryBufferMemorySpaceControl, 0x50),
      (ControllerRegister.controllerMemoryBufferStatus, 0x58),
      (ControllerRegister.controllerMemoryBufferElasticityBufferSize, 0x5C),
      (ControllerRegister.controllerMemoryBufferSustainedWriteThroughput, 0x60),
      (ControllerRegister.subsystemShutdown, 0x64), (ControllerRegister.controllerReadyTimeouts, 0x68),
      (ControllerRegister.persistentMemoryRegionCapabilities, 0xE00),
      (ControllerRegister.persistentMemoryRegionControl, 0xE04),
      (ControllerRegister.persistentMemoryRegionStatus, 0xE08),
      (ControllerRegister.persistentMemoryRegionElasticityBufferSize, 0xE0C),
      (ControllerRegister.persistentMemoryRegionSustainedWriteThroughput, 0xE10),
      (ControllerRegister.persistentMemoryRegionMemorySpaceControlLower, 0xE14),
      (ControllerRegister.persistentMemoryRegionMemorySpaceControlUpper, 0xE18),
      (ControllerRegister.doorbellBase, 0x1000),
    ] as [(UInt64, UInt64)])
  func offsets(register: UInt64, offset: UInt64) {
    #expect(register == offset)
  }

  @Test func values() {
    #expect(ControllerRegister.subsystemResetValue == 0x4E56_4D65)
    #expect(ControllerRegister.queueBaseMask == 0xFFFF_FFFF_FFFF_F000)
  }
}
