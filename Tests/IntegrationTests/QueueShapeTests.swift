import NVMeHost
import NVMeSpec
import Testing

/// Queues of all depths and numbers, and completion queues that are full most of the time.
@Suite struct QueueShapeTests {
  /// Every depth runs round its ring several times, with as many commands in flight as it takes.
  @Test(
    arguments: [
      (DoorbellMechanism.slots, nil), (.socket(posted: true), nil), (.slots, "on"), (.socket(posted: true), "on"),
      (.eventfds, "required"),
    ] as [(DoorbellMechanism, String?)])
  func servesQueuesOfEveryDepth(_ doorbells: DoorbellMechanism, shadow: String?) throws {
    let served = try ServedController(options: shadow.map { ["--shadow-doorbells", $0] } ?? [])
    var options = HostOptions(doorbells: doorbells, vectors: 2)
    options.shadowDoorbells = shadow != nil
    let host = try served.host(options)
    for depth in [2, 3, 4, 5, 16, 17, 64, 255, 256] {
      var queue = try host.createQueue(1, depth: depth, vector: 1)
      let seen = try fill(&queue, commands: depth * 3 + 1, memory: host.memory)
      #expect(seen == depth * 3 + 1, "completions of a queue of \(depth)")
      let violations = queue.violations
      #expect(violations == 0, "depth \(depth)")
      try host.deleteQueue(queue)
    }
    host.disconnect()
    try served.daemon.terminate()
  }

  @Test(arguments: [1, 2, 33, 64])
  func servesSoManyQueues(_ count: Int) throws {
    let served = try ServedController(options: ["--io-threads", "2"])
    let host = try served.host(HostOptions(doorbells: .slots, vectors: count + 1), queues: count)
    #expect(host.grantedQueues.submissionQueueCount >= count)
    // Made one after the other and used in turns: each has its doorbell, its interrupt and its data.
    var queues: [QueueBox] = []
    for number in 1...UInt16(count) {
      queues.append(QueueBox(try host.createQueue(number, depth: 8, vector: number)))
    }
    let data = try host.memory.allocate(4096)
    for round in 1...3 as ClosedRange<UInt64> {
      for (index, box) in queues.enumerated() {
        try box.queue.writePattern(data, slba: UInt64(index * 8), version: round, blockByteCount: 512)
      }
      for (index, box) in queues.reversed().enumerated() {
        let slba = UInt64((queues.count - 1 - index) * 8)
        try box.queue.readPattern(data, slba: slba, version: round, blockByteCount: 512)
      }
    }
    host.disconnect()
    try served.daemon.terminate()
  }

  /// A queue identifier beyond what the controller has is refused, as is a queue larger than CAP.MQES says.
  @Test func refusesQueuesThatItDoesNotHave() throws {
    let served = try ServedController(options: ["--queues", "4"])
    let host = try served.host(queues: 64)
    #expect(host.grantedQueues.submissionQueueCount == 4)
    #expect(throws: HostError.failed(.invalidQueueIdentifier)) { try create(host, 5, depth: 16) }
    #expect(throws: HostError.failed(.invalidQueueIdentifier)) { try create(host, 0, depth: 16) }
    #expect(throws: HostError.failed(.invalidQueueSize)) { try create(host, 1, depth: 257) }
    try create(host, 4, depth: 256)
    #expect(throws: HostError.failed(.invalidQueueIdentifier)) { try create(host, 4, depth: 16) }
    host.disconnect()
    try served.daemon.terminate()
  }

