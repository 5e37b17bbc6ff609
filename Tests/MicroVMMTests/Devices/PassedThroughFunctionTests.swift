import KVM
import LinuxIO
import Testing
import VFIOUser

@testable import MicroVMM

/// A function of the daemon as it was built, and a VM that does not run: the accesses are made by hand.
@Suite(
  .enabled(if: kvm == .available, "\(kvm)"),
  .enabled(if: DaemonProcess.isBuilt, "\(DaemonProcess.path) is not there: build the product nvmed")
)
struct PassedThroughFunctionTests {
  private static let command: UInt64 = 0x04
  private static let bar0: UInt64 = 0x10
  private static let bar4: UInt64 = 0x20

  /// What a guest does, on a daemon of its own.
  private final class Guest {
    private let daemon: DaemonProcess
    private let machine: VirtualMachine
    private var function: PassedThroughFunction
    private(set) var counts = FunctionCounts()

    init() throws {
      daemon = try DaemonProcess(imageSize: 1 << 20, blockSize: 512)
      machine = try VirtualMachine(try KVMSystem())
      try machine.createInterruptController()
      let memory = try SharedMemory(name: "test-ram", count: 1 << 20)
      function = try PassedThroughFunction(try daemon.connect(), memory: memory, doorbells: .messageWithReply)
    }

    func configuration(_ offset: UInt64, _ count: Int) throws -> UInt32 {
      try function.readConfiguration(at: offset, count: count)
    }

    func setConfiguration(_ offset: UInt64, _ count: Int, _ value: UInt32) throws {
      try function.writeConfiguration(at: offset, count: count, value, machine)
    }

    func place(_ address: UInt64, _ count: Int) -> PassedThroughFunction.Place? {
      function.place(of: address, count: count)
    }

    func read(_ address: UInt64, _ count: Int) throws -> UInt64 {
      let place = try #require(self.place(address, count))
      return try function.read(place, count: count, &counts)
    }

    func write(_ address: UInt64, _ count: Int, _ value: UInt64) throws {
      let place = try #require(self.place(address, count))
      try function.write(place, count: count, value, machine, &counts)
    }

    func capability(_ identifier: UInt32) throws -> UInt64 {
      var offset = UInt64(try configuration(0x34, 1))
      for _ in 0..<48 where offset != 0 {
        let header = try configuration(offset, 2)
        if header & 0xFF == identifier { return offset }
        offset = UInt64(header >> 8)
      }
      return try #require(nil)
    }
  }

  @Test func bar0IsSizedPlacedAndMoved() throws {
    let guest = try Guest()
    #expect(try guest.configuration(0x0A, 2) == 0x0108)
    try guest.setConfiguration(Self.bar0, 4, 0xFFFF_FFFF)
    try guest.setConfiguration(Self.bar0 + 4, 4, 0xFFFF_FFFF)
    #expect(try guest.configuration(Self.bar0, 4) == 0xFFFF_C004)
    #expect(try guest.configuration(Self.bar0 + 4, 4) == 0xFFFF_FFFF)
    try guest.setConfiguration(Self.bar0, 4, 0xC000_0000)
    try guest.setConfiguration(Self.bar0 + 4, 4, 0)
    // Without memory space it does not answer.
    #expect(guest.place(0xC000_0008, 4) == nil)
    try guest.setConfiguration(Self.command, 2, 0x0006)
    #expect(try guest.configuration(Self.command, 2) == 0x0006)
    let version = PassedThroughFunction.Place(region: .bar0, offset: 8)
    #expect(guest.place(0xC000_0008, 4) == version)
    #expect(try guest.read(0xC000_0008, 4) == 0x0001_0400)
    #expect(guest.place(0xC000_3FFD, 4) == nil)

    try guest.setConfiguration(Self.bar0, 4, 0xD000_0000)
    #expect(guest.place(0xC000_0008, 4) == nil)
    #expect(guest.place(0xD000_0008, 4) == version)
    // Only the upper byte of the command register: memory space stays.
    try guest.setConfiguration(Self.command + 1, 1, 0x04)
    #expect(guest.place(0xD000_0008, 4) == version)
    #expect(try guest.configuration(Self.command, 2) == 0x0406)

    // A doorbell by message: the admin queue's, which is not enabled, so that nothing happens.
    try guest.write(0xD000_1000, 4, 0)
    #expect(guest.counts.registers.doorbellsWithReply == 1)
    #expect(guest.counts.registers.reads == 1)
  }

