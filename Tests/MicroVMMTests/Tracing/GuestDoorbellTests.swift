import Doorbells
import Glibc
import KVM
import LinuxIO
import Testing

/// Guests of this process ring doorbells that a tracer stores.
@Suite(
  .serialized,
  .enabled(if: kvm == .available, "\(kvm)"),
  .enabled(if: tracerRefusal == nil, "\(tracerRefusal?.description ?? "")")
)
struct GuestDoorbellTests {
  /// What a guest's writes came to.
  private struct Outcome: Sendable {
    var exits: [VCPUExit] = []
    var signals: UInt64 = 0
  }

  /// Where the doorbells are: not where other tests, whose guests belong to this process too, have their devices.
  private static let doorbells: UInt64 = 0x5_0000
  private static let bar0 = doorbells - 0x1000

  /// Runs a guest whose FS is the page of doorbells to its HLT; the one at offset 8 has an ioeventfd.
  private func ring(_ build: @escaping @Sendable (inout Assembler) -> Void) throws -> Outcome {
    let result = try GuestThread.run(deadline: 10_000) { kick -> Result<Outcome, Errno> in
      do throws(Errno) {
        let event = try EventFD()
        var guest = try SmallGuest(fsBase: Self.doorbells) { code in
          build(&code)
          code.hlt()
        }
        try guest.machine.assign(
          IOEventFD(address: Self.doorbells + 8, length: 4, event: event.rawValue))
        try guest.attach(kick)
        defer { kick.detach() }
        var outcome = Outcome()
        while outcome.exits.count < 100 {
          let exit = try guest.run()
          if exit == .halt { break }
          outcome.exits.append(exit)
        }
        outcome.signals = event.drain()
        return .success(outcome)
      } catch { return .failure(error) }
    }
    return try result.get()
  }

  @Test func theValueIsThereWithTheSignal() throws {
    let tracer = try DoorbellTracer.load(clients: 1)
    let page = try tracer.makePage(process: getpid())
    let slots = try DoorbellSlots()
    slots.trace(page)
    try page.place(bar0: Self.bar0)
    let outcome = try ring { code in
      code.mov(.fs(8), 0x1234)
      code.mov(.fs(8), 0xA5C3_1F07)
    }
    #expect(outcome.signals == 2)
    #expect(outcome.exits.isEmpty)
    // The whole register arrives; a doorbell's value are its lower 16 bits.
    #expect(slots.submissionQueueTail(1)?.load() == 0xA5C3_1F07)
    #expect(page.stores(at: 8) == 2)
    // Without an ioeventfd the VMM is woken all the same; the value is stored before.
    let other = try ring { code in code.mov(.fs(0xFFC), 77) }
    #expect(other.exits == [.mmioWrite(address: Self.doorbells + 0xFFC, count: 4, value: 77)])
    #expect(slots.completionQueueHead(511)?.load() == 77)
  }

  /// Another VM's writes to the same address: the entry is for another process.
  @Test func writesOfOtherProcessesAreNotStored() throws {
    let tracer = try DoorbellTracer.load(clients: 1)
    let page = try tracer.makePage(process: getppid())
    let slots = try DoorbellSlots()
    slots.trace(page)
    try page.place(bar0: Self.bar0)
    #expect(try ring { code in code.mov(.fs(8), 1) }.signals == 1)
    #expect(slots.submissionQueueTail(1)?.load() == 0)
    #expect(page.stores(at: 8) == 0)
  }

  @Test func aMovedBARIsFollowed() throws {
    let tracer = try DoorbellTracer.load(clients: 1)
    let page = try tracer.makePage(process: getpid())
    let slots = try DoorbellSlots()
    slots.trace(page)
    try page.place(bar0: Self.bar0 + 0x4000)
    #expect(try ring { code in code.mov(.fs(8), 1) }.signals == 1)
    #expect(page.stores(at: 8) == 0)
    try page.place(bar0: Self.bar0)
    #expect(try ring { code in code.mov(.fs(8), 2) }.signals == 1)
    #expect(slots.submissionQueueTail(1)?.load() == 2)
    try page.place(bar0: nil)
    #expect(try ring { code in code.mov(.fs(8), 3) }.signals == 1)
    #expect(slots.submissionQueueTail(1)?.load() == 2)
    #expect(page.stores(at: 8) == 1)
  }

  /// Two guests' pages: neither sees the other's doorbells, though both belong to this process.
  @Test func otherRegistersAreNotTouched() throws {
    let tracer = try DoorbellTracer.load(clients: 2)
    let page = try tracer.makePage(process: getpid())
    let other = try tracer.makePage(process: getpid())
    try page.place(bar0: Self.bar0)
    try other.place(bar0: 0xb000_0000)
    _ = try ring { code in code.mov(.fs(8), 3) }
    for offset in stride(from: 0, to: 4096, by: 4) {
      #expect(page.stores(at: offset) == (offset == 8 ? 1 : 0))
      #expect(other.stores(at: offset) == 0)
    }
  }

  @Test func machinesOfAProcessAreCounted() throws {
    let first = try VirtualMachine(try KVMSystem())
    let second = try VirtualMachine(try KVMSystem())
    #expect(try KVMProcess.machineCount(getpid()) >= 2)
    withExtendedLifetime(first) {}
    withExtendedLifetime(second) {}
  }
}
