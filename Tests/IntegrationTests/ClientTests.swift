import Glibc
import LinuxIO
import NVMeHost
import NVMeSpec
import Testing
import VFIOUser

/// Clients that come, go and die: one at a time, and nothing of them stays.
@Suite struct ClientTests {
  @Test func refusesASecondClient() throws {
    let served = try ServedController()
    let host = try served.host()
    var queue = try host.createQueue(1, depth: 16)
    let data = try host.memory.allocate(4096)
    for round in 1...3 as ClosedRange<UInt64> {
      // The connection ends before a reply comes; the first client notices nothing.
      let second = try UnixSocket.connect(path: served.socketPath)
      var client = ClientConnection(second)
      #expect(throws: Errno.connectionReset) { try client.negotiate() }
      try queue.writePattern(data, slba: 0, version: round, blockByteCount: 512)
      try queue.readPattern(data, slba: 0, version: round, blockByteCount: 512)
    }
    try served.daemon.awaitLog("a second client was refused")
    host.disconnect()
    let next = try served.host()
    #expect(try next.namespaces().count == 1)
    next.disconnect()
    try served.daemon.terminate()
  }

  /// What a client set is gone for the next one: registers, queues, configuration space, memory.
  @Test func servesTheNextClientAsTheFirst() throws {
    let served = try ServedController()
    let options = HostOptions(doorbells: .slots, vectors: 4)
    let fresh = try HostController(
      path: served.socketPath, memory: try HostMemory(byteCount: 1 << 20), options: options)
    let state = try dump(fresh)
    fresh.disconnect()
    let first = try served.host(options)
    var queue = try first.createQueue(1, depth: 16, vector: 1)
    let data = try first.memory.allocate(4096)
    try queue.writePattern(data, slba: 8, version: 2, blockByteCount: 512)
    try first.writeRegion(.bar4, at: 16, [1, 2, 3, 4])
    #expect(try dump(first) != state)
    first.disconnect()
    let second = try HostController(
      path: served.socketPath, memory: try HostMemory(byteCount: 32 << 20), options: options)
    #expect(try dump(second) == state)
    try second.initialize(queues: 4)
    var again = try second.createQueue(1, depth: 16, vector: 1)
    try again.readPattern(try second.memory.allocate(4096), slba: 8, version: 2, blockByteCount: 512)
    second.disconnect()
    try served.daemon.terminate()
  }

  /// Clients that die with commands in flight: descriptors, threads and mappings are as before, and memory that a dead
  /// client shared is not written to once the next client is served.
  @Test func keepsNothingOfClientsThatDie() throws {
    let served = try ServedController()
    try served.images[0].fill(byteCount: 4 << 20)
    var start: ProcessStatistics?
    var last: ProcessStatistics?
    for cycle in 1...50 {
      let mechanism: DoorbellMechanism = cycle % 2 == 0 ? .slots : .socket(posted: true)
      let host = try served.host(HostOptions(doorbells: mechanism, vectors: 5), queues: 4)
      let data = try host.memory.allocate(256 << 10)
      for number in 1...4 as ClosedRange<UInt16> {
        var queue = try host.createQueue(number, depth: 64, vector: number)
        let list = try PRPBuilder.pointer(to: [data])
        var entry = SubmissionQueueEntry.io(
          cycle % 3 == 0 ? .write : .read, nsid: 1, slba: UInt64(number) * 512, blocks: data.count / 512)
        list.apply(to: &entry)
        // One command that is awaited shows that the I/O thread is done with all that it was told before.
        let status = try queue.execute(entry).status
        #expect(status == .success)
        if number == 4 { last = try ProcessStatistics(served.daemon) }
        while queue.submit(entry) != nil {}
        queue.ring()
      }
      if cycle == 5 { start = last }
      host.disconnect()
      // The next client is answered when nothing of this one is in flight any more.
      var client = try ClientConnection(path: served.socketPath)
      try client.negotiate()
      data.fill(0x77)
      client.hangUp()
      #expect(data.isFilled(with: 0x77), "memory of a client that is gone was written to")
    }
    let (before, after) = (try #require(start), try #require(last))
    #expect(after.descriptors == before.descriptors, "\(before), then \(after)")
    #expect(after.threads == before.threads, "\(before), then \(after)")
    // The allocator's own mappings come and go.
    #expect(after.mappings <= before.mappings + 8, "\(before), then \(after)")
    let host = try served.host()
    var queue = try host.createQueue(1, depth: 16)
    let data = try host.memory.allocate(4096)
    try queue.writePattern(data, slba: 0, version: 1, blockByteCount: 512)
    try queue.readPattern(data, slba: 0, version: 1, blockByteCount: 512)
    host.disconnect()
    try served.daemon.terminate()
  }

  /// Clients that die in the middle of a message, wherever that is.
  @Test func survivesHalfMessages() throws {
    let served = try ServedController()
    let memory = try HostMemory(byteCount: 1 << 20)
    let version = VersionMessage(minor: 1, json: Capabilities.server.json).message(id: 0)
    let map = Request.dmaMap(
      DMAMap(flags: [.read, .write], fileOffset: 0, address: 1 << 32, length: 1 << 20)
    ).message(id: 1)
    var count = 0
    for length in [0, 1, 15, 16, 17, 19, 20, version.count - 1, version.count] {
      var client = try ClientConnection(path: served.socketPath)
      try client.send(bytes: [UInt8](version.prefix(length)))
      count += 1
      if length == version.count {
        _ = try client.receiveMessage()
      }
      client.hangUp()
    }
    for length in [1, 15, 16, 17, map.count - 1, map.count] {
      var client = try ClientConnection(path: served.socketPath)
      try client.negotiate()
      try client.send(bytes: [UInt8](map.prefix(length)), descriptors: [memory.descriptor])
      client.hangUp()
      count += 1
    }
    try served.daemon.awaitLog("client disconnected", count: count)
    let host = try served.host()
    #expect(try host.namespaces().count == 1)
    host.disconnect()
    try served.daemon.terminate()
  }

  /// All registers, and configuration and MSI-X space.
  private func dump(_ host: HostController) throws -> [[UInt8]] {
    [
      try host.readRegion(.bar0, at: 0, count: 64), try host.readRegion(.config, at: 0, count: 256),
      try host.readRegion(.bar4, at: 0, count: 1024),
    ]
  }
}
