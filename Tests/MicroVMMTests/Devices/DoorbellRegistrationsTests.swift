import KVM
import LinuxIO
import Testing

@testable import MicroVMM

@Suite(.enabled(if: kvm == .available, "\(kvm)")) struct DoorbellRegistrationsTests {
  /// Registers plain ioeventfds, which every kernel has, and finds out by collisions where they are.
  @Test func theyFollowTheirRegion() throws {
    let machine = try VirtualMachine(try KVMSystem())
    let event = try EventFD()
    let offsets: [UInt64] = [0x1000, 0x1004, 0x1008]
    var registrations = DoorbellRegistrations(
      offsets.map { IOEventFD(address: $0, length: 4, event: event.rawValue) })
    func places(_ base: UInt64) -> [Bool] {
      offsets.map { offset in
        let probe = IOEventFD(address: base + offset, length: 4, event: event.rawValue)
        do throws(Errno) {
          try machine.assign(probe)
          try machine.deassign(probe)
          return false
        } catch { return error == .fileExists }
      }
    }
    #expect(registrations.mostRegistered == 0)
    try registrations.move(to: 0xE000_0000, machine)
    #expect(places(0xE000_0000) == [true, true, true])
    #expect(registrations.address == 0xE000_0000)
    // Where they already are.
    try registrations.move(to: 0xE000_0000, machine)
    try registrations.move(to: 0xC000_4000, machine)
    #expect(places(0xE000_0000) == [false, false, false])
    #expect(places(0xC000_4000) == [true, true, true])
    try registrations.move(to: nil, machine)
    #expect(places(0xC000_4000) == [false, false, false])
    #expect(registrations.address == nil)
    #expect(registrations.mostRegistered == 3)
    // One place is taken: then none is registered.
    let obstacle = IOEventFD(address: 0xD000_1008, length: 4, event: event.rawValue)
    try machine.assign(obstacle)
    #expect(throws: Errno.fileExists) { try registrations.move(to: 0xD000_0000, machine) }
    #expect(places(0xD000_0000) == [false, false, true])
    #expect(registrations.address == nil)
  }
}
