import Glibc
import LinuxIO
import NVMeHost
import NVMeSpec
import Synchronization
import Testing

/// The page of doorbell slots and its eventfds are the client's as well: it stores and signals whatever it likes.
@Suite struct HostileSlotsTests {
  /// Stores and signals random doorbells until it is stopped.
  private final class Scribbler: Sendable {
    private final class Flag: Sendable { let isSet = Atomic<Bool>(false) }

    private let over: Flag
    private let thread: Thread

    init(_ bells: [HostDoorbell], values: UInt64, seed: UInt64) throws {
      let over = Flag()
      self.over = over
      thread = try Thread(name: "scribbler") {
        var random = XorShift(seed: seed)
        while !over.isSet.load(ordering: .relaxed) {
          let bell = bells[Int(random.next() % UInt64(bells.count))]
          let value = random.next()
          bell.storeOnly(value % 8 == 0 ? UInt32(truncatingIfNeeded: value >> 16) : UInt32(value >> 16 & values))
          if value % 4 == 0 { bell.signalOnly() }
        }
      }
    }

    func stop() {
      over.isSet.store(true, ordering: .relaxed)
      thread.join()
    }
  }

  private func bells(_ host: HostController, _ identifiers: ClosedRange<UInt16>) -> [HostDoorbell] {
    identifiers.flatMap { [host.submissionQueueTailDoorbell($0), host.completionQueueHeadDoorbell($0)] }
  }

  /// The slots change all the time while commands run: the guest of that page gets what it asked for, and nobody else
  /// notices.
  @Test func whoScribblesItsSlotsHarmsItself() throws {
    let pair = try SeveralControllersTests.Pair()
    for round in 0..<3 as Range<UInt64> {
      let host = try pair.attacker(memory: try HostMemory(byteCount: 8 << 20))
      let data = try host.memory.allocate(64 << 10)
      let scribbler = try Scribbler(bells(host, 1...5), values: 0x1f, seed: round + 1)
      for number in 1...4 as ClosedRange<UInt16> {
        var queue = try host.createQueue(number, depth: 32)
        // Every entry is a command that may be executed at any time, and many times.
        for index in 0..<32 as Range<UInt16> {
          var entry = SubmissionQueueEntry.io(index % 2 == 0 ? .read : .write, nsid: 1, slba: UInt64(index), blocks: 8)
          entry.commandIdentifier = index
          entry.prp1 = data.iova + UInt64(index % 16) * 4096
          queue.submissionQueues[0].write(entry)
        }
        for _ in 0..<500 {
          queue.submissionQueues[0].ring()
          while queue.completionQueue.next() != nil {}
          queue.completionQueue.ring()
        }
      }
      try pair.load.awaitBatches(3)
      scribbler.stop()
      #expect(try host.identifyController() == host.identity)
      host.disconnect()
    }
    try pair.finish()
  }

  /// A client keeps the page and the eventfds of a connection that is over.
  @Test func theSlotsOfAFormerClientAreNobodys() throws {
    let served = try ServedController()
    let former = try served.host(HostOptions(doorbells: .slots, vectors: 2), queues: 4)
    let old = bells(former, 0...4)
    var used = try former.createQueue(1, depth: 16, vector: 1)
    #expect(try used.read(slba: 0, blocks: 8, into: former.memory.allocate(4096)).status.isSuccess)
    former.disconnect()
    let scribbler = try Scribbler(old, values: 0xff, seed: 7)
    for round in 0..<3 as Range<UInt64> {
      let host = try served.host(HostOptions(doorbells: .slots, vectors: 2), queues: 4)
      var load = try VerifiedLoad(
        try host.createQueue(1, depth: 32, vector: 1), memory: host.memory, depth: 31, firstBlock: 1024 * (round + 1),
        seed: round + 1)
      try load.run(commands: 500)
      try load.finish()
      #expect(try !host.status().controllerFatalStatus)
      host.disconnect()
    }
    scribbler.stop()
    try served.daemon.terminate()
  }
}
