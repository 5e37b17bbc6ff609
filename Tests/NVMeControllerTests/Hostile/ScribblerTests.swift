import Glibc
import LinuxIO
import NVMeController
import NVMeSpec
import Storage
import Testing

/// A guest whose other CPUs change queues, lists and doorbells while the controller uses them.
@Suite struct ScribblerTests {
  @Test(arguments: [(.memory, 1), (.memory, 2), (.file, 1)] as [(Medium.Kind, Int)])
  func queuesListsAndDoorbells(_ kind: Medium.Kind, threads count: Int) throws {
    let seed: UInt64 = 0x5c81 + UInt64(count)
    let comment: Comment = "\(kind), \(count) I/O threads, seed \(String(seed, radix: 16))h"
    var options = IOThreads.Options()
    options.threads = count
    // The threads look at the slots without an event as well.
    options.spinLimit = 50_000
    let threads = try IOThreads(options)
    let memory = try HostileMemory()
    let (namespace, image) = try Medium(kind: kind, blockSize: .bytes512).namespace(blocks: 8192)
    defer { withExtendedLifetime(image) {} }
    var random = SeededGenerator(seed: seed)
    var completed = 0
    do {
      let host = try Host(
        [namespace, try .memory(1 << 20, .bytes4096)], threads: threads, path: .slots, ram: memory.ram)
      let queues = try (1...4).map { try host.createQueuePair(UInt16($0), size: 64, completionSize: 16) }
      memory.writeLists(&random)
      var words: [UInt] = []
      // Each queue fills exactly one page.
      for page in queues.map(\.iova) + memory.listPages.prefix(8) { words += host.ram.wordsOfPage(page) }
      let values = Self.values(memory, opcodes: [0, 1, 2, 5, 8, 9, 12], &random)
      let slots = (1...4).flatMap {
        [host.controller.slots.submissionQueueTail($0), host.controller.slots.completionQueueHead($0)]
      }.compactMap { $0 }
      let scribblers = try (1...2).map {
        try Scribbler.start(words: words, values: values, slots: slots, seed: seed + UInt64($0))
      }
      // The guest goes on as if nothing was wrong, and rings whatever comes to its mind.
      var commands = HostileCommands(
        memory: memory,
        limits: HostileCommands.Limits(namespaces: [(9, 8192, false), (12, 256, false)], maximumTransfer: 128 << 10),
        random: random)
      // How many commands get through is the scribblers' choice: nonsense in a head doorbell makes a queue look full. And
      // how often they write while one gets through is the scheduler's.
      let deadline = Self.deadline()
      while completed < 5000 || scribblers.contains(where: { $0.rounds < 10_000 }), Clock.monotonic < deadline {
        for queue in queues {
          for _ in 0..<4 { queue.putUnchecked(commands.io()) }
          host.ring(submissionQueue: queue.identifier, tail: UInt32(queue.tail))
        }
        try host.settle()
        for ring in host.completions.values { completed += ring.takeAll().count }
      }
      for scribbler in scribblers { scribbler.stop() }
      let writes = scribblers.map(\.rounds)
      #expect(completed >= 5000, "\(writes) writes, \(completed) completions; \(comment)")
      #expect(!host.status.controllerFatalStatus, comment)
      // A reset is all that the same guest needs.
      try host.disable()
      try host.enable()
      try expectWorking(host, comment)
      memory.expectIntact(comment)
    }
    // The next guest finds the threads and the namespace as if nothing had been.
    let next = try Host([namespace], threads: threads, path: .slots)
    try expectWorking(next, comment)
  }

  /// When a scheduler that is fair has long had all threads do their part.
  private static func deadline() -> UInt64 { Clock.monotonic + 120_000_000_000 }

  /// What makes sense as a pointer, a list entry, a descriptor, or the first 8 bytes of a command.
  private static func values(
    _ memory: HostileMemory, opcodes: [UInt64], _ random: inout SeededGenerator
  ) -> [UInt64] {
    var values = Array(memory.listPages.prefix(8))
    for _ in 0..<64 { values.append(memory.anyAddress(&random)) }
    for _ in 0..<16 {
      let descriptor = memory.anyDescriptor(&random)
      values += [descriptor.address, descriptor.word1]
    }
    for opcode in opcodes {
      for transferType: UInt64 in 0...3 { values.append(1 << 32 | transferType << 14 | opcode) }
    }
    return values
  }

