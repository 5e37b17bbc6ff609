import KVM
import LinuxIO
import NVMeSpec

/// A small VMM: one vCPU in real mode, 64 KiB of memory, and one NVMe controller that another process serves over
/// vfio-user.
///
/// It does for its guest what QEMU does: memory from a sealed memfd, BAR0 by MMIO exits and ioeventfds, MSI-X by irqfds.
public struct MicroVMM: Sendable {
  /// What is run.
  public var program: GuestProgram
  /// How doorbells reach the server.
  public var doorbells: DoorbellPath
  /// ms until the guest is ended.
  public var deadline: Int32
  /// The vectors of the CPU that MSI-X vectors 0, 1 and so on raise.
  public var interruptVectors: [UInt8]

  /// What the server is told of BAR0's address.
  public var placement = Placement.known

  /// What a server is told of BAR0's address before the guest runs.
  public enum Placement: Sendable {
    /// Where it is.
    case known
    /// Another address first, and then where it is.
    case moved(from: UInt64)
    /// Nothing: configuration space says another address than that where the guest finds it.
    case hidden
  }

  /// Describes a machine.
  public init(
    _ program: GuestProgram, doorbells: DoorbellPath, deadline: Int32 = 20_000,
    interruptVectors: [UInt8] = DiskTest.interruptVectors
  ) {
    self.program = program
    self.doorbells = doorbells
    self.deadline = deadline
    self.interruptVectors = interruptVectors
  }

  /// Where BAR0 is placed: above memory, below the local APIC.
  static let bar0Address: UInt64 = 0xE000_0000

  /// Runs the guest on a thread of its own until it reports, fails, or the deadline passes.
  ///
  /// - Parameter socket: connected to the server; closed at the end.
  /// - Throws: the error of `pthread_create(3)`; `EMFILE` at the limit of open files.
  public func run(socket: consuming FileDescriptor) throws(Errno) -> MachineReport {
    let box = SocketBox(socket)
    return try GuestThread.run(deadline: deadline) { kick in
      do throws(MachineFailure) {
        guard let socket = box.take() else { throw MachineFailure(.device, .badFileDescriptor) }
        var machine = try Machine(self, socket)
        return machine.run(kick)
      } catch { return MachineReport(ending: .failed(error.step, error.error)) }
    }
  }
}

/// What failed, and at which step.
struct MachineFailure: Error {
  let step: MachineStep
  let error: Errno

  init(_ step: MachineStep, _ error: Errno) {
    self.step = step
    self.error = error
  }
}
