import LinuxIO
import Testing

@testable import KVM

@Suite(.enabled(if: kvm == .available, "\(kvm)")) struct ProtectedModeEntryTests {
  /// Says EBX on port 3F8h, reads a byte of it into the next output, and halts.
  private static let code: [UInt8] = [
    0x66, 0xBA, 0xF8, 0x03,  // movw $0x3f8, %dx
    0x89, 0xD8,  // movl %ebx, %eax
    0xEF,  // outl %eax, %dx
    0xEC,  // inb %dx, %al
    0xEE,  // outb %al, %dx
    0xF4,  // hlt
  ]

  @Test func beginsInFlatSegmentsWithEBX() throws {
    let result = try GuestThread.run(deadline: 10_000) { kick -> Result<[VCPUExit], Errno> in
      do throws(Errno) {
        let memory = try MemoryMapping(anonymous: 0x3000)
        unsafe (memory.base + 0x2000).copyMemory(from: Self.code, byteCount: Self.code.count)
        let system = try KVMSystem()
        let machine = try VirtualMachine(system)
        try machine.setMemory(memory)
        var vcpu = try machine.makeVCPU()
        try vcpu.setCPUID(try system.supportedCPUID())
        try vcpu.useHostTSCRate()
        try vcpu.enterProtectedMode(ProtectedModeEntry(instructionPointer: 0x2000, ebx: 0x8765_4321))
        try kick.attach(vcpu)
        defer { kick.detach() }
        var exits: [VCPUExit] = []
        while exits.last != .halt, exits.count < 8 {
          exits.append(try vcpu.run())
          if case .portRead = exits.last { vcpu.completePortRead(0xFFFF_FF5A) }
        }
        return .success(exits)
      } catch { return .failure(error) }
    }
    #expect(
      try result.get() == [
        .portWrite(port: 0x3F8, count: 4, value: 0x8765_4321), .portRead(port: 0x3F8, count: 1),
        .portWrite(port: 0x3F8, count: 1, value: 0x5A), .halt,
      ])
  }

  @Test func supportedLeavesBeginWithTheVendor() throws {
    let leaves = try KVMSystem().supportedCPUID()
    let first = try #require(leaves.first)
    #expect(first.function == 0)
    #expect(first.eax >= 1)
    #expect(leaves.contains { $0.function == 1 })
  }
}

@Suite struct InterruptPinTests {
  @Test func everyPinIsRouted() {
    let routes = InterruptPin.routes
    // Sixteen lines of the ISA bus reach a PIC and the I/O APIC, eight the I/O APIC alone.
    #expect(routes.count == 40)
    let pins = routes.map { [$0.gsi, unsafe $0.u.irqchip.irqchip, unsafe $0.u.irqchip.pin] }
    #expect(Array(pins[0..<2]) == [[0, 0, 0], [0, 2, 0]])
    #expect(Array(pins[30..<33]) == [[15, 1, 7], [15, 2, 15], [16, 2, 16]])
    #expect(pins.last == [23, 2, 23])
    #expect(routes.allSatisfy { $0.type == 1 })
  }

  @Test(.enabled(if: kvm == .available, "\(kvm)")) func pinsAndMessagesTogether() throws {
    let machine = try VirtualMachine(try KVMSystem())
    #expect(throws: Errno(rawValue: 6)) { try machine.setInterruptLine(4, true) }
    try machine.createInterruptController()
    try machine.createTimer()
    try machine.setRoutes([MSIRoute(gsi: 24, address: 0xFEE0_0000, data: 0x31)], pins: true)
    try machine.setInterruptLine(4, true)
    try machine.setInterruptLine(4, false)
    let event = try EventFD()
    try machine.assign(event, gsi: 24)
    #expect(throws: Errno.busy) { try machine.assign(event, gsi: 24) }
    try machine.deassign(eventNumber: event.rawValue, gsi: 24)
    try machine.assign(event, gsi: 24)
  }
}