  /// The rest of what both sides see: the admin queue and the data of its commands, completion queues of which the host
  /// therefore reads nothing, the pages of Doorbell Buffer Config, and the slots.
  @Test(arguments: [1, 2]) func adminQueueCompletionsAndShadowDoorbells(threads count: Int) throws {
    let seed: UInt64 = 0xad0_5c81 + UInt64(count)
    let comment: Comment = "\(count) I/O threads, seed \(String(seed, radix: 16))h"
    var options = IOThreads.Options()
    options.threads = count
    options.spinLimit = 50_000
    let threads = try IOThreads(options)
    let memory = try HostileMemory()
    let namespace = try Namespace.memory(4 << 20)
    var random = SeededGenerator(seed: seed)
    do {
      let host = try Host([namespace], threads: threads, path: .slots, ram: memory.ram) { $0.shadowDoorbells = .on }
      let queues = try (1...2).map { try host.createQueuePair(UInt16($0), size: 64, completionSize: 256) }
      let shadow = ShadowDoorbells(host.ram)
      var configure = DoorbellBufferConfigCommand(SubmissionQueueEntry(.doorbellBufferConfig))
      configure.shadowDoorbellBuffer = shadow.values
      configure.eventIndexBuffer = shadow.eventIndexes
      try #require(try host.admin(configure.entry).status == .success)
      memory.writeLists(&random)
      for ring in host.completions.values { ring.consumes = false }
      host.adminCompletion.consumes = false
      var pages = [host.adminSubmission.iova, host.adminCompletion.iova, shadow.values, shadow.eventIndexes]
      pages += queues.map(\.iova) + host.completions.values.map(\.iova) + memory.listPages.prefix(8)
      let values = Self.values(memory, opcodes: [0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 0x7c], &random)
      let slots = (0...2).flatMap {
        [host.controller.slots.submissionQueueTail($0), host.controller.slots.completionQueueHead($0)]
      }.compactMap { $0 }
      let scribblers = try (1...2).map {
        try Scribbler.start(
          words: pages.flatMap(host.ram.wordsOfPage), values: values, slots: slots, seed: seed + UInt64($0))
      }
      var commands = HostileCommands(
        memory: memory, limits: HostileCommands.Limits(namespaces: [(9, 8192, false)], maximumTransfer: 128 << 10),
        random: random)
      var resets = 0
      var rounds = 0
      let deadline = Self.deadline()
      while rounds < 1500 || scribblers.contains(where: { $0.rounds < 10_000 }), Clock.monotonic < deadline {
        rounds += 1
        for queue in queues {
          for _ in 0..<4 { queue.putUnchecked(commands.io()) }
          shadow.value(queue.identifier).store(UInt32(queue.tail))
          shadow.value(queue.identifier, isHead: true).store(UInt32.random(in: 0..<256, using: &random))
          host.ring(submissionQueue: queue.identifier, tail: UInt32(queue.tail))
        }
        for _ in 0..<2 { host.adminSubmission.putUnchecked(commands.admin()) }
        host.ring(submissionQueue: 0, tail: UInt32(host.adminSubmission.tail))
        host.ring(completionQueue: 0, head: UInt32.random(in: 0..<32, using: &random))
        try host.settle()
        guard host.status.controllerFatalStatus else { continue }
        // A command has failed the controller, as it may: of this guest.
        resets += 1
        try host.disable()
        try host.enable()
      }
      for scribbler in scribblers { scribbler.stop() }
      let writes = scribblers.map(\.rounds)
      #expect(rounds >= 1500 && resets < rounds, "\(writes) writes, \(resets) resets of \(rounds); \(comment)")
      try host.disable()
      host.adminCompletion.consumes = true
      try host.enable()
      try expectWorking(host, comment)
      memory.expectIntact(comment)
    }
    let next = try Host([namespace], threads: threads, path: .slots)
    try expectWorking(next, comment)
  }

  private func expectWorking(_ host: Host, _ comment: Comment) throws {
    let data = host.ram.allocate()
    #expect(try host.admin(.identify(IdentifyCNS.controller.rawValue, to: data)).status == .success, comment)
    #expect(host.ram.bytes(data + 4, 5) == Array("TEST1".utf8), comment)
    let queue = try host.createQueuePair(1)
    for round in 0..<4 as Range<UInt8> {
      host.ram.fill(data, 4096, 0x40 + round)
      #expect(try host.io(.transfer(.write, slba: UInt64(round) * 8, blocks: 8, data)).status == .success, comment)
    }
    for round in 0..<4 as Range<UInt8> {
      #expect(try host.io(.transfer(.read, slba: UInt64(round) * 8, blocks: 8, data)).status == .success, comment)
      #expect(host.ram.isFilled(data, 4096, 0x40 + round), comment)
    }
    try host.settle()
    #expect(host.completions[queue.identifier]?.entries.isEmpty == true, comment)
  }
}

extension GuestRAM {
  /// Where the words of a page are.
  fileprivate func wordsOfPage(_ page: UInt64) -> [UInt] {
    let base = UInt(bitPattern: host(page))
    return stride(from: 0, to: UInt(GuestRAM.pageSize), by: 8).map { base + $0 }
  }
}
