import GuestMemory
import LinuxIO
@testable import NVMeController
import NVMeSpec
import Storage
import Testing

/// Queues at work: what is fetched, when, and in which order: `ControllerPort+Fetch.swift`.
@Suite struct ControllerPortFetchTests {
  // MARK: Rings

  /// Sizes of the two queues; both wrap many times, at different places.
  @Test(arguments: Host.DoorbellPath.allCases, [(2, 2), (2, 5), (5, 2), (4, 4), (7, 3), (3, 64), (64, 256), (256, 64)])
  func wrapping(_ path: Host.DoorbellPath, _ sizes: (submission: Int, completion: Int)) throws {
    let host = try Host([try .memory()], path: path)
    let queue = try host.createQueuePair(size: sizes.submission, completionSize: sizes.completion)
    let ring = try #require(host.completions[1])
    var expected: [UInt16] = []
    while expected.count < 5 * max(sizes.submission, sizes.completion) {
      expected += host.submit((0..<min(queue.room, 40)).map { _ in .flush() }, on: queue)
      try host.wait("completions") { ring.entries.count == expected.count }
    }
    // The phase tag has told every entry from what was there before; order and heads are those of the queue.
    #expect(ring.entries.map(\.commandIdentifier) == expected)
    for (index, entry) in ring.entries.enumerated() {
      #expect(entry.sqIdentifier == 1 && entry.status == .success)
      #expect(Int(entry.sqHead) == (index + 1) % sizes.submission)
    }
  }

