import NVMeSpec

/// The controller's registers as plain data: NVMe over PCIe transport 1.0, section 3.1.
struct ControllerRegisters: Sendable, Equatable {
  let capabilities: ControllerCapabilities
  let version = Version.v1dot4
  var configuration = ControllerConfiguration()
  var status = ControllerStatus()
  var adminQueueAttributes: UInt32 = 0
  var adminSubmissionQueueBase: UInt64 = 0
  var adminCompletionQueueBase: UInt64 = 0
  var interruptMask: UInt32 = 0

  /// Registers at their power-on values.
  init(queueEntries: Int) {
    var capabilities = ControllerCapabilities()
    capabilities.maximumQueueEntriesSupported = UInt16(truncatingIfNeeded: queueEntries - 1)
    capabilities.contiguousQueuesRequired = true
    // 127.5 s, the most that can be said: RDY waits for I/O in flight, which a disk or its host's file system may keep for
    // a minute, and a guest that has waited for so long in vain gives the disk up for good.
    capabilities.timeout = 255
    capabilities.commandSetsSupported = CommandSetsSupported.nvm
    self.capabilities = capabilities
  }

  /// The bytes of the register file that a read shows: those below 1000h. Reserved offsets read as 0.
  func read(offset: UInt64, count: Int) -> UInt64 {
    var value: UInt64 = 0
    for index in 0..<min(count, 8) {
      value |= UInt64(byte(offset &+ UInt64(index))) << UInt64(index * 8)
    }
    return value
  }

  private func byte(_ offset: UInt64) -> UInt8 {
    let registers: [(start: UInt64, size: UInt64, value: UInt64)] = [
      (ControllerRegister.capabilities, 8, capabilities.rawValue),
      (ControllerRegister.version, 4, UInt64(version.rawValue)),
      (ControllerRegister.interruptMaskSet, 4, UInt64(interruptMask)),
      (ControllerRegister.interruptMaskClear, 4, UInt64(interruptMask)),
      (ControllerRegister.configuration, 4, UInt64(configuration.rawValue)),
      (ControllerRegister.status, 4, UInt64(status.rawValue)),
      (ControllerRegister.adminQueueAttributes, 4, UInt64(adminQueueAttributes)),
      (ControllerRegister.adminSubmissionQueueBase, 8, adminSubmissionQueueBase),
      (ControllerRegister.adminCompletionQueueBase, 8, adminCompletionQueueBase),
    ]
    for register in registers where offset >= register.start && offset - register.start < register.size {
      return UInt8(truncatingIfNeeded: register.value >> ((offset - register.start) * 8))
    }
    return 0
  }

  /// Replaces the half of a 64-bit register that a 32-bit write at `offset` means.
  static func setHalf(_ register: inout UInt64, upper: Bool, _ value: UInt32) {
    if upper {
      register = register & 0xffff_ffff | UInt64(value) << 32
    } else {
      register = register & ~0xffff_ffff | UInt64(value)
    }
  }
}
