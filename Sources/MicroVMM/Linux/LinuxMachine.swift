import CLinux
import KVM
import LinuxIO

/// A machine that runs Linux, while it exists. Thread of the vCPU only.
struct LinuxMachine: ~Copyable {
  private let memory: SharedMemory
  private let machine: VirtualMachine
  private var vcpu: VirtualCPU
  private var bus: PCIBus
  private var serial: SerialPorts
  private var report: LinuxReport

  /// Builds the machine up to the kernel's first instruction.
  init(_ options: LinuxVMM, _ socket: consuming FileDescriptor) throws(LinuxReport.Failure) {
    let memory = try LinuxMachine.makeMemory(options.memorySize)
    let entry: ProtectedModeEntry
    do throws(KernelImageError) { entry = try options.loader.load(into: memory.mapping) } catch {
      throw .image(error)
    }
    var step = MachineStep.virtualMachine
    do throws(Errno) {
      let system = try KVMSystem()
      let machine = try VirtualMachine(system)
      // Before the vCPU, which gets its local APIC with it.
      try machine.createInterruptController()
      try machine.createTimer()
      try machine.setMemory(memory.mapping)
      let vcpu = try machine.makeVCPU()
      try vcpu.useHostTSCRate()
      let hasDeadlineTimer = try system.checkExtension(KVM_CAP_TSC_DEADLINE_TIMER) > 0
      try vcpu.setCPUID(LinuxCPU.leaves(try system.supportedCPUID(), hasDeadlineTimer: hasDeadlineTimer))
      try vcpu.enterProtectedMode(entry)
      step = .device
      let function = try PassedThroughFunction(socket, memory: memory, doorbells: options.doorbells)
      self.memory = memory
      self.machine = machine
      self.vcpu = vcpu
      bus = PCIBus(function)
      serial = SerialPorts(ConsoleOutput(options.console))
      report = LinuxReport(doorbells: options.doorbells)
    } catch { throw .step(step, error) }
  }

  private static func makeMemory(_ size: UInt64) throws(LinuxReport.Failure) -> SharedMemory {
    guard LinuxLoader.memorySizes.contains(size), let count = Int(exactly: size) else { throw .image(.badMemorySize) }
    do throws(Errno) { return try SharedMemory(name: "microvmm-ram", count: count) } catch {
      throw .step(.virtualMachine, error)
    }
  }

  // MARK: Running

  /// Runs the guest to its end.
  mutating func run(_ kick: VCPUKick) -> LinuxReport {
    do throws(Errno) {
      try kick.attach(vcpu)
      report.ending = try loop(kick)
    } catch { report.ending = .failed(.step(.run, error)) }
    kick.detach()
    serial.finish()
    report.status = serial.status
    report.registeredDoorbells = bus.device.registrations.mostRegistered
    report.exits.function = bus.counts
    report.exits.configuration = bus.configurationAccesses
    return report
  }

  private mutating func loop(_ kick: VCPUKick) throws(Errno) -> LinuxReport.Ending {
    while !kick.isRequested {
      let exit = try vcpu.run()
      switch exit {
      case .interrupted: continue
      case .mmioRead(let address, let count):
        let value = try bus.read(address: address, count: count)
        if value == nil { report.exits.unclaimed += 1 }
        vcpu.completeRead(value ?? .unanswered(count))
      case .mmioWrite(let address, let count, let value):
        if try !bus.write(address: address, count: count, value, machine) { report.exits.unclaimed += 1 }
      case .portRead(let port, let count):
        report.exits.portReads += 1
        vcpu.completePortRead(try read(port: port, count: count))
      case .portWrite(let port, let count, let value):
        report.exits.portWrites += 1
        if let ending = try write(port: port, count: count, value) { return ending }
      case .shutdown: return .reset
      default: return .unexpected(exit)
      }
    }
    return .deadline
  }

  private mutating func read(port: UInt16, count: Int) throws(Errno) -> UInt32 {
    if let value = try bus.read(port: port, count: count) { return value }
    guard count == 1 else { return .unanswered(count) }
    if let value = try serial.read(port: port, machine) { return UInt32(value) }
    return UInt32(PowerPorts.read(port: port) ?? .unanswered(1))
  }

  /// - Returns: how the guest ended; nil: not yet.
  private mutating func write(port: UInt16, count: Int, _ value: UInt32) throws(Errno) -> LinuxReport.Ending? {
    switch PowerPorts.effect(port: port, count: count, value) {
    case .powerOff: return .powerOff
    case .reset: return .reset
    case nil: break
    }
    if try bus.write(port: port, count: count, value, machine) { return nil }
    // Other ports take every write and do nothing: POST codes, masks of controllers that are not there.
    if count == 1 { _ = try serial.write(port: port, UInt8(truncatingIfNeeded: value), machine) }
    return nil
  }
}
