import ArgumentParser
import Glibc
import KVM
import LinuxIO
import MicroVMM

/// `microvmm linux`: boots a Linux kernel with the device as its NVMe disk.
struct LinuxCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "linux", abstract: "Boots a Linux kernel whose NVMe disk is served over vfio-user.",
    discussion: """
      The kernel is a vmlinux with a PVH entry, and must run on one CPU without a disk: drivers for NVMe and for serial \
      ports are built in or in the initramfs. Its console is standard output. The guest reports its status by a line \
      with a number, 0 to 255, on /dev/ttyS1, and turns the machine off or resets it.

      At the end a report is printed, each of its lines begins with "microvmm: ". The status is the one that the guest \
      reported; 0 where it turned the machine off without one; 124 at the deadline; 125 where it reset the machine \
      without one, as it does after a panic with panic=-1; 126 where it could not be run.
      """)

  @Option(name: .long, help: "The kernel: an ELF file with a PVH entry (vmlinux).")
  var kernel: String
  @Option(name: .long, help: "The initramfs.")
  var initrd: String
  @Option(name: .long, help: "The kernel's parameters.")
  var commandLine = "console=ttyS0 panic=-1"
  @Option(name: .long, help: "The guest's memory in MiB, 16 to 3072.")
  var memory: UInt64 = 512
  @Option(name: .long, help: "CPUs; there can be one.")
  var cpus = 1
  @Option(name: .long, help: "The vfio-user socket of the device's server.")
  var socket: String
  @Option(name: .long, help: DoorbellsOption.help)
  var doorbells = DoorbellsOption.auto
  @Option(name: .long, help: "Seconds until the guest is ended, 1 to 86400.")
  var deadline: Int32 = 300

  func validate() throws {
    guard (16...3072).contains(memory) else { throw ValidationError("--memory must be 16 to 3072") }
    guard cpus == 1 else { throw ValidationError("--cpus must be 1") }
    guard (1...86_400).contains(deadline) else { throw ValidationError("--deadline must be 1 to 86400") }
  }

  func run() throws {
    let connection: FileDescriptor
    do throws(Errno) { connection = try UnixSocket.connect(path: socket) } catch {
      throw ValidationError("\(socket): \(error)")
    }
    let machine = LinuxVMM(
      kernel: kernel, initramfs: initrd, commandLine: commandLine, memorySize: memory << 20, doorbells: doorbells.path,
      deadline: deadline * 1000)
    let report = try machine.run(socket: connection)
    for line in report.lines { print("microvmm: \(line)") }
    throw ExitCode(Int32(report.exitStatus))
  }
}
