import KVM
import LinuxIO

/// How a Linux guest ended, and what it cost its VMM.
public struct LinuxReport: Sendable {
  /// What could not be done.
  public enum Failure: Error, Equatable, Sendable, CustomStringConvertible {
    /// The kernel or the initramfs cannot be loaded.
    case image(KernelImageError)
    /// KVM, the server or the socket failed at a step.
    case step(MachineStep, Errno)

    /// A sentence for people.
    public var description: String {
      switch self {
      case .image(let error): "\(error)"
      case .step(let step, let error): "\(step): \(error)"
      }
    }
  }

  /// Why it ended.
  public enum Ending: Equatable, Sendable {
    /// The guest turned its machine off.
    case powerOff
    /// The guest reset its machine, by a reset register or a triple fault.
    case reset
    /// The deadline passed.
    case deadline
    /// An exit that this VMM has no answer to.
    case unexpected(VCPUExit)
    /// Something failed.
    case failed(Failure)
  }

  /// Exits to the VMM, by what they were for.
  public struct Exits: Equatable, Sendable {
    /// Of BARs.
    var function = FunctionCounts()
    /// Of PCI configuration space.
    var configuration = 0
    /// Ports, those of configuration space included.
    var portReads = 0
    var portWrites = 0
    /// Of addresses where nothing is.
    var unclaimed = 0

    /// Of BAR0's registers and doorbells.
    public var registers: MMIOCounts { function.registers }
  }

  /// Why it ended.
  public internal(set) var ending: Ending
  /// What the guest reported on its second serial port; nil: nothing.
  public internal(set) var status: UInt8?
  /// How doorbells reached the server.
  public let doorbells: DoorbellPath
  /// How many doorbells KVM had with POST_WRITE at most.
  public internal(set) var registeredDoorbells = 0
  /// What woke the VMM.
  public internal(set) var exits = Exits()

  /// A report of a guest that has not run.
  init(ending: Ending = .deadline, doorbells: DoorbellPath) {
    self.ending = ending
    self.doorbells = doorbells
  }

  /// The status with which a command ends: what the guest reported, if it also ended by itself; 0 where it turned its
  /// machine off without a report; 124 at the deadline; 125 where it reset its machine without a report; 126 where it
  /// could not be run.
  public var exitStatus: UInt8 {
    switch ending {
    case .powerOff: status ?? 0
    case .reset: status ?? 125
    case .deadline: 124
    case .unexpected, .failed: 126
    }
  }

  /// The report as lines, each a name and a value: the form is kept, so that scripts can read it.
  public var lines: [String] {
    let counts = exits.function
    return [
      "end \(endingText)",
      "status \(status.map { "\($0)" } ?? "none")",
      "doorbell path \(doorbells.name)",
      "doorbells registered \(registeredDoorbells)",
      "doorbell exits \(counts.registers.doorbells)",
      "doorbell exits by message \(counts.registers.doorbellsWithReply)",
      "doorbell exits by posted message \(counts.registers.postedDoorbells)",
      "doorbell exits stored \(counts.registers.storedDoorbells)",
      "register reads \(counts.registers.reads)",
      "register writes \(counts.registers.registerWrites)",
      "interrupt table exits \(counts.interruptTable)",
      "configuration exits \(exits.configuration)",
      "port reads \(exits.portReads)",
      "port writes \(exits.portWrites)",
      "unclaimed exits \(exits.unclaimed)",
    ]
  }

  private var endingText: String {
    switch ending {
    case .powerOff: "power-off"
    case .reset: "reset"
    case .deadline: "deadline"
    case .unexpected(let exit): "unexpected \(exit)"
    case .failed(let failure): "failed \(failure)"
    }
  }
}
