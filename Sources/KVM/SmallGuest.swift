import CLinux
import LinuxIO

/// A VM with 4 KiB of memory and one vCPU, without interrupts and devices: to find out what KVM does.
public struct SmallGuest: ~Copyable {
  /// Where no memory is: FS begins there, unless told otherwise.
  public static let deviceAddress: UInt64 = 0x2_0000
  private static let memorySize = 4096

  /// The VM.
  public let machine: VirtualMachine
  private var vcpu: VirtualCPU
  private let memory: MemoryMapping
  private let entry: VirtualCPU.RealModeEntry
  private let coalescedPage: Int32

  /// Makes the VM, with code at its begin.
  ///
  /// - Parameters:
  ///   - devicePath: the device that VMs are made from.
  ///   - fsBase: where FS begins.
  ///   - build: the code.
  /// - Throws: what `VirtualMachine` throws; `EINVAL` for code that is none or too long.
  public init(
    devicePath: String = KVMSystem.defaultPath, fsBase: UInt64 = deviceAddress, _ build: (inout Assembler) -> Void
  ) throws(Errno) {
    var assembler = Assembler(origin: 0)
    build(&assembler)
    let code: [UInt8]
    do throws(Assembler.Failure) { code = try assembler.assemble() } catch { throw .invalidArgument }
    guard code.count <= SmallGuest.memorySize else { throw .invalidArgument }
    let memory = try MemoryMapping(anonymous: SmallGuest.memorySize)
    unsafe memory.base.copyMemory(from: code, byteCount: code.count)
    let system = try KVMSystem(path: devicePath)
    let machine = try VirtualMachine(system)
    let coalescedPage = try system.checkExtension(KVM_CAP_COALESCED_MMIO)
    try machine.setMemory(memory)
    let vcpu = try machine.makeVCPU()
    let entry = VirtualCPU.RealModeEntry(instructionPointer: 0, fsBase: fsBase)
    try vcpu.enterRealMode(entry)
    self.memory = memory
    self.machine = machine
    self.vcpu = vcpu
    self.entry = entry
    self.coalescedPage = coalescedPage
  }

  /// Takes the writes that KVM has kept: see `VirtualMachine.coalesceWrites`.
  public mutating func takeCoalescedWrites() -> [CoalescedWrite] {
    vcpu.takeCoalescedWrites(page: coalescedPage)
  }

  /// Lets the guest begin anew at its first instruction; its memory stays.
  ///
  /// - Throws: what `VirtualCPU.enterRealMode` throws.
  public mutating func restart() throws(Errno) { try vcpu.enterRealMode(entry) }

  /// Makes the calling thread the one that is kicked; `VCPUKick.detach()` must follow before this VM is gone.
  ///
  /// - Throws: what `VCPUKick.attach` throws.
  public func attach(_ kick: VCPUKick) throws(Errno) { try kick.attach(vcpu) }

  /// Runs the guest to its next exit, on the thread that attached.
  ///
  /// - Throws: what `VirtualCPU.run()` throws.
  public mutating func run() throws(Errno) -> VCPUExit { try vcpu.run() }

  /// Attaches, and runs the guest to its next exit.
  ///
  /// - Parameters:
  ///   - kick: what takes the guest out of a run.
  ///   - value: what the guest reads, where it reads from a device.
  /// - Throws: what `VCPUKick.attach` and `VirtualCPU.run()` throw.
  public mutating func run(_ kick: VCPUKick, reads value: UInt64 = 0) throws(Errno) -> VCPUExit {
    try attach(kick)
    defer { kick.detach() }
    let exit = try vcpu.run()
    if case .mmioRead = exit { vcpu.completeRead(value) }
    return exit
  }
}
