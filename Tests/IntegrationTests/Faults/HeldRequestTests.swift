import Glibc
import LinuxIO
import NVMeHost
import NVMeSpec
import Testing
import VFIOUser

/// A disk that does not answer for a while: what waits for it, and what goes on.
@Suite(.enabled(if: FUSEFile.isPossible, "mounting FUSE needs root")) struct HeldRequestTests {
  /// A read of the first blocks that the disk does not answer.
  private func hold(_ faulty: FaultyController, _ queue: inout HostQueue) throws {
    faulty.disk.inject(Fault(.read, count: 1, .hold))
    var entry = SubmissionQueueEntry.io(.read, nsid: 1, slba: 0, blocks: 8)
    entry.prp1 = faulty.data.iova
    guard queue.submit(entry) != nil else { throw TestFailure("the queue is full") }
    queue.ring()
    try faulty.disk.awaitHeld(1)
  }

  /// Where the kernel takes a request only once the disk has answered, the thread that submits it waits. Registers and
  /// the admin queue have another one.
  @Test(arguments: [true, false]) func registersAndAdminCommandsGoOn(isAsynchronous: Bool) throws {
    let faulty = try FaultyController(FaultDisk.Options(isAsynchronous: isAsynchronous))
    let host = faulty.host
    var queue = try faulty.queue()
    try hold(faulty, &queue)
    let status = try host.status()
    #expect(status.ready && !status.controllerFatalStatus)
    #expect(try host.identifyController().serialNumber == host.identity.serialNumber)
    #expect(try Errors(host).entries.isEmpty)
    // A reset waits for the read, and says so by CSTS.RDY as often as it is asked.
    var configuration = try host.configuration()
    configuration.enable = false
    try host.write(configuration)
    for _ in 0..<100 {
      let ready = try host.status().ready
      guard ready else { throw TestFailure("not ready, and the disk has not answered") }
    }
    faulty.disk.release()
    try host.disable()
    host.disconnect()
    try faulty.daemon.terminate()
  }

  /// What a client sends while a DMA_UNMAP waits is done after it, a reset of the device too.
  @Test func unmapAndResetComeInTheirOrder() throws {
    let faulty = try FaultyController()
    let host = faulty.host
    var queue = try faulty.queue()
    try queue.writePattern(faulty.data[0..<4096], slba: 0, version: 1, blockByteCount: 512)
    faulty.data.fill(0xEE)
    try hold(faulty, &queue)
    let range = try #require(host.memory.ranges.first)
    let commands: [Command] = [.dmaUnmap, .deviceReset, .deviceGetInfo]
    var identifiers: [UInt16] = []
    try host.connection.withClient { (client) throws(Errno) in
      identifiers.append(try client.start(.dmaUnmap(DMAUnmap(address: range.iova, length: range.byteCount))))
      identifiers.append(try client.start(.deviceReset))
      identifiers.append(try client.start(.deviceGetInfo))
      var entry = pollfd(fd: client.descriptor, events: Int16(POLLIN), revents: 0)
      let answers = poll(&entry, 1, 200)
      #expect(answers == 0, "the disk may still write to the memory")
    }
    #expect(faulty.data.isFilled(with: 0xEE))
    faulty.disk.release()
    try host.connection.withClient { (client) throws(Errno) in
      _ = try client.awaitReply(id: identifiers[0], command: commands[0])
    }
    // The memory is the guest's again, and was written to for the last time.
    #expect(BlockPattern.firstDifference(faulty.data[0..<4096], slba: 0, version: 1, blockByteCount: 512) == nil)
    try host.connection.withClient { (client) throws(Errno) in
      for (identifier, command) in zip(identifiers, commands).dropFirst() {
        _ = try client.awaitReply(id: identifier, command: command)
      }
    }
    let status = try host.status()
    #expect(status.rawValue == 0)
    host.disconnect()
    try faulty.daemon.terminate()
  }
}
