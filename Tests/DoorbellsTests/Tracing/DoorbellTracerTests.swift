import BPF
import Glibc
import LinuxIO
import Testing

@testable import Doorbells

/// The program is run in this process, as if a vCPU of it were in the tracepoint. At kernel address 0 it finds no value:
/// `unreadable` is the answer for a write of a doorbell that it would store.
@Suite(.enabled(if: tracerRefusal == nil, "\(tracerRefusal?.description ?? "")")) struct DoorbellTracerTests {
  private static let bar0: UInt64 = 0xe000_0000
  private static let write = DoorbellProgram.write

  private func outcome(
    _ tracer: DoorbellTracer, type: UInt64 = write, length: UInt64 = 4, address: UInt64
  ) throws -> DoorbellProgram.Outcome? {
    try tracer.run(type: type, length: length, address: address, value: 0)
  }

  // MARK: What is a doorbell

  @Test func aWriteOfADoorbellIsFound() throws {
    let tracer = try DoorbellTracer.load(clients: 2)
    let page = try tracer.makePage(process: getpid())
    try page.place(bar0: Self.bar0)
    for offset in [0x1000, 0x1004, 0x1208, 0x1ffc] as [UInt64] {
      #expect(try outcome(tracer, address: Self.bar0 + offset) == .unreadable)
    }
    // What could not be read is not counted, and stores nothing.
    #expect(page.stores(at: 0) == 0)
    #expect(page.slots.load(as: UInt32.self) == 0)
    // The upper half of an int is not its value.
    #expect(try outcome(tracer, type: 2 | 7 << 32, length: 4 | 9 << 32, address: Self.bar0 + 0x1000) == .unreadable)
  }

  @Test(
    arguments: [
      // Reads, satisfied or not; other widths; registers and what is behind the doorbells; addresses that are not aligned.
      (0, 4, 0x1000), (1, 4, 0x1000), (3, 4, 0x1000), (2, 0, 0x1000), (2, 1, 0x1000), (2, 2, 0x1000), (2, 8, 0x1000),
      (2, 4, 0), (2, 4, 0x14), (2, 4, 0xffc), (2, 4, 0x2000), (2, 4, 0x1001), (2, 4, 0x1002), (2, 4, 0x1ffe),
      (2, 4, 0x1_0000_1000),
    ] as [(UInt64, UInt64, UInt64)])
  func anythingElseIsIgnored(type: UInt64, length: UInt64, offset: UInt64) throws {
    let tracer = try DoorbellTracer.load(clients: 1)
    let page = try tracer.makePage(process: getpid())
    try page.place(bar0: Self.bar0)
    #expect(try outcome(tracer, type: type, length: length, address: Self.bar0 + offset) == .ignored)
  }

  @Test func anotherProcessIsIgnored() throws {
    let tracer = try DoorbellTracer.load(clients: 2)
    let page = try tracer.makePage(process: getppid())
    try page.place(bar0: Self.bar0)
    #expect(try outcome(tracer, address: Self.bar0 + 0x1000) == .ignored)
    let own = try tracer.makePage(process: getpid())
    try own.place(bar0: Self.bar0)
    #expect(try outcome(tracer, address: Self.bar0 + 0x1000) == .unreadable)
  }

  // MARK: BAR0

  @Test func theAddressIsFollowed() throws {
    let tracer = try DoorbellTracer.load(clients: 1)
    let page = try tracer.makePage(process: getpid())
    #expect(tracer.hasNoPlaces)
    #expect(try outcome(tracer, address: Self.bar0 + 0x1000) == .ignored)
    try page.place(bar0: Self.bar0)
    try page.place(bar0: Self.bar0)
    #expect(try outcome(tracer, address: Self.bar0 + 0x1000) == .unreadable)
    try page.place(bar0: 0x12_3456_8000)
    #expect(try outcome(tracer, address: Self.bar0 + 0x1000) == .ignored)
    #expect(try outcome(tracer, address: 0x12_3456_9000) == .unreadable)
    try page.place(bar0: nil)
    #expect(try outcome(tracer, address: 0x12_3456_9000) == .ignored)
    #expect(tracer.hasNoPlaces)
    // All ones, as they are written to find the size of a BAR: no sum overflows.
    try page.place(bar0: ~0xf)
    #expect(tracer.hasNoPlaces)
  }

  @Test func severalControllersOfAMachineHaveAPageEach() throws {
    let tracer = try DoorbellTracer.load(clients: 2)
    let first = try tracer.makePage(process: getpid())
    let second = try tracer.makePage(process: getpid())
    #expect(first.slots != second.slots)
    try first.place(bar0: Self.bar0)
    try second.place(bar0: Self.bar0 + 0x4000)
    #expect(try outcome(tracer, address: Self.bar0 + 0x1000) == .unreadable)
    #expect(try outcome(tracer, address: Self.bar0 + 0x5000) == .unreadable)
    #expect(throws: Errno.fileExists) { try second.place(bar0: Self.bar0) }
    // It is nowhere now, and takes nothing of the first with it when it goes.
    #expect(try outcome(tracer, address: Self.bar0 + 0x5000) == .ignored)
    second.end()
    #expect(try outcome(tracer, address: Self.bar0 + 0x1000) == .unreadable)
  }

  // MARK: Clients

  @Test func theProgramIsAttachedWhileThereAreClients() throws {
    let tracer = try DoorbellTracer.load(clients: 2)
    #expect(!tracer.isAttached)
    let first = try tracer.makePage(process: getpid())
    let second = try tracer.makePage(process: getpid())
    #expect(tracer.isAttached)
    try first.place(bar0: Self.bar0)
    first.end()
    first.end()
    #expect(tracer.isAttached)
    #expect(tracer.hasNoPlaces)
    second.end()
    #expect(!tracer.isAttached)
    let third = try tracer.makePage(process: getpid())
    #expect(tracer.isAttached)
    third.end()
  }

  @Test func aPageThatIsForgottenIsGivenBack() throws {
    let tracer = try DoorbellTracer.load(clients: 1)
    do {
      let page = try tracer.makePage(process: getpid())
      try page.place(bar0: Self.bar0)
      #expect(!tracer.hasNoPlaces)
    }
    #expect(tracer.hasNoPlaces)
    #expect(!tracer.isAttached)
  }

  @Test func pagesAreLimitedAndComeBackEmpty() throws {
    let tracer = try DoorbellTracer.load(clients: 1)
    let page = try tracer.makePage(process: getpid())
    memset(page.slots, 0xff, 8192)
    #expect(throws: DoorbellTracerError.refused(.map(.noSpace))) { _ = try tracer.makePage(process: getpid()) }
    page.end()
    // What has ended is nowhere any more.
    try page.place(bar0: Self.bar0)
    #expect(tracer.hasNoPlaces)
    let next = try tracer.makePage(process: getpid())
    let bytes = UnsafeRawBufferPointer(start: next.slots, count: 8192)
    #expect(bytes.allSatisfy { $0 == 0 })
  }
}