  @Test func aFunctionLevelResetTakesAddressesAndInterruptsAway() throws {
    let guest = try Guest()
    try guest.setConfiguration(Self.bar4, 4, 0xC001_0000)
    try guest.setConfiguration(Self.command, 2, 0x0006)
    let msix = try guest.capability(0x11)
    try guest.setConfiguration(msix + 2, 2, 0x8000)
    try guest.write(0xC001_0010, 8, 0xFEE0_0000)
    try guest.write(0xC001_0018, 8, 0x31)
    #expect(try guest.read(0xC001_0010, 8) == 0xFEE0_0000)
    #expect(try guest.read(0xC001_0018, 8) == 0x31)
    #expect(guest.counts.interruptTable == 4)
    #expect(guest.counts.registers == MMIOCounts())

    let express = try guest.capability(0x10)
    try guest.setConfiguration(express + 8, 2, 0x8000)
    #expect(guest.place(0xC001_0010, 8) == nil)
    #expect(try guest.configuration(Self.bar4, 4) == 0x4)
    #expect(try guest.configuration(Self.command, 2) & 0x6 == 0)
    #expect(try guest.configuration(msix + 2, 2) & 0xC000 == 0)
    // Masked again, and without a message.
    try guest.setConfiguration(Self.bar4, 4, 0xC001_0000)
    try guest.setConfiguration(Self.command, 2, 0x0006)
    #expect(try guest.read(0xC001_0010, 8) == 0)
    #expect(try guest.read(0xC001_0018, 8) == 1 << 32)
  }

  @Test func aSignalOfAMaskedVectorStaysPending() throws {
    let daemon = try DaemonProcess(imageSize: 1 << 20, blockSize: 512)
    let machine = try VirtualMachine(try KVMSystem())
    try machine.createInterruptController()
    let memory = try SharedMemory(name: "test-ram", count: 1 << 20)
    var client = try ClientConnection.attach(try daemon.connect(), memory: memory)
    var table = MSIXTable(vectorCount: 2)
    var delivery = MSIXDelivery(vectorCount: 2)
    table.setControl(0x8000)
    table.write(at: 16, count: 8, 0xFEE0_0000)
    table.write(at: 24, count: 8, 0x31)
    try delivery.update(table, 0..<2, machine, &client)
    var installed = delivery.installedCount
    #expect(installed == 1)
    // KVM takes what comes while the vector is not masked.
    let fire = SetIRQs(index: .msix, start: 1, count: 1, action: .trigger, data: .none)
    try client.setIRQs(fire)
    table.write(at: 28, count: 4, 1)
    try delivery.update(table, 1..<2, machine, &client)
    var pending = (-1..<3).map { delivery.isPending($0) }
    #expect(pending == [false, false, false, false])
    try client.setIRQs(fire)
    pending = (-1..<3).map { delivery.isPending($0) }
    #expect(pending == [false, false, true, false])
    // Unmasked it is sent, and not pending any more.
    table.write(at: 28, count: 4, 0)
    try delivery.update(table, 1..<2, machine, &client)
    table.write(at: 28, count: 4, 1)
    try delivery.update(table, 1..<2, machine, &client)
    pending = (-1..<3).map { delivery.isPending($0) }
    #expect(pending == [false, false, false, false])
    table.setControl(0)
    try delivery.update(table, 0..<2, machine, &client)
    installed = delivery.installedCount
    #expect(installed == 0)
  }
}