  /// More than one turn of a queue; up to the last entry but one.
  @Test(arguments: Host.DoorbellPath.allCases) func fullSubmissionQueue(_ path: Host.DoorbellPath) throws {
    let host = try Host([try .memory()], path: path)
    let queue = try host.createQueuePair(size: 256)
    for _ in 0..<5 {
      let commands = host.submit((0..<255).map { _ in .flush() }, on: queue)
      for command in commands { #expect(try host.completion(of: command, on: queue).status == .success) }
    }
  }

  @Test func largeQueue() throws {
    let host = try Host([try .memory()]) { $0.queueEntries = 4096 }
    let queue = try host.createQueuePair(size: 4096)
    for _ in 0..<3 {
      let commands = host.submit((0..<4095).map { _ in .flush() }, on: queue)
      try host.wait("completions") { host.completions[1]?.entries.count == 4095 }
      #expect(host.completions[1]?.takeAll().map(\.commandIdentifier) == commands)
    }
  }

  /// The same value, or an event without a new value, means nothing.
  @Test(arguments: Host.DoorbellPath.allCases) func repeatedDoorbells(_ path: Host.DoorbellPath) throws {
    let host = try Host([try .memory()], path: path)
    let queue = try host.createQueuePair()
    let command = host.submit(.flush(), on: queue)
    for _ in 0..<100 { host.ring(queue) }
    #expect(try host.completion(of: command, on: queue).status == .success)
    for _ in 0..<100 { host.ring(queue) }
    try host.settle()
    #expect(host.completions[1]?.entries.isEmpty == true)
  }

  /// The upper half of a doorbell is reserved.
  @Test func upperHalfOfADoorbell() throws {
    let host = try Host([try .memory()])
    let queue = try host.createQueuePair()
    let command = queue.put(.flush())
    host.ring(submissionQueue: 1, tail: 0xdead_0001)
    #expect(try host.completion(of: command, on: queue).status == .success)
  }

  /// Queues whose pages lie apart in this process.
  @Test(arguments: Host.DoorbellPath.allCases) func scatteredQueues(_ path: Host.DoorbellPath) throws {
    let host = try Host([try .memory()], path: path, ram: try GuestRAM(isScattered: true))
    let queue = try host.createQueuePair(size: 200, completionSize: 256)
    let data = host.ram.allocate()
    for round in 0..<5 {
      let commands = host.submit((0..<199).map { .transfer(.read, slba: $0, blocks: 1, data) }, on: queue)
      for command in commands { #expect(try host.completion(of: command, on: queue).status == .success, "\(round)") }
    }
    for _ in 0..<100 { #expect(try host.admin(.identify(1, to: data)).status == .success) }
  }

  /// Windows' crash dump driver and firmware use queues without interrupts.
  @Test(arguments: Host.DoorbellPath.allCases) func withoutInterrupts(_ path: Host.DoorbellPath) throws {
    let host = try Host([try .memory()], path: path)
    let ring = try host.createCompletionQueue(1, vector: nil)
    let queue = try host.createSubmissionQueue(1, completionQueue: 1)
    for vector in 0..<9 { _ = host.takeInterrupts(vector) }
    for _ in 0..<3 {
      let commands = host.submit((0..<40).map { _ in .flush() }, on: queue)
      try host.settle()
      #expect(ring.takeAll().map(\.commandIdentifier) == commands)
    }
    for vector in 0..<9 { #expect(host.takeInterrupts(vector) == 0) }
  }

  // MARK: Full completion queues

  /// Commands wait for room; nothing is overwritten, nothing lost, and their order is kept.
  @Test(arguments: Host.DoorbellPath.allCases) func fullCompletionQueue(_ path: Host.DoorbellPath) throws {
    let host = try Host([try .memory()], path: path)
    let queue = try host.createQueuePair(size: 64, completionSize: 8)
    let ring = try #require(host.completions[1])
    ring.consumes = false
    let commands = host.submit((0..<63).map { _ in .flush() }, on: queue)
    try host.settle()
    #expect(ring.reap() == 7)
    let before = host.ram.bytes(ring.iova, 8 * 16)
    host.ring(queue)
    try host.settle()
    #expect(host.ram.bytes(ring.iova, 8 * 16) == before, "what the host has not consumed stays")
    // By ones and by more.
    var consumed = 0
    for step in [1, 1, 3, 7, 2, 7, 5] {
      consumed += step
      host.ring(completionQueue: 1, head: UInt32(consumed % 8))
      try host.settle()
      #expect(ring.reap() == step)
    }
    ring.consumes = true
    host.consume(ring)
    try host.wait("the rest") { ring.entries.count == 63 }
    #expect(ring.entries.map(\.commandIdentifier) == commands)
  }

  /// With I/O that is really asynchronous, and the host slow to consume.
  @Test(arguments: Host.DoorbellPath.allCases) func slowHost(_ path: Host.DoorbellPath) throws {
    let image = try TestImage(size: 1 << 20)
    let host = try Host([Namespace(try image.backend())], path: path)
    let queue = try host.createQueuePair(size: 64, completionSize: 6)
    let ring = try #require(host.completions[1])
    ring.consumes = false
    let data = host.ram.allocate()
    var submitted: [UInt16] = []
    for round in 0..<20 {
      submitted += host.submit(
        (0..<(queue.room)).map { .transfer(.read, slba: UInt64($0 * 8), blocks: 8, data) }, on: queue)
      let wanted = min(5, submitted.count - ring.entries.count)
      let before = ring.entries.count
      try host.wait("round \(round)") {
        ring.reap()
        return ring.entries.count == before + wanted
      }
      host.consume(ring)
    }
    ring.consumes = true
    host.consume(ring)
    try host.wait("the rest") { ring.entries.count == submitted.count }
    #expect(
      ring.entries.map(\.commandIdentifier).sorted() == submitted && ring.entries.allSatisfy { $0.status == .success })
  }

  // MARK: Several queues

  @Test(arguments: Host.DoorbellPath.allCases) func severalSubmissionQueuesOfOneCompletionQueue(
    _ path: Host.DoorbellPath
  ) throws {
    let host = try Host([try .memory()], path: path)
    let ring = try host.createCompletionQueue(2, size: 16)
    let queues = try [1, 2, 5, 8].map { try host.createSubmissionQueue($0, size: 64, completionQueue: 2) }
    for queue in queues { for _ in 0..<60 { queue.put(.flush()) } }
    for queue in queues { host.ring(queue) }
    try host.wait("completions") { ring.entries.count == 240 }
    for queue in queues {
      let own = ring.entries.filter { $0.sqIdentifier == queue.identifier }
      #expect(own.map(\.commandIdentifier) == (0..<60).map { UInt16($0) }, "queue \(queue.identifier)")
    }
    // One of them goes; the others stay.
    #expect(try host.admin(.deleteSubmissionQueue(5)).status == .success)
    #expect(try host.admin(.deleteCompletionQueue(2)).status == .invalidQueueDeletion)
    #expect(try host.io(.flush(), queue: 8).status == .success)
  }

  /// As many queue pairs as there may be, on one and on several I/O threads, each with its own interrupt.
  @Test(arguments: Host.DoorbellPath.allCases, [1, 2, 3]) func manyQueuePairs(
    _ path: Host.DoorbellPath, threads: Int
  ) throws {
    var options = IOThreads.Options()
    options.threads = threads
    let host = try Host([try .memory()], threads: try IOThreads(options), path: path, ram: try GuestRAM(megabytes: 16))
    {
      $0.queueCount = 64
      $0.vectorCount = 65
    }
    let queues = try (1...64).map { try host.createQueuePair(UInt16($0), size: 32) }
    let data = host.ram.allocate()
    for vector in 0..<65 { _ = host.takeInterrupts(vector) }
    for queue in queues { for slba in 0..<31 { queue.put(.transfer(.read, slba: UInt64(slba), blocks: 1, data)) } }
    for queue in queues { host.ring(queue) }
    for queue in queues {
      for command in 0..<31 { #expect(try host.completion(of: UInt16(command), on: queue).status == .success) }
    }
    try host.settle()
    for vector in 1..<65 { #expect(host.takeInterrupts(vector) > 0, "vector \(vector)") }
    #expect(host.controller.counters.statistics[.read].latency.count == 64 * 31)
    if threads > 1 {
      let perThread = host.controller.counters.ports.map { $0.statistics[.read].latency.count }
      #expect(perThread.allSatisfy { $0 > 0 }, "all threads work")
    }
    for queue in queues { #expect(try host.admin(.deleteSubmissionQueue(queue.identifier)).status == .success) }
    for queue in queues { #expect(try host.admin(.deleteCompletionQueue(queue.identifier)).status == .success) }
  }

  /// A submission queue lives on the thread of its completion queue, and is announced to the thread of its number.
  @Test(arguments: Host.DoorbellPath.allCases) func queuesAcrossThreads(_ path: Host.DoorbellPath) throws {
    var options = IOThreads.Options()
    options.threads = 2
    let host = try Host([try .memory()], threads: try IOThreads(options), path: path)
    try host.createCompletionQueue(1, vector: 1)
    try host.createCompletionQueue(2, vector: 2)
    #expect(host.controller.thread(ofQueue: 1) != host.controller.thread(ofQueue: 2))
    // Crossed over: 1 feeds 2, and 2 feeds 1.
    var first = try host.createSubmissionQueue(1, completionQueue: 2)
    let second = try host.createSubmissionQueue(2, completionQueue: 1)
    for _ in 0..<50 {
      for queue in [first, second] {
        let commands = host.submit((0..<10).map { _ in .flush() }, on: queue)
        for command in commands { #expect(try host.completion(of: command, on: queue).status == .success) }
      }
      // And again as a new queue.
      #expect(try host.admin(.deleteSubmissionQueue(1)).status == .success)
      first = try host.createSubmissionQueue(1, completionQueue: 2)
    }
    // A doorbell of no queue is still found.
    let request = host.submit(.asynchronousEventRequest, on: host.adminSubmission)
    host.ring(submissionQueue: 3, tail: 1)
    #expect(try host.completion(of: request, on: host.adminSubmission).dw0 == 0x01_0000)
  }

  // MARK: New queues

  /// The slots outlive the queues: a new queue does not begin with an old tail.
  @Test(arguments: Host.DoorbellPath.allCases) func recreatedQueues(_ path: Host.DoorbellPath) throws {
    let host = try Host([try .memory()], path: path)
    let queue = try host.createQueuePair()
    let ring = try #require(host.completions[1])
    for _ in 0..<30 { #expect(try host.io(.flush()).status == .success) }
    try host.admin(.deleteSubmissionQueue(1))
    try host.admin(.deleteCompletionQueue(1))
    queue.restart()
    ring.restart()
    try host.admin(.createCompletionQueue(1, size: 64, at: ring.iova, vector: 1))
    try host.admin(.createSubmissionQueue(1, size: 64, at: queue.iova, completionQueue: 1))
    try host.settle()
    #expect(ring.entries.isEmpty && ring.entry(at: 0) == CompletionQueueEntry(0, 0), "the old entries are not run")
    let command = host.submit(.flush(), on: queue)
    let entry = try host.completion(of: command, on: queue)
    #expect(entry.status == .success && entry.sqHead == 1 && entry.phaseTag)
  }

  /// The same across a reset; a store that came late, when no queue was there, is forgotten too.
  @Test(arguments: Host.DoorbellPath.allCases) func queuesAfterAReset(_ path: Host.DoorbellPath) throws {
    let host = try Host([try .memory()], path: path)
    let queue = try host.createQueuePair()
    let ring = try #require(host.completions[1])
    for _ in 0..<30 { #expect(try host.io(.flush()).status == .success) }
    for _ in 0..<3 { try host.admin(.getFeatures(1)) }
    try host.disable()
    host.ring(submissionQueue: 1, tail: 40)
    host.ring(submissionQueue: 0, tail: 20)
    host.ring(completionQueue: 0, head: 20)
    try host.settle()
    try host.enable()
    try host.settle()
    #expect(host.adminCompletion.entries.isEmpty)
    queue.restart()
    ring.restart()
    try host.admin(.createCompletionQueue(1, size: 64, at: ring.iova, vector: 1))
    try host.admin(.createSubmissionQueue(1, size: 64, at: queue.iova, completionQueue: 1))
    host.adopt(queue, ring)
    try host.settle()
    #expect(ring.entries.isEmpty)
    #expect(try host.io(.flush()).status == .success)
  }

  // MARK: Memory that goes and comes

  /// The guest's memory is mapped somewhere else: the queues go on there, where they stopped.
  @Test(arguments: Host.DoorbellPath.allCases) func queuesUnmappedAndMappedAgain(_ path: Host.DoorbellPath) throws {
    let host = try Host([try .memory()], path: path)
    let other = try GuestRAM(base: 0x2_0000_0000, megabytes: 1)
    var view = try other.view()
    try host.map(view.regions)
    let ring = try host.createCompletionQueue(1, ram: other)
    let queue = try host.createSubmissionQueue(1, completionQueue: 1, ram: other)
    for round in 0..<10 {
      #expect(try host.io(.flush()).status == .success)
      try host.unmap(view.regions[0])
      // Whoever touches the old place ends the test.
      view.revoke()
      let commands = host.submit((0..<7).map { _ in .flush() }, on: queue)
      try host.settle()
      #expect(ring.reap() == 0 && host.status == ControllerStatus(rawValue: 1), "round \(round)")
      view = try other.view()
      try host.map(view.regions)
      for command in commands { #expect(try host.completion(of: command, on: queue).status == .success) }
    }
    try host.admin(.deleteSubmissionQueue(1))
    try host.admin(.deleteCompletionQueue(1))
    try host.unmap(view.regions[0])
  }

  /// A completion for which there is no queue memory waits for it.
  @Test func completionQueueUnmappedWithCommandsInFlight() throws {
    let gate = try Gate()
    let image = try TestImage(size: 1 << 20)
    let host = try Host([Namespace(try image.backend(gate: gate))], gates: [gate])
    let other = try GuestRAM(base: 0x2_0000_0000, megabytes: 1)
    let view = try other.view()
    try host.map(view.regions)
    let ring = try host.createCompletionQueue(1, ram: other)
    let queue = try host.createSubmissionQueue(1, completionQueue: 1)
    let commands = host.submit((0..<5).map { .writeZeroes(slba: $0 * 8, blocks: 8) }, on: queue)
    try host.wait("the command to begin", also: gate.arrival.rawValue) { !gate.calls.isEmpty }
    try host.unmap(view.regions[0])
    view.revoke()
    gate.open()
    try host.wait("the end of the work", also: gate.arrival.rawValue) { gate.finished == 5 }
    try host.settle()
    _ = host.takeInterrupts(1)
    let newView = try other.view()
    try host.map(newView.regions)
    for command in commands { #expect(try host.completion(of: command, on: queue).status == .success) }
    #expect(ring.entries.isEmpty)
    try host.admin(.deleteSubmissionQueue(1))
    try host.admin(.deleteCompletionQueue(1))
    try host.unmap(newView.regions[0])
  }

  /// One page of a queue is missing: the queue rests.
  @Test func queueUnmappedInPart() throws {
    let host = try Host([try .memory()], ram: try GuestRAM(isScattered: true))
    let queue = try host.createQueuePair(size: 256)
    #expect(try host.io(.flush()).status == .success)
    let page = Int((queue.iova - host.ram.base) / 4096) + 3
    let region = host.view.region(pages: page..<(page + 1))
    try host.unmap(region)
    let command = host.submit(.flush(), on: queue)
    try host.settle()
    #expect(host.completions[1]?.entries.isEmpty == true)
    try host.map([region])
    #expect(try host.completion(of: command, on: queue).status == .success)
  }
}
