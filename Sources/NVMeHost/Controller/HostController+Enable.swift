import LinuxIO
import NVMeSpec

/// From power-on to a controller that takes commands, and back.
extension HostController {
  /// The unit of CAP.TO and CRTO, in ns.
  private static let timeoutUnit: UInt64 = 500_000_000
  /// How long a shutdown is awaited, in ns: as in Linux, what the controller says of itself (RTD3E, in us), 60 s at most;
  /// but what the options say at least.
  private var shutdownTimeout: UInt64 {
    max(min(UInt64(identity.rtd3EntryLatency) * 1000, 60_000_000_000), options.shutdownTimeout)
  }

  /// Does all that a driver does before it makes I/O queues: configuration space, interrupts, `enable()`, Identify
  /// Controller, and Number of Queues for `queues` pairs.
  ///
  /// - Throws: any of `HostError`.
  public func initialize(queues: Int = 1) throws(HostError) {
    try enableDevice()
    if options.vectors > 0 { try installInterrupts(options.vectors) }
    try enable()
    identity = try identifyController()
    grantedQueues = try setNumberOfQueues(queues)
    if options.shadowDoorbells { try configureShadowDoorbells() }
  }

  /// Keeps the doorbells of queues made from now on in memory (Doorbell Buffer Config), as Linux does where the
  /// controller supports it; until the next reset.
  ///
  /// - Throws: `missing` where the controller does not support it; `failed`, `outOfMemory`.
  public func configureShadowDoorbells() throws(HostError) {
    guard identity.optionalAdminCommandsSupported.contains(.doorbellBufferConfig) else {
      throw .missing("Doorbell Buffer Config")
    }
    let buffers = ShadowDoorbellBuffers(
      values: try memory.allocate(HostMemory.pageSize), eventIndexes: try memory.allocate(HostMemory.pageSize))
    buffers.values.fill(0)
    buffers.eventIndexes.fill(0)
    var command = DoorbellBufferConfigCommand(.admin(.doorbellBufferConfig))
    command.shadowDoorbellBuffer = buffers.values.iova
    command.eventIndexBuffer = buffers.eventIndexes.iova
    try requireSuccess(admin(command.entry))
    shadowDoorbells = buffers
  }

  /// Enables the controller in the order of Linux's `nvme_pci_configure_admin_queue` and `nvme_enable_ctrl`.
  ///
  /// - Throws: `controllerFailed`, `timedOut`, `message`, `outOfMemory`.
  public func enable() throws(HostError) {
    if try status().rawValue == .max { throw .controllerFailed(ControllerStatus(rawValue: .max)) }
    capabilities = ControllerCapabilities(rawValue: try readRegister64(ControllerRegister.capabilities))
    let version = Version(rawValue: try readRegister32(ControllerRegister.version))
    if version >= .v1dot2 { _ = try readRegister32(ControllerRegister.controllerMemoryBufferSize) }
    try disable()

    let queue = try makeAdminQueue()
    let memory = queue.memory
    let attributes = AdminQueueAttributes(
      submissionQueueSize: options.adminQueueSize, completionQueueSize: options.adminQueueSize)
    try writeRegister32(ControllerRegister.adminQueueAttributes, attributes.rawValue)
    try writeRegister64(ControllerRegister.adminSubmissionQueueBase, memory.submissionQueues[0].iova)
    try writeRegister64(ControllerRegister.adminCompletionQueueBase, memory.completionQueue.iova)

    var configuration = ControllerConfiguration()
    let supportsSets = capabilities.commandSetsSupported & CommandSetsSupported.ioCommandSets != 0
    configuration.commandSetSelected =
      supportsSets
      ? ControllerConfiguration.allSupportedIOCommandSets : ControllerConfiguration.nvmCommandSet
    configuration.ioSubmissionQueueEntrySize = 6
    configuration.ioCompletionQueueEntrySize = 4
    try write(configuration)
    // The first write may change what the controller says of itself.
    capabilities = ControllerCapabilities(rawValue: try readRegister64(ControllerRegister.capabilities))
    var timeout = UInt64(capabilities.timeout)
    if capabilities.readyWithMediaSupported {
      let ready = ControllerReadyTimeouts(rawValue: try readRegister32(ControllerRegister.controllerReadyTimeouts))
      timeout = max(timeout, UInt64(ready.readyWithMedia))
    }
    configuration.enable = true
    try write(configuration)
    adminQueue = consume queue
    try awaitStatus("CSTS.RDY 1", timeout: (timeout + 1) * Self.timeoutUnit) { $0.ready }
  }

  /// Resets the controller (CC.EN 1 to 0) and waits until it is not ready. Its queues are gone then.
  ///
  /// - Throws: `timedOut`, `controllerFailed`, `message`.
  public func disable() throws(HostError) {
    var configuration = try configuration()
    if configuration.enable {
      configuration.enable = false
      configuration.shutdownNotification = .none
      try write(configuration)
    }
    let timeout = (UInt64(capabilities.timeout) + 1) * Self.timeoutUnit
    try awaitStatus("CSTS.RDY 0", timeout: timeout, toleratesFailure: true) { !$0.ready }
    adminQueue = nil
    // The controller does not touch them any more.
    if let shadowDoorbells {
      memory.free(shadowDoorbells.values)
      memory.free(shadowDoorbells.eventIndexes)
    }
    shadowDoorbells = nil
  }

  /// Shuts the controller down (CC.SHN) and waits until it is done. Only `enable()` brings it back.
  ///
  /// - Throws: `timedOut`, `controllerFailed`, `message`.
  public func shutdown(_ kind: ShutdownNotification = .normal) throws(HostError) {
    var configuration = try configuration()
    configuration.shutdownNotification = kind
    try write(configuration)
    try awaitStatus("CSTS.SHST complete", timeout: shutdownTimeout) { $0.shutdownStatus == .complete }
  }

  /// Resets the NVM subsystem (NSSR).
  ///
  /// - Throws: `missing` where CAP.NSSRS says it cannot, `message`.
  public func subsystemReset() throws(HostError) {
    guard capabilities.subsystemResetSupported else { throw .missing("NVM subsystem reset") }
    try writeRegister32(ControllerRegister.subsystemReset, ControllerRegister.subsystemResetValue)
    adminQueue = nil
  }
}
