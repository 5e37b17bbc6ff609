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
    private final class Shared: Sendable {
      let isOver = Atomic<Bool>(false)
      let writes = Atomic<Int>(0)
    }

    private let shared: Shared
    private let thread: Thread

    init(_ bells: [HostDoorbell], values: UInt64, seed: UInt64) throws {
      let shared = Shared()
      self.shared = shared
      thread = try Thread(name: "scribbler") {
        var random = XorShift(seed: seed)
        while !shared.isOver.load(ordering: .relaxed) {
          let bell = bells[Int(random.next() % UInt64(bells.count))]
          let value = random.next()
          bell.storeOnly(value % 8 == 0 ? UInt32(truncatingIfNeeded: value >> 16) : UInt32(value >> 16 & values))
          if value % 4 == 0 { bell.signalOnly() }
          shared.writes.add(1, ordering: .relaxed)
        }
      }
    }

    /// How often it stored a value so far.
    var writes: Int { shared.writes.load(ordering: .relaxed) }

    func stop() {
      shared.isOver.store(true, ordering: .relaxed)
      thread.join()
    }
  }

  /// Reads and writes that may be executed at any time, and many times: blocks of which one half is only read, and the
  /// other only written.
  private struct Commands {
    static let count: UInt16 = 32
    private static let blocks = 8
    let data: HostBuffer

    /// Writes the first version of all blocks.
    init(_ host: HostController) throws {
      data = try host.memory.allocate(Int(Self.count) * 4096)
      var queue = try host.createQueue(1, depth: 8)
      try queue.writePattern(data, slba: 0, version: 1, blockByteCount: 512)
      try host.deleteQueue(queue)
      for index in 0..<Self.count {
        if isRead(index) {
          page(index).fill(0xEE)
        } else {
          BlockPattern.fill(page(index), slba: slba(index), version: 2, blockByteCount: 512)
        }
      }
    }

    func isRead(_ index: UInt16) -> Bool { index % 2 == 0 }
    private func slba(_ index: UInt16) -> UInt64 { UInt64(index) * UInt64(Self.blocks) }
    private func page(_ index: UInt16) -> HostBuffer { data[Int(index) * 4096..<(Int(index) + 1) * 4096] }

    func entry(_ index: UInt16) -> SubmissionQueueEntry {
      var entry = SubmissionQueueEntry.io(
        isRead(index) ? .read : .write, nsid: 1, slba: slba(index), blocks: Self.blocks)
      entry.commandIdentifier = index
      entry.prp1 = page(index).iova
      return entry
    }

    /// Each command that completed has done what it says, and no other block is in its place.
    func check(_ completed: Set<UInt16>, _ host: HostController) throws {
      var queue = try host.createQueue(1, depth: 8)
      let found = try host.memory.allocate(4096)
      for index in 0..<Self.count {
        let status = try queue.read(slba: slba(index), blocks: Self.blocks, into: found).status
        #expect(status == .success)
        func isOnDisk(_ version: UInt64) -> Bool {
          BlockPattern.firstDifference(found, slba: slba(index), version: version, blockByteCount: 512) == nil
        }
        if isRead(index) {
          #expect(isOnDisk(1), "nobody wrote to the blocks of command \(index)")
          let hasArrived =
            BlockPattern.firstDifference(page(index), slba: slba(index), version: 1, blockByteCount: 512) == nil
          #expect(hasArrived || !completed.contains(index) && page(index).isFilled(with: 0xEE), "command \(index)")
        } else {
          #expect(isOnDisk(2) || !completed.contains(index) && isOnDisk(1), "command \(index)")
        }
      }
    }
  }

  private func bells(_ host: HostController, _ identifiers: ClosedRange<UInt16>) -> [HostDoorbell] {
    identifiers.flatMap { [host.submissionQueueTailDoorbell($0), host.completionQueueHeadDoorbell($0)] }
  }

  /// The slots change all the time while commands run: the guest of that page gets what it asked for, however often, and
  /// nobody else notices.
  @Test func whoScribblesItsSlotsHarmsItself() throws {
    let pair = try SeveralControllersTests.Pair()
    for round in 0..<3 as Range<UInt64> {
      let host = try pair.attacker(memory: try HostMemory(byteCount: 8 << 20))
      let commands = try Commands(host)
      var completed: Set<UInt16> = []
      for number in 1...4 as ClosedRange<UInt16> {
        var queue = try host.createQueue(number, depth: 32)
        for index in 0..<Commands.count { queue.submissionQueues[0].write(commands.entry(index)) }
        let scribbler = try Scribbler(bells(host, number...number), values: 0x1f, seed: round + 1)
        let deadline = deadline()
        var count = 0
        while count < 200 || scribbler.writes < 10_000 {
          guard !isOver(deadline) else {
            throw TestFailure("\(count) completions of queue \(number), and \(scribbler.writes) writes to its slots")
          }
          queue.submissionQueues[0].ring()
          while let entry = queue.completionQueue.next() {
            #expect(entry.status == .success && entry.sqIdentifier == number)
            #expect(entry.commandIdentifier < Commands.count)
            completed.insert(entry.commandIdentifier)
            count += 1
          }
          queue.completionQueue.ring()
        }
        scribbler.stop()
      }
      #expect(completed.contains(where: commands.isRead) && !completed.allSatisfy(commands.isRead))
      // The slots of queues that come and go, and of one that never does.
      let scribbler = try Scribbler(bells(host, 1...6), values: 0x1f, seed: round + 11)
      while scribbler.writes < 10_000 { try host.deleteQueue(try host.createQueue(5, depth: 16)) }
      try pair.load.awaitBatches(3)
      scribbler.stop()
      #expect(try host.identifyController() == host.identity)
      // Nothing is under way after a reset.
      try host.enable()
      try commands.check(completed, host)
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
    #expect(scribbler.writes > 0)
    scribbler.stop()
    try served.daemon.terminate()
  }
}
