import NVMeSpec
import Testing

@Suite struct ControllerCapabilitiesTests {
  /// Fills one field at a time with ones, and expects just its bits.
  @Test func bits() {
    func filled(_ fill: (inout ControllerCapabilities) -> Void) -> UInt64 {
      var capabilities = ControllerCapabilities()
      fill(&capabilities)
      return capabilities.rawValue
    }
    #expect(filled { $0.maximumQueueEntriesSupported = .max } == 0xFFFF)
    #expect(filled { $0.contiguousQueuesRequired = true } == 1 << 16)
    #expect(filled { $0.arbitrationMechanismsSupported = .max } == 3 << 17)
    #expect(filled { $0.timeout = .max } == 0xFF << 24)
    #expect(filled { $0.doorbellStride = .max } == 0xF << 32)
    #expect(filled { $0.subsystemResetSupported = true } == 1 << 36)
    #expect(filled { $0.commandSetsSupported = .max } == 0xFF << 37)
    #expect(filled { $0.bootPartitionSupport = true } == 1 << 45)
    #expect(filled { $0.controllerPowerScope = .max } == 3 << 46)
    #expect(filled { $0.memoryPageSizeMinimum = .max } == 0xF << 48)
    #expect(filled { $0.memoryPageSizeMaximum = .max } == 0xF << 52)
    #expect(filled { $0.persistentMemoryRegionSupported = true } == 1 << 56)
    #expect(filled { $0.controllerMemoryBufferSupported = true } == 1 << 57)
    #expect(filled { $0.subsystemShutdownSupported = true } == 1 << 58)
    #expect(filled { $0.readyWithMediaSupported = true } == 1 << 59)
    #expect(filled { $0.readyIndependentOfMediaSupported = true } == 1 << 60)
  }

  /// A register as QEMU reports it: 2048 entries, contiguous, 7.5 s, NVM and many command sets, pages of 4 to 64 KiB.
  @Test func aWholeRegister() {
    let capabilities = ControllerCapabilities(rawValue: 0x0240_0820_0F01_07FF)
    #expect(capabilities.maximumQueueEntriesSupported == 2047)
    #expect(capabilities.contiguousQueuesRequired)
    #expect(capabilities.timeout == 15)
    #expect(capabilities.doorbellStride == 0)
    #expect(
      capabilities.commandSetsSupported == CommandSetsSupported.nvm | CommandSetsSupported.ioCommandSets)
    #expect(capabilities.memoryPageSizeMinimum == 0)
    #expect(capabilities.memoryPageSizeMaximum == 4)
    #expect(capabilities.controllerMemoryBufferSupported)
    #expect(CommandSetsSupported.adminOnly == 0x80)
  }
}
