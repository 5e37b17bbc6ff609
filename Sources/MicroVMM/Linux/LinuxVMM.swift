import KVM
import LinuxIO

/// A small VMM that boots an unmodified Linux kernel: one vCPU, memory from a sealed memfd, KVM's interrupt controllers,
/// ACPI tables, two serial ports, and a PCI bus with one NVMe controller that another process serves over vfio-user.
///
/// The console is the first serial port. A guest reports a status by a line with a number, 0 to 255, on the second one.
public struct LinuxVMM: Sendable {
  let loader: LinuxLoader
  let memorySize: UInt64
  let doorbells: DoorbellPath
  let console: Int32
  private let deadline: Int32

  /// Describes a machine.
  ///
  /// - Parameters:
  ///   - kernel: the path of an ELF kernel with a PVH entry (`vmlinux`).
  ///   - initramfs: the path of its initramfs.
  ///   - commandLine: its parameters.
  ///   - memorySize: bytes, 16 MiB to 3 GiB, a multiple of 4 KiB.
  ///   - doorbells: how doorbells reach the server.
  ///   - console: the number of the descriptor that takes the console's output.
  ///   - deadline: ms until the guest is ended.
  public init(
    kernel: String, initramfs: String, commandLine: String, memorySize: UInt64, doorbells: DoorbellPath,
    console: Int32 = 1, deadline: Int32
  ) {
    loader = LinuxLoader(kernel: kernel, initramfs: initramfs, commandLine: commandLine)
    self.memorySize = memorySize
    self.doorbells = doorbells
    self.console = console
    self.deadline = deadline
  }

  /// Runs the guest on a thread of its own until it ends, fails, or the deadline passes.
  ///
  /// - Parameter socket: connected to the server; closed at the end.
  /// - Throws: the error of `pthread_create(3)`; `EMFILE` at the limit of open files.
  public func run(socket: consuming FileDescriptor) throws(Errno) -> LinuxReport {
    let box = SocketBox(socket)
    return try GuestThread.run(deadline: deadline) { kick in
      do throws(LinuxReport.Failure) {
        guard let socket = box.take() else { throw .step(.device, .badFileDescriptor) }
        var machine = try LinuxMachine(self, socket)
        return machine.run(kick)
      } catch { return LinuxReport(ending: .failed(error), doorbells: doorbells) }
    }
  }
}
