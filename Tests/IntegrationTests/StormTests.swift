import LinuxIO
import NVMeSpec
import Synchronization
import Testing

@testable import NVMeHost

/// Many queues from many threads, each with its own way of ringing, made anew again and again.
@Suite struct StormTests {
  private static let queues = 16
  private static let threads = 4
  private static let depth = 32

  /// 200,000 commands. Each must complete exactly once with the right data, whatever doorbell its queue has in this life.
  @Test func completesEveryCommandOnce() throws {
    let served = try ServedController(megabytes: [32], options: ["--io-threads", "2"])
    let host = try served.host(
      HostOptions(doorbells: .slots, vectors: Self.queues + 1), memory: try HostMemory(byteCount: 64 << 20),
      queues: Self.queues)
    var random = XorShift(seed: 0x5708)
    var loads: [LoadParcel] = []
    let (rounds, perQueue) = (5, 2500)
    for round in 0..<rounds {
      // Sizes, interrupts and doorbells change; data, and what is known of it, stays.
      for number in 1...UInt16(Self.queues) {
        let queue = try makeQueue(
          host, number, depth: [4, 9, 32, 256][Int(random.next() % 4)], byMessage: random.next() % 2 == 0,
          vector: random.next() % 4 == 0 ? nil : number)
        let index = Int(number) - 1
        if round == 0 {
          loads.append(
            LoadParcel(
              try VerifiedLoad(
                queue, memory: host.memory, depth: Self.depth,
                firstBlock: UInt64(index) * VerifiedLoad.blockCount(depth: Self.depth), seed: random.next())))
        } else {
          let next = QueueParcel(queue)
          try loads[index].with { try $0.resume(next.take()) }
        }
      }
      // Each thread runs its queues in turns, so that the others' wait with nothing to do.
      var threads: [(LinuxIO.Thread, Outcome)] = []
      for thread in 0..<Self.threads {
        let own = stride(from: thread, to: Self.queues, by: Self.threads).map { loads[$0] }
        let outcome = Outcome()
        threads.append(
          (
            try LinuxIO.Thread(name: "storm") {
              do {
                for _ in 0..<5 {
                  for parcel in own { try parcel.with { try $0.run(commands: perQueue / 5) } }
                }
              } catch {
                outcome.fail("\(error)")
              }
            }, outcome
          ))
      }
      for (thread, outcome) in threads {
        thread.join()
        if let failure = outcome.failure { Issue.record("round \(round): \(failure)") }
      }
      guard threads.allSatisfy({ $0.1.failure == nil }) else { return }
      // Messages that ring are behind this one: none of them may come when the queue is another.
      _ = try host.status()
      for parcel in loads {
        try parcel.with { load in
          if round == rounds - 1 { try load.finish() }
          try delete(host, load.queue.identifier, load.queue.memory)
        }
      }
    }
    let completed = loads.map(\.completed).reduce(0, +)
    #expect(completed == rounds * perQueue * Self.queues)
    host.disconnect()
    try served.daemon.terminate()
  }

  /// A queue of a host with slots, that is rung by message where wanted.
  private func makeQueue(
    _ host: HostController, _ number: UInt16, depth: Int, byMessage: Bool, vector: UInt16?
  ) throws -> HostQueue {
    let memory = try host.allocateQueueMemory(depth, [depth])
    try host.requireSuccess(
      host.admin(
        .createCompletionQueue(number, size: depth, iova: memory.completionQueue.iova, vector: vector)))
    try host.requireSuccess(
      host.admin(
        .createSubmissionQueue(
          number, size: depth, iova: memory.submissionQueues[0].iova, completionQueue: number)))
    func bell(_ doorbell: HostDoorbell) -> HostDoorbell {
      guard byMessage else { return doorbell }
      return HostDoorbell(
        offset: doorbell.offset, word: nil, eventfd: -1, shadow: nil, connection: host.connection, posted: true,
        owner: nil)
    }
    return HostQueue(
      completionQueue: HostCompletionQueue(
        identifier: number, size: depth, memory: memory.completionQueue,
        doorbell: bell(host.completionQueueHeadDoorbell(number)), waiter: try host.waiter(for: vector)),
      submissionQueues: FixedTable(count: 1) { _ in
        HostSubmissionQueue(
          identifier: number, size: depth, memory: memory.submissionQueues[0],
          doorbell: bell(host.submissionQueueTailDoorbell(number)), commands: min(Self.depth, depth - 1))
      }, timeout: UInt64(patience) * 1_000_000_000)
  }

  private func delete(_ host: HostController, _ number: UInt16, _ memory: HostQueueMemory) throws {
    try host.requireSuccess(host.admin(.deleteSubmissionQueue(number)))
    try host.requireSuccess(host.admin(.deleteCompletionQueue(number)))
    for buffer in memory.submissionQueues + [memory.completionQueue] { memory.completionQueue.memory.free(buffer) }
  }

  private final class Outcome: Sendable {
    private let text = Mutex<String?>(nil)

    var failure: String? { text.withLock { $0 } }

    func fail(_ text: String) { self.text.withLock { $0 = text } }
  }
}
