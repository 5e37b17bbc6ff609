import LinuxIO
import Testing

@testable import KVM

@Suite(.enabled(if: kvm == .available, "\(kvm)")) struct VirtualMachineTests {
  /// Writes 1, 2 and 2 to the device, reads from it into the next write, and halts.
  private static func writes(_ code: inout Assembler) {
    for value in [1, 2, 2] as [UInt32] { code.mov(.fs(8), value) }
    code.mov(.eax, .fs(0x40))
    code.mov(.fs(0x44), .eax)
    code.hlt()
  }

  private static let address = SmallGuest.deviceAddress + 8

  private struct Run: Equatable, Sendable {
    var exits: [VCPUExit] = []
    var signals: UInt64 = 0
  }

  /// Runs the guest, with an ioeventfd or without, until it halts.
  private static func run(_ event: IOEventFD?) throws(Errno) -> Run {
    let result = try GuestThread.run(deadline: 10_000) { kick -> Result<Run, Errno> in
      do throws(Errno) {
        var guest = try SmallGuest(writes)
        let counter = try EventFD()
        if var event {
          event.event = counter.rawValue
          try guest.machine.assign(event)
        }
        var run = Run()
        while run.exits.last != .halt, run.exits.count < 16 {
          run.exits.append(try guest.run(kick, reads: 0x8765_4321))
        }
        run.signals = counter.drain()
        return .success(run)
      } catch { return .failure(error) }
    }
    return try result.get()
  }

  private static let rest: [VCPUExit] = [
    .mmioRead(address: SmallGuest.deviceAddress + 0x40, count: 4),
    .mmioWrite(address: SmallGuest.deviceAddress + 0x44, count: 4, value: 0x8765_4321), .halt,
  ]

  @Test func everyAccessIsAnExitWithoutAnEventFD() throws {
    let writes = [1, 2, 2].map { VCPUExit.mmioWrite(address: Self.address, count: 4, value: $0) }
    #expect(try Self.run(nil) == Run(exits: writes + Self.rest, signals: 0))
  }

  @Test func anIOEventFDTakesWritesOfAnyValue() throws {
    let run = try Self.run(IOEventFD(address: Self.address, length: 4, event: -1))
    #expect(run == Run(exits: Self.rest, signals: 3))
  }

  @Test func aDatamatchTakesItsValueOnly() throws {
    let run = try Self.run(IOEventFD(address: Self.address, length: 4, event: -1, datamatch: 2))
    #expect(
      run == Run(exits: [.mmioWrite(address: Self.address, count: 4, value: 1)] + Self.rest, signals: 2))
  }

  @Test func anIOEventFDOfAnotherWidthTakesNothing() throws {
    let run = try Self.run(IOEventFD(address: Self.address, length: 2, event: -1))
    #expect(run.exits.count == 6)
    #expect(run.signals == 0)
  }

  @Test func anAddressHasOneIOEventFD() throws {
    let machine = try VirtualMachine(try KVMSystem())
    let first = try EventFD()
    let second = try EventFD()
    let event = IOEventFD(address: 0x1000, length: 4, event: first.rawValue)
    let other = IOEventFD(address: 0x1000, length: 4, event: second.rawValue)
    try machine.assign(event)
    #expect(throws: Errno.fileExists) { try machine.assign(other) }
    #expect(throws: Errno.noSuchFile) { try machine.deassign(other) }
    try machine.deassign(event)
    try machine.assign(other)
  }

  @Test func aGuestThatSpinsIsEnded() throws {
    let exit = try GuestThread.run(deadline: 50) { kick in
      Self.runOnce(kick) {
        let here = $0.here()
        $0.jmp(here)
      }
    }
    #expect(exit == .interrupted)
  }

  @Test func aKickBeforeTheRunCounts() throws {
    let exit = try GuestThread.run(deadline: 10_000) { kick in
      kick.kick()
      return Self.runOnce(kick) {
        let here = $0.here()
        $0.jmp(here)
      }
    }
    #expect(exit == .interrupted)
  }

  private static func runOnce(_ kick: VCPUKick, _ build: (inout Assembler) -> Void) -> VCPUExit? {
    do throws(Errno) {
      var guest = try SmallGuest(build)
      return try guest.run(kick)
    } catch { return nil }
  }
}
