import KVM
import Glibc
import LinuxIO
import Testing

@testable import MicroVMM

/// A guest of KVM against the daemon as it was built.
@Suite(
  .enabled(if: kvm == .available, "\(kvm)"),
  .enabled(if: DaemonProcess.isBuilt, "\(DaemonProcess.path) is not there: build the product nvmed")
)
struct MicroVMMTests {
  private static let pageCount = 12
  private static let imagePages = 256

  /// Writes and reads pages, and checks what is the same on every path.
  private static func drive(
    _ path: DoorbellPath, blockSize: Int = 512, postWrite: String = "kernel"
  ) throws -> (DiskTest, MachineReport) {
    let daemon = try DaemonProcess(imageSize: imagePages * 4096, blockSize: blockSize, postWrite: postWrite)
    let test = DiskTest(pageCount: UInt32(pageCount), blockSize: UInt32(blockSize))
    let machine = MicroVMM(try test.program(), doorbells: path)
    let report = try machine.run(socket: try daemon.connect())
    let guest = try #require(DiskTest.report(report.memory), "\(report.ending)")
    #expect(report.ending == .reported(DiskTest.Result.passed.rawValue), "\(guest)")
    #expect(guest.page == UInt32(pageCount))
    // Each command is awaited, so that each has an interrupt of its own.
    #expect(guest.adminInterrupts == UInt32(DiskTest.adminCommandCount))
    #expect(guest.ioInterrupts == UInt32(test.ioCommandCount))
    // CC twice, AQA, ASQ and ACQ in halves.
    #expect(report.exits.registerWrites == 7)
    // RDY 0 at first, RDY 1 at last.
    #expect(report.exits.reads >= 2)

    #expect(daemon.end() == 0)
    for page in 0..<pageCount { #expect(daemon.page(page) == DiskTest.pattern(page: UInt32(page)), "page \(page)") }
    let untouched = [UInt8](repeating: 0, count: 4096)
    for page in pageCount..<imagePages where daemon.page(page) != untouched { Issue.record("page \(page) is written") }
    return (test, report)
  }

  /// A tail and a head for every command.
  private static func doorbells(_ test: DiskTest) -> Int { 2 * (DiskTest.adminCommandCount + test.ioCommandCount) }

  @Test func doorbellsByMessageWithReply() throws {
    let (test, report) = try Self.drive(.messageWithReply)
    #expect(report.exits.doorbellsWithReply == Self.doorbells(test))
    #expect(report.exits.postedDoorbells == 0)
    #expect(report.exits.storedDoorbells == 0)
  }

  @Test func doorbellsByPostedMessage() throws {
    let (test, report) = try Self.drive(.postedMessage, blockSize: 4096)
    #expect(report.exits.postedDoorbells == Self.doorbells(test))
    #expect(report.exits.doorbellsWithReply == 0)
    #expect(report.exits.storedDoorbells == 0)
  }

  @Test func doorbellsStoredByTheVMM() throws {
    let (test, report) = try Self.drive(.softwarePost)
    #expect(report.exits.storedDoorbells == Self.doorbells(test))
    #expect(report.exits.doorbellsWithReply == 0)
    #expect(report.exits.postedDoorbells == 0)
  }

  @Test func doorbellsByTheBestPathThatTheKernelHas() throws {
    let support = PostWriteSupport.probe()
    let path = DoorbellPath.automatic(support)
    let (test, report) = try Self.drive(path)
    if support == .supported {
      #expect(path == .postWrite)
      // Admin queue and two I/O queue pairs; no doorbell comes to the VMM.
      #expect(report.postWriteDoorbells == 6)
      #expect(report.exits.doorbellsWithReply == 0)
    } else {
      #expect(path == .ioeventfd)
      #expect(report.postWriteDoorbells == 0)
      #expect(report.exits.doorbellsWithReply == Self.doorbells(test))
    }
  }

  @Test(.enabled(if: PostWriteSupport.probe() != .supported, "the kernel has POST_WRITE"))
  func postWriteIsRefusedByAKernelWithoutIt() throws {
    let daemon = try DaemonProcess(imageSize: 1 << 20, blockSize: 512)
    let machine = MicroVMM(try DiskTest(pageCount: 1).program(), doorbells: .postWrite)
    let report = try machine.run(socket: try daemon.connect())
    #expect(report.ending == .failed(.doorbells, .invalidArgument))
    #expect(daemon.end() == 0)
  }

  @Test func withoutPostWriteEveryDoorbellIsAMessage() throws {
    for path in [DoorbellPath.ioeventfd, .softwarePost] {
      let (test, report) = try Self.drive(path, postWrite: "off")
      #expect(report.plainDoorbells == 0)
      #expect(report.exits.doorbellsWithReply == Self.doorbells(test))
    }
  }

  /// Programs that never report: asleep with interrupts off, and spinning.
  @Test(arguments: [true, false])
  func aGuestThatHangsIsEnded(sleeps: Bool) throws {
    let daemon = try DaemonProcess(imageSize: 1 << 20, blockSize: 512)
    let program = try GuestProgram {
      let here = $0.here()
      if sleeps {
        $0.cli()
        $0.hlt()
      }
      $0.jmp(here)
    }
    let machine = MicroVMM(program, doorbells: .messageWithReply, deadline: 200)
    let report = try machine.run(socket: try daemon.connect())
    #expect(report.ending == .deadline)
    #expect(daemon.end() == 0)
  }

  @Test func aGuestFindsAMismatch() throws {
    let daemon = try DaemonProcess(imageSize: 1 << 20, blockSize: 512)
    var program = try DiskTest(pageCount: 2).program()
    // Another factor for the pattern that is written, so that what is read differs from what is expected.
    let factor = withUnsafeBytes(of: DiskTest.pageFactor.littleEndian, Array.init)
    let place = try #require(firstRange(of: factor, in: program.segments[0].bytes))
    program.segments[0].bytes[place] ^= 1
    let report = try MicroVMM(program, doorbells: .softwarePost).run(socket: try daemon.connect())
    #expect(report.ending == .reported(DiskTest.Result.mismatch.rawValue))
    // Page 0 has the same pattern with any factor.
    #expect(DiskTest.report(report.memory)?.page == 1)
    #expect(daemon.end() == 0)
  }

  @Test func aCommandThatFailsIsReported() throws {
    // Sixteen pages do not fit on eight.
    let daemon = try DaemonProcess(imageSize: 8 * 4096, blockSize: 512)
    let report = try MicroVMM(try DiskTest(pageCount: 16).program(), doorbells: .softwarePost)
      .run(socket: try daemon.connect())
    #expect(report.ending == .reported(DiskTest.Result.commandFailed.rawValue))
    let guest = try #require(DiskTest.report(report.memory))
    #expect(guest.page == 8)
    // LBA Out of Range, with DNR or without; the phase tag is bit 16.
    #expect(guest.detail >> 17 & 0x7FF == 0x80)
    #expect(daemon.end() == 0)
  }

  @Test func aServerThatGoesIsAnError() throws {
    let pair = try UnixSocketPair()
    try #require(shutdown(pair.second.rawValue, Int32(SHUT_RDWR)) == 0)
    let machine = MicroVMM(try DiskTest(pageCount: 1).program(), doorbells: .messageWithReply)
    let report = try machine.run(socket: try pair.first.duplicate())
    #expect(report.ending == .failed(.device, .connectionReset))
  }
}

private func firstRange(of needle: [UInt8], in bytes: [UInt8]) -> Int? {
  (0...max(bytes.count - needle.count, 0)).first { Array(bytes[$0..<min($0 + needle.count, bytes.count)]) == needle }
}
