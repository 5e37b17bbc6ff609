import KVM
import LinuxIO

/// A machine while it exists: the VM, its memory, its device. Thread of the vCPU only.
struct Machine: ~Copyable {
  private let memory: SharedMemory
  private let machine: VirtualMachine
  private var vcpu: VirtualCPU
  private var device: PassedThroughDevice
  private let interrupts: InterruptEvents
  private let writes: RegisterWrites
  private var report = MachineReport(ending: .deadline)

  /// Builds the machine up to the guest's first instruction.
  init(_ options: MicroVMM, _ socket: consuming FileDescriptor) throws(MachineFailure) {
    var step = MachineStep.virtualMachine
    let registered: Int
    do throws(Errno) {
      let memory = try Machine.makeMemory(options.program)
      let machine = try VirtualMachine(try KVMSystem())
      // Before the vCPU, which gets its local APIC with it.
      try machine.createInterruptController()
      try machine.setMemory(memory.mapping)
      let vcpu = try machine.makeVCPU()
      try vcpu.enterRealMode(
        VirtualCPU.RealModeEntry(
          instructionPointer: options.program.entry, stackPointer: GuestProgram.stackAddress,
          fsBase: MicroVMM.bar0Address, gsBase: LocalAPIC.baseAddress))
      step = .device
      var device = try PassedThroughDevice(socket, memory: memory, at: MicroVMM.bar0Address)
      try device.place(options.placement)
      step = .interrupts
      let interrupts = try InterruptEvents(machine, options.interruptVectors)
      try device.installInterrupts(interrupts.numbers)
      step = .doorbells
      // They need not be taken back: KVM stores on the vCPU's thread alone, and that does not run the guest any more when
      // the slots are unmapped.
      var registrations = DoorbellRegistrations(device.slots.events(options.doorbells))
      try registrations.move(to: device.address, machine)
      registered = registrations.mostRegistered
      self.memory = memory
      self.machine = machine
      self.vcpu = vcpu
      self.device = device
      self.interrupts = interrupts
      writes = RegisterWrites(doorbells: options.doorbells)
    } catch { throw MachineFailure(step, error) }
    report.plainDoorbells = options.doorbells.isRegistered ? device.slots.plain.count : 0
    report.postWriteDoorbells = registered - report.plainDoorbells
  }

  // MARK: Building

  private static func makeMemory(_ program: GuestProgram) throws(Errno) -> SharedMemory {
    let memory = try SharedMemory(name: "microvmm-ram", count: GuestProgram.memorySize)
    for segment in program.segments {
      guard Int(segment.address) + segment.bytes.count <= memory.mapping.count else { throw .invalidArgument }
      unsafe (memory.mapping.base + Int(segment.address)).copyMemory(
        from: segment.bytes, byteCount: segment.bytes.count)
    }
    return memory
  }

  // MARK: Running

  /// Runs the guest to its end.
  mutating func run(_ kick: VCPUKick) -> MachineReport {
    do throws(MachineFailure) {
      try attach(kick)
      report.ending = try loop(kick)
    } catch { report.ending = .failed(error.step, error.error) }
    kick.detach()
    report.memory = unsafe [UInt8](
      UnsafeRawBufferPointer(start: memory.mapping.base, count: memory.mapping.count))
    return report
  }

  private func attach(_ kick: VCPUKick) throws(MachineFailure) {
    do throws(Errno) { try kick.attach(vcpu) } catch { throw MachineFailure(.run, error) }
  }

  private mutating func loop(_ kick: VCPUKick) throws(MachineFailure) -> MachineReport.Ending {
    while !kick.isRequested {
      let exit: VCPUExit
      do throws(Errno) { exit = try vcpu.run() } catch { throw MachineFailure(.run, error) }
      switch exit {
      case .interrupted: continue
      case .portWrite(UInt16(GuestProgram.reportPort), _, let value): return .reported(value)
      case .mmioRead(let address, let count):
        guard let offset = device.offset(of: address, count: count) else { return .unexpected(exit) }
        do throws(Errno) { vcpu.completeRead(try device.read(at: offset, count: count)) } catch {
          throw MachineFailure(.access, error)
        }
        report.exits.reads += 1
      case .mmioWrite(let address, let count, let value):
        guard let offset = device.offset(of: address, count: count) else { return .unexpected(exit) }
        do throws(Errno) {
          try device.write(at: offset, count: count, value, writes, &report.exits)
        } catch { throw MachineFailure(.access, error) }
      default: return .unexpected(exit)
      }
    }
    return .deadline
  }
}
