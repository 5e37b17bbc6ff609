import KVM
import LinuxIO

/// How a guest ended, and what it cost its VMM.
public struct MachineReport: Sendable {
  /// Why it ended.
  public enum Ending: Equatable, Sendable {
    /// The guest said so, with this value in EAX.
    case reported(UInt32)
    /// The deadline passed; the guest was still running, or slept.
    case deadline
    /// An exit that this VMM has no answer to.
    case unexpected(VCPUExit)
    /// KVM, the server or the socket failed at a step.
    case failed(MachineStep, Errno)
  }

  /// Why it ended.
  public internal(set) var ending: Ending
  /// What the guest did with BAR0.
  public internal(set) var exits = MMIOCounts()
  /// How many doorbells KVM had with POST_WRITE; 0 on other paths.
  public internal(set) var postWriteDoorbells = 0
  /// How many doorbells KVM had an eventfd alone for; 0 on other paths than `ioeventfd`.
  public internal(set) var plainDoorbells = 0
  /// The guest's memory at the end.
  public internal(set) var memory: [UInt8] = []
}

/// A step in the life of a machine.
public enum MachineStep: Sendable {
  /// `/dev/kvm`, the VM, its memory and vCPU.
  case virtualMachine
  /// The vfio-user connection, and what is asked of the device at first.
  case device
  /// Interrupt routes, irqfds and MSI-X.
  case interrupts
  /// The registration of ioeventfds.
  case doorbells
  /// `KVM_RUN`.
  case run
  /// A register access that goes to the server.
  case access
}

/// Exits to the VMM for BAR0, by what became of them.
public struct MMIOCounts: Equatable, Sendable {
  /// Reads: each a REGION_READ.
  public internal(set) var reads = 0
  /// Writes that are not to doorbells: each a REGION_WRITE with reply.
  public internal(set) var registerWrites = 0
  /// Doorbells sent as REGION_WRITE with reply.
  public internal(set) var doorbellsWithReply = 0
  /// Doorbells sent as REGION_WRITE without reply.
  public internal(set) var postedDoorbells = 0
  /// Doorbells stored in their slot by the VMM.
  public internal(set) var storedDoorbells = 0

  /// No exits.
  public init() {}

  /// Doorbells that woke the VMM.
  public var doorbells: Int { doorbellsWithReply + postedDoorbells + storedDoorbells }
}
