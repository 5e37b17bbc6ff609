import Glibc
import LinuxIO
import NVMeController
import NVMeSpec
import Storage
import Synchronization
import Testing

/// A guest whose other CPUs change queues, lists and doorbells while the controller uses them.
@Suite struct ScribblerTests {
  /// A thread that writes to guest memory and to doorbell slots until it is stopped.
  private final class Scribbler: Sendable {
    private final class Shared: Sendable {
      let stops = Atomic<Bool>(false)
      let writes = Atomic<Int>(0)
    }

    private let shared = Shared()
    private let thread: LinuxIO.Thread

    /// - Parameters:
    ///   - words: what may be written to: words of 8 bytes.
    ///   - values: what is written to them, but for random values now and then.
    ///   - slots: doorbells that get any value.
    init(words: [UInt], values: [UInt64], slots: [SharedWord], seed: UInt64) throws {
      let shared = shared
      thread = try LinuxIO.Thread(name: "scribbler") {
        var random = SeededGenerator(seed: seed)
        while !shared.stops.load(ordering: .relaxed) {
          let word = words[Int(random.next() % UInt64(words.count))]
          let value = random.next() % 8 == 0 ? random.next() : values[Int(random.next() % UInt64(values.count))]
          UnsafeMutableRawPointer(bitPattern: word)?.storeBytes(of: value, as: UInt64.self)
          if random.next() % 16 == 0 {
            let slot = slots[Int(random.next() % UInt64(slots.count))]
            slot.store(
              random.next() % 4 == 0 ? UInt32(truncatingIfNeeded: random.next()) : UInt32(random.next() % 64))
          }
          shared.writes.add(1, ordering: .relaxed)
        }
      }
    }

    /// Stops it; how often it wrote.
    func stop() -> Int {
      shared.stops.store(true, ordering: .relaxed)
      thread.join()
      return shared.writes.load(ordering: .relaxed)
    }
  }

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
      for queue in queues {
        // The queue fills exactly one page.
        let base = UInt(bitPattern: host.ram.host(queue.iova))
        words += stride(from: 0, to: 4096, by: 8).map { base + UInt($0) }
      }
      for page in memory.listPages.prefix(8) {
        let base = UInt(bitPattern: host.ram.host(page))
        words += stride(from: 0, to: 4096, by: 8).map { base + UInt($0) }
      }
      // What makes sense as a pointer, a list entry, a descriptor, or the first 8 bytes of a command.
      var values = memory.listPages.prefix(8) + (0..<64).map { _ in memory.anyAddress(&random) }
      for _ in 0..<16 {
        let descriptor = memory.anyDescriptor(&random)
        values += [descriptor.address, descriptor.word1]
      }
      for opcode: UInt64 in [0, 1, 2, 5, 8, 9, 12] {
        for transferType: UInt64 in 0...3 { values.append(1 << 32 | transferType << 14 | opcode) }
      }
      let slots = (1...4).flatMap {
        [host.controller.slots.submissionQueueTail($0), host.controller.slots.completionQueueHead($0)]
      }.compactMap { $0 }
      let scribblers = try (1...2).map {
        try Scribbler(words: words, values: Array(values), slots: slots, seed: seed + UInt64($0))
      }
      // The guest goes on as if nothing was wrong, and rings whatever comes to its mind.
      var commands = HostileCommands(
        memory: memory,
        limits: HostileCommands.Limits(namespaces: [(9, 8192, false), (12, 256, false)], maximumTransfer: 128 << 10),
        random: random)
      var rounds = 0
      // How many commands get through is the scribblers' choice: nonsense in a head doorbell makes a queue look full.
      while completed < 5000, rounds < 20_000 {
        rounds += 1
        for queue in queues {
          for _ in 0..<4 { queue.putUnchecked(commands.io()) }
          host.ring(submissionQueue: queue.identifier, tail: UInt32(queue.tail))
        }
        try host.settle()
        for ring in host.completions.values { completed += ring.takeAll().count }
      }
      let writes = scribblers.reduce(0) { $0 + $1.stop() }
      #expect(writes > 20_000 && completed > 1000, "\(writes) writes, \(completed) completions; \(comment)")
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
