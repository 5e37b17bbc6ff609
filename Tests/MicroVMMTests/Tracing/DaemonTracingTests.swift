import Glibc
import KVM
import Testing

@testable import MicroVMM

/// Doorbells by eBPF, with the daemon and the VMM as they were built: each a process of its own.
@Suite(
  .enabled(if: kvm == .available, "\(kvm)"),
  .enabled(if: tracerRefusal == nil, "\(tracerRefusal?.description ?? "")"),
  .enabled(if: DaemonProcess.isBuilt, "\(DaemonProcess.path) is not there: build the product nvmed")
)
struct DaemonTracingTests {
  private static let pages = 12
  /// A tail and a head for every command.
  private static let doorbells =
    2 * (DiskTest.adminCommandCount + DiskTest(pageCount: UInt32(pages)).ioCommandCount)

  private func daemon(_ postWrite: String) throws -> DaemonProcess {
    try DaemonProcess(imageSize: 1 << 20, blockSize: 512, postWrite: postWrite, listens: true)
  }

  /// Whether a guest has written and read its pages, with so many doorbells of each kind.
  private func passes(
    _ daemon: DaemonProcess, plain: Int, withReply: Int = 0, posted: Int = 0, stored: Int = 0,
    _ machine: MachineProcess
  ) -> Bool {
    let lines = machine.end()
    let expected = [
      "ending: reported(0)", "doorbells in KVM: 0 with a value, \(plain) without",
      "doorbell exits: \(withReply) with reply, \(posted) posted, \(stored) stored", "status: 0",
    ]
    let pages = (0..<Self.pages).filter { daemon.page($0) != DiskTest.pattern(page: UInt32($0)) }
    if pages != [] { Issue.record("pages \(pages) are wrong") }
    let missing = expected.filter { !lines.contains($0) }
    if missing != [] { Issue.record("\(missing) are not in \(lines)") }
    return missing.isEmpty && pages.isEmpty
  }

  /// Waits until the daemon's links are these.
  private func awaitTracepoints(_ daemon: DaemonProcess, _ expected: [String]) throws -> Bool {
    for _ in 0..<2000 {
      if try daemon.tracepoints() == expected { return true }
      usleep(10_000)
    }
    return false
  }

  /// No doorbell wakes the VMM, and all it has are plain ioeventfds: of the admin queue and two I/O queue pairs.
  @Test(arguments: ["ebpf", "auto"]) func doorbellsWithoutTheVMMOnAnyKernel(postWrite: String) throws {
    if postWrite == "auto", PostWriteSupport.probe() == .supported { return }
    let daemon = try daemon(postWrite)
    // The page of the first client is free again for the second.
    for _ in 0..<2 {
      #expect(passes(daemon, plain: 6, try MachineProcess(daemon, "--doorbells", "ioeventfd")))
      #expect(try awaitTracepoints(daemon, []))
    }
    #expect(daemon.end() == 0)
  }

  @Test func theProgramFollowsBAR0() throws {
    let daemon = try daemon("ebpf")
    #expect(
      passes(daemon, plain: 6, try MachineProcess(daemon, "--doorbells", "ioeventfd", "--moved-from", "\(0xD000_0000)"))
    )
    #expect(daemon.end() == 0)
  }

  /// A VMM that asks for doorbells and registers none of them: each is stored by the program and comes as a message too.
  @Test func messagesAndTracedDoorbellsDoNotDisturbEachOther() throws {
    let daemon = try daemon("ebpf")
    #expect(
      passes(
        daemon, plain: 0, withReply: Self.doorbells, try MachineProcess(daemon, "--doorbells", "message")))
    #expect(
      passes(daemon, plain: 0, posted: Self.doorbells, try MachineProcess(daemon, "--doorbells", "posted")))
    // It keeps BAR0's address to itself, which does no harm to messages.
    #expect(
      passes(
        daemon, plain: 0, withReply: Self.doorbells,
        try MachineProcess(daemon, "--doorbells", "message", "--hide-address")))
    #expect(daemon.end() == 0)
  }

  /// The VMM does not tell the daemon where BAR0 is, so that doorbells have no value. The controller fails, nothing is
  /// executed, the program is gone with the client, and the next one rings by message.
  @Test func doorbellsWithoutValuesAreFound() throws {
    let daemon = try daemon("ebpf")
    let machine = try MachineProcess(daemon, "--doorbells", "ioeventfd", "--hide-address", "--deadline", "3000")
    #expect(try awaitTracepoints(daemon, ["kvm_mmio"]))
    let lines = machine.end()
    #expect(lines.contains("ending: deadline"))
    #expect(lines.contains("doorbells in KVM: 0 with a value, 6 without"))
    #expect(lines.last == "status: 1")
    #expect(daemon.page(0) == [UInt8](repeating: 0, count: 4096))
    #expect(try awaitTracepoints(daemon, []))
    #expect(passes(daemon, plain: 0, withReply: Self.doorbells, try MachineProcess(daemon, "--doorbells", "ioeventfd")))
    #expect(daemon.end() == 0)
  }

  /// Two machines, with BAR0 at the same address, at the same time.
  @Test func machinesOfTwoProcessesDoNotMeet() throws {
    let daemons = [try daemon("ebpf"), try daemon("ebpf")]
    let machines = try daemons.map { try MachineProcess($0, "--doorbells", "ioeventfd") }
    for (daemon, machine) in zip(daemons, machines) {
      #expect(passes(daemon, plain: 6, machine))
      #expect(daemon.end() == 0)
    }
  }
}