@Suite struct DoorbellTracerErrorTests {
  @Test func errorsSayWhatToDo() {
    let rights = DoorbellTracerError(.program(.notPermitted))
    #expect(rights == .notPermitted(.program(.notPermitted)))
    #expect(
      rights.description
        == "a BPF program cannot be loaded: Operation not permitted; run as root, or with CAP_BPF and CAP_PERFMON, and "
        + "without lockdown=confidentiality")
    #expect(DoorbellTracerError(.attach(.noSuchFile)) == .noTracepoint)
    #expect(DoorbellTracerError(.map(Errno(rawValue: ENOSYS))) == .refused(.map(Errno(rawValue: ENOSYS))))
    let log = BPFError.rejected(.accessDenied, log: "no")
    #expect(DoorbellTracerError(log) == .refused(log))
  }
}

@Suite struct KVMProcessTests {
  @Test func aProcessWithoutAMachineHasNone() throws {
    // The one that runs the tests; this process may run a VM in another test just now.
    #expect(try KVMProcess.machineCount(getppid()) == 0)
  }

  @Test(arguments: [0, -1, pid_t.max]) func aProcessThatIsNotThereIsAnError(process: pid_t) {
    #expect(throws: Errno.noSuchFile) { _ = try KVMProcess.machineCount(process) }
  }
}
