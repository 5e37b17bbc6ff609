import Glibc
import LinuxIO
import NVMeSpec
import Testing
import VFIOUser

@testable import NVMeHost

@Suite struct HostControllerTests {
  private static let regions = ["bar0", "bar1", "bar2", "bar3", "bar4", "bar5", "rom", "config", "vga"]
    .map { "region \($0)" }

  // MARK: Connecting

  @Test func connectsInTheOrderOfQEMU() throws {
    let server = try ScriptedServer()
    let memory = try HostMemory(
      parts: [(0x1_0000_0000, 0x4000), (0x10_0000, 0x2000)], fileOffset: 0x3000)
    for (byte, size) in [(UInt8(0xA1), 0x4000), (0xB2, 0x2000)] { try memory.allocate(size).fill(byte) }
    let host = try server.host(memory)
    #expect(
      server.takeLog()
        == ["map 100000000+4000 file 3000 flags 3 byte 161", "map 100000+2000 file 7000 flags 3 byte 178", "info"]
        + Self.regions + ["io fds bar0", "io fds bar0"])
    #expect(host.session.server.maxMessageFDs == 16)
    #expect(host.deviceInfo.irqCount == 5)
    #expect(host.regions.map(\.length) == [UInt64](repeating: 0x4000, count: 9))
  }

  @Test func mapsNothingUnlessItShould() throws {
    let server = try ScriptedServer()
    var options = HostOptions(doorbells: .socket(posted: false))
    options.mapsMemory = false
    options.capabilities = nil
    let host = try server.host(nil, options)
    #expect(server.takeLog() == ["info"] + Self.regions)
    #expect(host.session.client == Capabilities())
    try host.map(DMARange(iova: 0x7000, fileOffset: 0x1000, byteCount: 0x1000), flags: .read)
    try host.unmap(DMARange(iova: 0x7000, fileOffset: 0, byteCount: 0x1000))
    try host.unmapAll()
    #expect(
      server.takeLog() == [
        "map 7000+1000 file 1000 flags 1 byte 0", "unmap 7000+1000 flags 0", "unmap 0+0 flags 2",
      ])
  }

  @Test func reportsWhatTheServerRefuses() throws {
    var behaviour = ScriptedServer.Behaviour()
    behaviour.refusesMaps = true
    let server = try ScriptedServer(behaviour)
    #expect(throws: HostError.message(.noSpace)) { try server.host() }
  }

  @Test func isGoneAfterDisconnect() throws {
    let server = try ScriptedServer()
    let host = try server.host()
    host.disconnect()
    server.finish()
    #expect(throws: HostError.disconnected) { try host.status() }
    host.doorbell(at: 0x1FF8).ring(1)
  }

  // MARK: Doorbells

  @Test func storesIntoTheSlotAndSignals() throws {
    let server = try ScriptedServer()
    let host = try server.host()
    #expect(host.doorbellsWithoutMessage == 3)
    let doorbell = host.submissionQueueTailDoorbell(1)
    #expect(doorbell.offset == 0x1008)
    #expect(!doorbell.isMessage)
    doorbell.ring(0x1234_5678)
    #expect(unsafe server.memory.mapping.base.load(fromByteOffset: 16, as: UInt32.self) == 0x1234_5678)
    #expect(server.event.drain() == 1)
    doorbell.storeOnly(9)
    #expect(unsafe server.memory.mapping.base.load(fromByteOffset: 16, as: UInt32.self) == 9)
    #expect(server.event.drain() == 0)
    doorbell.signalOnly()
    #expect(server.event.drain() == 1)
  }

  @Test func sendsDoorbellsWithoutSlotPosted() throws {
    let server = try ScriptedServer()
    let host = try server.host()
    _ = server.takeLog()
    #expect(host.completionQueueHeadDoorbell(1).isMessage)
    host.completionQueueHeadDoorbell(1).ring(5)
    // The reply to the second tells that the first has been dealt with.
    _ = try host.status()
    #expect(server.takeLog() == ["write bar0 100c 5 posted"])
  }

  @Test(arguments: [true, false]) func sendsDoorbells(posted: Bool) throws {
    let server = try ScriptedServer()
    let host = try server.host(nil, HostOptions(doorbells: .socket(posted: posted)))
    _ = server.takeLog()
    host.submissionQueueTailDoorbell(0).ring(7)
    _ = try host.status()
    #expect(server.takeLog() == ["write bar0 1000 7" + (posted ? " posted" : "")])
  }

  /// A doorbell with a slot can be rung by message all the same, as where KVM does not know it.
  @Test(arguments: [true, false]) func sendsDoorbellsThatHaveASlot(posted: Bool) throws {
    let server = try ScriptedServer()
    let host = try server.host()
    let doorbell = host.submissionQueueTailDoorbell(0)
    #expect(!doorbell.isMessage)
    _ = server.takeLog()
    try doorbell.send(7, posted: posted)
    _ = try host.status()
    #expect(server.takeLog() == ["write bar0 1000 7" + (posted ? " posted" : "")])
    host.disconnect()
    #expect(throws: HostError.disconnected) { try doorbell.send(8, posted: posted) }
  }

  @Test func storesIntoTheMappedPage() throws {
    var behaviour = ScriptedServer.Behaviour()
    behaviour.offersPage = true
    behaviour.slotFileSize = 0x2000
    let server = try ScriptedServer(behaviour)
    let host = try server.host(nil, HostOptions(doorbells: .mappedPage))
    #expect(host.doorbellsWithoutMessage == 1024)
    host.completionQueueHeadDoorbell(511).ring(0xABCD)
    #expect(unsafe server.memory.mapping.base.load(fromByteOffset: 0x1FFC, as: UInt32.self) == 0xABCD)
    #expect(server.event.drain() == 0)
    #expect(host.submissionQueueTailDoorbell(512).isMessage)
  }

  @Test func noticesAPageThatIsNotThere() throws {
    let server = try ScriptedServer()
    #expect(throws: HostError.missing("doorbells of BAR0 that can be mapped")) {
      try server.host(nil, HostOptions(doorbells: .mappedPage))
    }
  }

  @Test func noticesSlotsOutsideTheirFile() throws {
    var behaviour = ScriptedServer.Behaviour()
    behaviour.slots = (0..<513).map { 0x1000 + $0 * 4 }
    let server = try ScriptedServer(behaviour)
    #expect(throws: HostError.missing("slots up to 4100 in their file")) { try server.host() }
  }

  // MARK: Interrupts

  @Test func installsInterruptsInPieces() throws {
    let server = try ScriptedServer()
    let host = try server.host()
    _ = server.takeLog()
    try host.installInterrupts(20)
    #expect(
      server.takeLog() == ["irqs msix 0..<16 eventFDs(16)", "irqs msix 16..<20 eventFDs(4)", "write config 72 8000"])
    #expect(server.fire(17))
    #expect(server.fire(17))
    #expect(!server.fire(20))
    #expect(host.vectors.map { $0.event.drain() } == (0..<20).map { $0 == 17 ? 2 : 0 })

    try host.unsetInterrupts(from: 3, count: 2)
    try host.removeInterrupts()
    #expect(
      server.takeLog() == ["irqs msix 3..<5 eventFDs(0)", "write config 72 0", "irqs msix 0..<0 none"])
    #expect(host.vectors.isEmpty)
  }

  @Test func wantsNoMoreVectorsThanThereAre() throws {
    let server = try ScriptedServer()
    let host = try server.host()
    #expect(throws: HostError.missing("34 MSI-X vectors, of 33")) { try host.installInterrupts(34) }
    #expect(throws: HostError.missing("interrupt vector 0")) {
      let memory = try host.allocateQueueMemory(2, [2])
      _ = try host.makeQueue(
        completionQueue: 1, completionQueueSize: 2, submissionQueues: [1], submissionQueueSize: 2, vector: 0,
        commands: 1, memory: memory)
    }
  }

  /// Several signals may end one wait, but a signal is never lost, and one wait does not take another's.
  @Test func waitsForItsVector() throws {
    let server = try ScriptedServer()
    let host = try server.host()
    try host.installInterrupts(2)
    var waiter = try InterruptWaiter(host.vectors[1])
    var other = try InterruptWaiter(host.vectors[1])
    #expect(waiter.wait(milliseconds: 0) == false)
    _ = server.fire(0)
    #expect(waiter.wait(milliseconds: 0) == false)
    _ = server.fire(1)
    #expect(waiter.wait(milliseconds: -1) == true)
    #expect(waiter.wait(milliseconds: 0) == false)
    #expect(other.wait(milliseconds: -1) == true)
    _ = server.fire(1)
    #expect(waiter.wait(milliseconds: -1) == true)
    #expect(host.vectors[1].event.drain() == 2)
  }

  // MARK: Registers

  @Test func enablesInTheOrderOfLinux() throws {
    let server = try ScriptedServer()
    let memory = try HostMemory(byteCount: 1 << 20, iova: 0x12_3456_0000)
    let host = try server.host(memory)
    try host.enableDevice()
    _ = server.takeLog()
    try host.enable()
    #expect(
      server.takeLog() == [
        "write bar0 24 1f001f", "write bar0 28 34560000", "write bar0 2c 12", "write bar0 30 34561000",
        "write bar0 34 12", "write bar0 14 460000", "write bar0 14 460001",
      ])
    #expect(server.configuration16(at: 4) == 0x0406)
    #expect(host.capabilities.maximumQueueEntriesSupported == 255)
    #expect(try host.status().ready)

    // Again, with what is there: the same memory, and CC.EN cleared first.
    try host.enable()
    #expect(
      server.takeLog() == [
        "write bar0 14 460000", "write bar0 24 1f001f", "write bar0 28 34560000", "write bar0 2c 12",
        "write bar0 30 34561000", "write bar0 34 12", "write bar0 14 460000", "write bar0 14 460001",
      ])
    try host.shutdown(.abrupt)
    try host.disable()
    #expect(server.takeLog() == ["write bar0 14 468001", "write bar0 14 460000"])
    #expect(throws: HostError.missing("admin queue")) { try host.admin(.asynchronousEventRequest) }
  }

  @Test func writesWholeRegistersPosted() throws {
    let server = try ScriptedServer()
    let memory = try HostMemory(byteCount: 1 << 20, iova: 0x12_3456_0000)
    var options = HostOptions(doorbells: .socket(posted: false))
    options.splitsRegisters = false
    options.postsRegisterWrites = true
    options.adminQueueSize = 4096
    let host = try server.host(memory, options)
    _ = server.takeLog()
    try host.enable()
    #expect(
      server.takeLog() == [
        "write bar0 24 fff0fff posted", "write bar0 28 1234560000 posted", "write bar0 30 12345a0000 posted",
        "write bar0 14 460000 posted", "write bar0 14 460001 posted",
      ])
  }

  @Test func noticesAControllerThatFails() throws {
    var behaviour = ScriptedServer.Behaviour()
    behaviour.becomesReady = false
    behaviour.failsToEnable = true
    let server = try ScriptedServer(behaviour)
    let host = try server.host()
    #expect(throws: HostError.controllerFailed(ControllerStatus(rawValue: 2))) { try host.enable() }
  }

  /// CAP.TO is 0: half a second.
  @Test func noticesAControllerThatIsNeverReady() throws {
    var behaviour = ScriptedServer.Behaviour()
    behaviour.becomesReady = false
    let server = try ScriptedServer(behaviour)
    let host = try server.host()
    #expect(throws: HostError.timedOut("CSTS.RDY 1")) { try host.enable() }
  }

  // MARK: Configuration space

  /// Decoding is off while the address changes.
  @Test func movesItsRegisters() throws {
    let server = try ScriptedServer()
    let host = try server.host()
    try host.enableDevice()
    _ = server.takeLog()
    try host.moveRegisters(to: 0x38_0123_0000)
    #expect(
      server.takeLog() == [
        "write config 4 404", "write config 10 ffffffff", "write config 10 1230000", "write config 14 ffffffff",
        "write config 14 38", "write config 4 406",
      ])
  }

  // MARK: Resets

  @Test func resetsTheFunctionAndTheDevice() throws {
    let server = try ScriptedServer()
    let host = try server.host()
    try host.enable()
    _ = server.takeLog()
    try host.functionLevelReset()
    #expect(server.takeLog() == ["write config 48 8000"])
    #expect(throws: HostError.missing("admin queue")) { try host.admin(.asynchronousEventRequest) }
    try host.deviceReset()
    #expect(server.takeLog() == ["reset"])
    #expect(throws: HostError.missing("NVM subsystem reset")) { try host.subsystemReset() }
    #expect(throws: HostError.missing("PCI capability 5")) { try host.capabilityOffset(5) }
  }

  // MARK: Messages

  @Test func sendsWhateverItIsTold() throws {
    let server = try ScriptedServer()
    let host = try server.host()
    let reply = try host.connection.withClient { (client) throws(Errno) in
      // A header alone: a DMA_MAP without its struct.
      try client.send(bytes: [9, 0, 2, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
      return try client.receiveMessage().error
    }
    #expect(reply == .invalidArgument)
    #expect(try host.status().ready == false)
  }
}
