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
  var pages: UInt32 = 12

  @Option(name: .long, help: "Bytes of a block of the namespace: 512 or 4096.")
  var blockSize: UInt32 = 512

  @Option(name: .long, help: "Tell the server another address of BAR0 first, and then the right one.")
  var movedFrom: UInt64?

  @Flag(name: .long, help: "Do not tell the server where BAR0 is.")
  var hideAddress = false

  @Option(name: .long, help: "Milliseconds until the guest is ended.")
  var deadline: Int32 = 20_000

  func validate() throws {
    guard (1...32_000).contains(pages) else { throw ValidationError("--pages: 1 to 32000") }
    guard blockSize == 512 || blockSize == 4096 else { throw ValidationError("--block-size: 512 or 4096") }
    guard deadline > 0 else { throw ValidationError("--deadline: at least 1") }
  }

  func run() throws {
    let kvm = KVMAvailability.check()
    guard kvm == .available else { throw ValidationError("\(kvm)") }
    let test = DiskTest(pageCount: pages, blockSize: blockSize)
    let path = doorbells.path
    var machine = MicroVMM(try test.program(), doorbells: path, deadline: deadline)
    if let movedFrom { machine.placement = .moved(from: movedFrom) }
    if hideAddress { machine.placement = .hidden }
    let connection: FileDescriptor
    do throws(Errno) { connection = try UnixSocket.connect(path: socket) } catch {
      throw ValidationError("\(socket): \(error)")
    }
    let report = try machine.run(socket: connection)
    let exits = report.exits
    print("ending: \(report.ending)")
    print("doorbell path: \(path.name)")
    print("doorbells in KVM: \(report.postWriteDoorbells) with a value, \(report.plainDoorbells) without")
    print("register exits: \(exits.reads) reads, \(exits.registerWrites) writes")
    print(
      "doorbell exits: \(exits.doorbellsWithReply) with reply, \(exits.postedDoorbells) posted, "
        + "\(exits.storedDoorbells) stored")
    if let guest = DiskTest.report(report.memory) {
      print(
        "guest: \(guest.page) of \(pages) pages, \(guest.adminInterrupts) admin interrupts, "
          + "\(guest.ioInterrupts) I/O interrupts")
    }
    guard report.ending == .reported(DiskTest.Result.passed.rawValue) else { throw ExitCode.failure }
  }
}