  /// Eight submission queues feed one completion queue of eight entries, that is acknowledged one by one.
  @Test(arguments: [DoorbellMechanism.slots, .socket(posted: true)])
  func feedsOneCompletionQueueFromSeveral(_ doorbells: DoorbellMechanism) throws {
    let served = try ServedController(options: ["--io-threads", "2"])
    let host = try served.host(HostOptions(doorbells: doorbells, vectors: 2))
    let identifiers: [UInt16] = [9, 2, 3, 12, 5, 16, 7, 8]
    var queue = try host.createQueue(
      completionQueue: 6, completionQueueSize: 8, submissionQueues: identifiers, submissionQueueSize: 16, vector: 1)
    let data = try host.memory.allocate(identifiers.count * 15 * 512)
    BlockPattern.fill(data, slba: 0, version: 1, blockByteCount: 512)
    for slot in 0..<15 {
      for index in 0..<identifiers.count {
        let block = index * 15 + slot
        var entry = SubmissionQueueEntry.io(.write, nsid: 1, slba: UInt64(block), blocks: 1)
        entry.prp1 = data.iova(at: block * 512)
        let identifier = queue.submit(entry, to: index)
        #expect(identifier != nil)
      }
    }
    queue.ring()
    var seen: [UInt16: Int] = [:]
    for _ in 0..<identifiers.count * 15 {
      let completion = try queue.awaitCompletion()
      #expect(completion.status == .success)
      seen[completion.sqIdentifier, default: 0] += 1
    }
    #expect(seen == Dictionary(uniqueKeysWithValues: identifiers.map { ($0, 15) }))
    let violations = queue.violations
    #expect(violations == 0)
    #expect(try served.images[0].read(at: 0, count: data.count) == data.bytes)
    host.disconnect()
    try served.daemon.terminate()
  }

  /// A completion queue of two entries takes one completion at a time; the rest wait until there is room.
  @Test(arguments: [DoorbellMechanism.slots, .socket(posted: true), .socket(posted: false)])
  func waitsForRoomInTheCompletionQueue(_ doorbells: DoorbellMechanism) throws {
    let served = try ServedController()
    let host = try served.host(HostOptions(doorbells: doorbells, vectors: 2))
    var queue = try host.createQueue(
      completionQueue: 1, completionQueueSize: 2, submissionQueues: [1], submissionQueueSize: 32, vector: 1)
    var seen = 0
    for _ in 0..<10 {
      while queue.submit(.flush(nsid: 1)) != nil {}
      queue.ring()
      for _ in 0..<31 {
        try queue.completionQueue.waitForEntry(until: .max)
        // Neither here nor later is there a second one before this is acknowledged.
        let first = queue.nextCompletion()
        #expect(first?.status == .success)
        _ = try host.status()
        let second = queue.nextCompletion()
        #expect(second == nil, "posted into a full completion queue")
        queue.acknowledge()
        seen += 1
      }
    }
    #expect(seen == 310)
    let violations = queue.violations
    #expect(violations == 0)
    host.disconnect()
    try served.daemon.terminate()
  }

  // MARK: Helpers

  private func create(_ host: HostController, _ identifier: UInt16, depth: Int) throws {
    let queue = try host.createQueue(identifier, depth: depth)
    _ = consume queue
  }

  /// Keeps a queue full until so many commands have completed; each reads a block that was written before.
  private func fill(_ queue: inout HostQueue, commands: Int, memory: HostMemory) throws -> Int {
    let data = try memory.allocate(512)
    defer { memory.free(data) }
    try queue.writePattern(data, slba: 5, version: 9, blockByteCount: 512)
    var entry = SubmissionQueueEntry.io(.compare, nsid: 1, slba: 5, blocks: 1)
    entry.prp1 = data.iova
    var submitted = 0
    var seen = 0
    while seen < commands {
      while submitted < commands, queue.submit(entry) != nil { submitted += 1 }
      queue.ring()
      let completion = try queue.awaitCompletion()
      guard completion.status.isSuccess else { throw TestFailure("compare: \(completion.status)") }
      seen += 1
    }
    return seen
  }
}

/// A queue that can be kept in an array.
final class QueueBox {
  var queue: HostQueue

  init(_ queue: consuming HostQueue) { self.queue = queue }
}

/// A queue on its way from one owner to the next.
final class QueueParcel {
  private var queue: HostQueue?

  init(_ queue: consuming HostQueue) { self.queue = consume queue }

  /// Hands it over, once.
  func take() throws -> HostQueue {
    guard let queue = queue.take() else { throw TestFailure("the queue was taken already") }
    return queue
  }
}
