import ArgumentParser
import KVM
import LinuxIO
import MicroVMM

/// `microvmm disk-test`: a guest that writes and reads a disk, by one path of doorbells.
struct DiskTestCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "disk-test",
    abstract: "Runs a guest that writes pages to a disk, reads them back and compares.",
    discussion: """
      The disk is the first namespace of the controller at --socket; its first pages are overwritten. The status is 0 \
      where the guest found what it wrote. The counts are those of exits to this process.
      """)

  @Option(name: .long, help: "The vfio-user socket.")
  var socket: String

  @Option(name: .long, help: "How doorbells go: \(DoorbellPath.allCases.map { "\($0)" }.joined(separator: ", ")).")
  var doorbells: String

  @Option(name: .long, help: "Pages of 4 KiB to write.")
  var pages: UInt32 = 12

  @Option(name: .long, help: "Bytes of a logical block of the namespace: 512 or 4096.")
  var blockSize: UInt32 = 512

  @Option(name: .long, help: "Tell the server another address of BAR0 first, and then the right one.")
  var movedFrom: UInt64?

  @Flag(name: .long, help: "Do not tell the server where BAR0 is.")
  var hideAddress = false

  @Option(name: .long, help: "Milliseconds until the guest is ended.")
  var deadline: Int32 = 20_000

  func run() throws {
    guard let path = DoorbellPath.allCases.first(where: { "\($0)" == doorbells }) else {
      throw ValidationError("--doorbells: no path is called '\(doorbells)'")
    }
    var machine = MicroVMM(
      try DiskTest(pageCount: pages, blockSize: blockSize).program(), doorbells: path, deadline: deadline)
    if let movedFrom { machine.placement = .moved(from: movedFrom) }
    if hideAddress { machine.placement = .hidden }
    let report = try machine.run(socket: try UnixSocket.connect(path: socket))
    print("ending: \(report.ending)")
    print("doorbells in KVM: \(report.postWriteDoorbells) with a value, \(report.plainDoorbells) without")
    print("reads: \(report.exits.reads)")
    print("writes of registers: \(report.exits.registerWrites)")
    let counts = report.exits
    print(
      "doorbells: \(counts.doorbellsWithReply) with reply, \(counts.postedDoorbells) posted, "
        + "\(counts.storedDoorbells) stored")
    guard report.ending == .reported(DiskTest.Result.passed.rawValue) else { throw ExitCode.failure }
  }
}
