import ArgumentParser
import KVM
import LinuxIO
import MicroVMM

/// `microvmm disk-test`: a guest that writes a disk and reads it back.
struct DiskTestCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "disk-test", abstract: "Lets a guest write pages to the first blocks of a disk, and read them back.",
    discussion: """
      The guest is a program in real mode that drives the controller by interrupts. It OVERWRITES the disk's begin. \
      The status is 0 where every page came back as it was written.
      """)

  @Option(name: .long, help: "The socket of the vfio-user server.")
  var socket: String

  @Option(name: .long, help: DoorbellsOption.help)
  var doorbells = DoorbellsOption.auto

  @Option(name: .long, help: "Pages of 4 KiB: 1 to 32000.")
  var pages: UInt32 = 1000

  @Option(name: .long, help: "Bytes of a block of the namespace: 512 or 4096.")
  var blockSize: UInt32 = 512

  func validate() throws {
    guard (1...32_000).contains(pages) else { throw ValidationError("--pages: 1 to 32000") }
    guard blockSize == 512 || blockSize == 4096 else { throw ValidationError("--block-size: 512 or 4096") }
  }

  func run() throws {
    let kvm = KVMAvailability.check()
    guard kvm == .available else { throw ValidationError("\(kvm)") }
    let test = DiskTest(pageCount: pages, blockSize: blockSize)
    let path = doorbells.path
    let machine = MicroVMM(try test.program(), doorbells: path, deadline: 120_000)
    let connection: FileDescriptor
    do throws(Errno) { connection = try UnixSocket.connect(path: socket) } catch {
      throw ValidationError("\(socket): \(error)")
    }
    let report = try machine.run(socket: connection)
    let exits = report.exits
    print("doorbells: \(path); \(report.postWriteDoorbells) registered with KVM")
    print(
      "exits: \(exits.reads) register reads, \(exits.registerWrites) register writes, \(exits.doorbells) doorbells")
    if let guest = DiskTest.report(report.memory) {
      print(
        "guest: \(guest.page) of \(pages) pages, \(guest.adminInterrupts) admin interrupts, "
          + "\(guest.ioInterrupts) I/O interrupts")
    }
    guard report.ending == .reported(DiskTest.Result.passed.rawValue) else {
      print("failed: \(Self.describe(report.ending))")
      throw ExitCode.failure
    }
    print("passed: every page came back as it was written")
  }

  private static func describe(_ ending: MachineReport.Ending) -> String {
    switch ending {
    case .reported(let value): DiskTest.Result(rawValue: value).map { "\($0)" } ?? "the guest reported \(value)"
    case .deadline: "not done at the deadline"
    case .unexpected(let exit): "an exit without an answer: \(exit)"
    case .failed(let step, let error): "\(step): \(error)"
    }
  }
}
