import Glibc
import LinuxIO
import NVMeHost
import NVMeSpec
import Testing
import VFIOUser

/// A thousand clients, one after the other, of which every other goes in the middle of its work, and the rest in order.
@Suite struct ClientChurnTests {
  private static let cycles = 1000
  /// From when on nothing more is set up: allocators have what they keep.
  private static let settled = 200

  @Test func aThousandClientsLeaveNothing() throws {
    let served = try ServedController(options: ["--io-threads", "2"])
    try served.images[0].fill(byteCount: 4 << 20)
    var start: ProcessStatistics?
    for cycle in 1...Self.cycles {
      let memory = try HostMemory(byteCount: 1 << 20)
      let mechanism: DoorbellMechanism = cycle % 2 == 0 ? .slots : .socket(posted: true)
      let host = try HostController(
        path: served.socketPath, memory: memory, options: HostOptions(doorbells: mechanism, vectors: 2))
      try host.initialize(queues: 1)
      var queue = try host.createQueue(1, depth: 16, vector: 1)
      let data = try memory.allocate(128 << 10)
      let list = try PRPBuilder.pointer(to: [data])
      var entry = SubmissionQueueEntry.io(
        cycle % 3 == 0 ? .write : .read, nsid: 1, slba: UInt64(cycle % 16) * 256, blocks: data.count / 512)
      list.apply(to: &entry)
      if cycle == Self.settled { start = try statistics(served.daemon, host) }
      while queue.submit(entry) != nil {}
      queue.ring()
      // Two in order, and two not: of both ways to ring.
      if cycle / 2 % 2 == 0 {
        while queue.submissionQueues[0].inFlight > 0 {
          let status = try queue.awaitCompletion().status
          #expect(status.isSuccess)
        }
        try host.deleteQueue(queue)
        try host.shutdown()
        try host.disable()
      }
      host.disconnect()
    }
    let before = try #require(start)
    let host = try served.host(queues: 1)
    let after = try statistics(served.daemon, host)
    #expect(after.descriptors <= before.descriptors, "\(before), then \(after)")
    #expect(after.threads == before.threads, "\(before), then \(after)")
    #expect(after.aioContexts == before.aioContexts && after.aioContexts >= 2, "\(before), then \(after)")
    // The allocator's own come and go; a leak of one a client would be hundreds.
    #expect(after.mappings <= before.mappings + 16, "\(before), then \(after)")
    // Each of 800 clients may have left 160 bytes. What is left is some 20 KiB, of all of them.
    #expect(after.anonymous <= before.anonymous + 128, "\(before), then \(after)")
    var queue = try host.createQueue(1, depth: 16)
    let data = try host.memory.allocate(4096)
    try queue.writePattern(data, slba: 0, version: 1, blockByteCount: 512)
    try queue.readPattern(data, slba: 0, version: 1, blockByteCount: 512)
    host.disconnect()
    try served.daemon.terminate()
  }

  /// What the daemon has while a client's controller is ready: an answer shows that the one before is gone.
  private func statistics(_ daemon: DaemonProcess, _ host: HostController) throws -> ProcessStatistics {
    _ = try host.identifyController()
    return try ProcessStatistics(daemon)
  }
}
