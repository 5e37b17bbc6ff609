import Glibc
import LinuxIO
import NVMeHost
import NVMeSpec
import Testing
import VFIOUser

/// Two controllers of one daemon that share its only I/O thread: what a hostile guest of one does, that of the other does
/// not notice, and a good client is served by the attacked one afterwards.
@Suite struct SeveralControllersTests {
  /// A daemon with the controllers "good" and "attacked", and verified I/O that never stops on the first.
  struct Pair {
    let folder: TestFolder
    let daemon: DaemonProcess
    let good: HostController
    let load: BackgroundLoad

    var attackedPath: String { folder.file("attacked.sock") }

    init() throws {
      folder = try TestFolder()
      _ = try folder.image("good.img", byteCount: 16 << 20)
      _ = try folder.image("attacked.img", byteCount: 16 << 20)
      let configuration = try folder.text(
        "nvmed.toml",
        """
        [daemon]
        io_threads = 1

        [[controller]]
        name = "good"
        socket = "good.sock"
        post_write = "kernel"
        [[controller.namespace]]
        image = "good.img"

        [[controller]]
        name = "attacked"
        socket = "attacked.sock"
        post_write = "kernel"
        [[controller.namespace]]
        image = "attacked.img"
        """)
      daemon = try DaemonProcess(["serve", "--config", configuration])
      try daemon.awaitReady(controllers: 2)
      good = try HostController(
        path: folder.file("good.sock"), memory: try HostMemory(byteCount: 8 << 20),
        options: HostOptions(doorbells: .slots, vectors: 2))
      try good.initialize()
      let queue = try good.createQueue(1, depth: 32, vector: 1)
      load = try BackgroundLoad(
        try VerifiedLoad(queue, memory: good.memory, depth: 16, firstBlock: 0, seed: 1))
      try load.awaitBatches(3)
    }

    /// A host of the attacked controller; it has begun.
    func attacker(
      memory: HostMemory, _ doorbells: DoorbellMechanism = .slots, vectors: Int = 2
    ) throws -> HostController {
      let host = try HostController(
        path: attackedPath, memory: memory, options: HostOptions(doorbells: doorbells, vectors: vectors))
      try host.initialize(queues: 16)
      return host
    }

    /// The good guest went on, and saw nothing but its own data; the attacked controller serves the next client.
    func finish() throws {
      try load.awaitBatches(3)
      var result = try load.stop()
      #expect(result.completed > 0)
      try result.finish()
      #expect(try !good.status().controllerFatalStatus)
      good.disconnect()
      let host = try attacker(memory: try HostMemory(byteCount: 8 << 20))
      var next = try VerifiedLoad(
        try host.createQueue(1, depth: 16, vector: 1), memory: host.memory, depth: 8, firstBlock: 16_384, seed: 2)
      try next.run(commands: 100)
      try next.finish()
      host.disconnect()
      try daemon.terminate()
    }
  }

  @Test func servesBoth() throws {
    let pair = try Pair()
    let host = try pair.attacker(memory: try HostMemory(byteCount: 8 << 20))
    var load = try VerifiedLoad(
      try host.createQueue(1, depth: 32, vector: 1), memory: host.memory, depth: 31, firstBlock: 0, seed: 5)
    try load.run(commands: 2000)
    try load.finish()
    host.disconnect()
    try pair.finish()
  }

  /// Bytes that are no message, and messages that are no request.
  @Test func survivesNoiseOnTheSocket() throws {
    let pair = try Pair()
    var random = XorShift(seed: 0xBAD)
    let memory = try HostMemory(byteCount: 1 << 20)
    for round in 0..<40 {
      var client = try ClientConnection(path: pair.attackedPath)
      if round % 2 == 1 { try client.negotiate() }
      // The server may close at any byte.
      for _ in 0..<20 {
        var bytes = (0..<Int(random.next() % 200) + 17).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        if round % 4 == 3 {
          // A good header (id, command, size, flags) before a random payload.
          let number = UInt8(random.next() % 24)
          bytes.replaceSubrange(
            0..<16, with: [1, 0, number, 0, UInt8(bytes.count), 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0, 0])
        }
        let descriptors = random.next() % 4 == 0 ? [memory.descriptor, memory.descriptor] : []
        guard (try? client.send(bytes: bytes, descriptors: descriptors)) != nil else { break }
      }
      client.hangUp()
    }
    try pair.finish()
  }

  /// Submission queue entries of random bits: each is completed, once.
  @Test func survivesRandomCommands() throws {
    let pair = try Pair()
    let host = try pair.attacker(memory: try HostMemory(byteCount: 8 << 20))
    var random = XorShift(seed: 0x5EED)
    var queue = try host.createQueue(1, depth: 64, vector: 1)
    let data = try host.memory.allocate(1 << 20)
    for position in stride(from: 0, to: data.count, by: 8) { data.store(random.next(), at: position) }
    var seen = 0
    for _ in 0..<100 {
      for number in 0..<63 as Range<UInt16> {
        queue.submissionQueues[0].write(randomCommand(number, data, &random, opcodes: 0...0x15))
      }
      queue.submissionQueues[0].ring()
      var left = 63
      while left > 0 {
        try queue.completionQueue.waitForEntry(until: Clock.monotonic + UInt64(patience) * 1_000_000_000)
        while let entry = queue.completionQueue.next() {
          #expect(entry.commandIdentifier < 63)
          left -= 1
          seen += 1
        }
        #expect(left >= 0, "more completions than commands")
        queue.completionQueue.ring()
      }
    }
    #expect(seen == 6300)
    // Admin commands too; what they do to queues and features is their guest's business.
    try host.withAdminQueue { (queue) throws(HostError) in
      for number in 0..<31 as Range<UInt16> {
        queue.submissionQueues[0].write(randomCommand(number, data, &random, opcodes: 0...0x20))
      }
      queue.submissionQueues[0].ring()
    }
    _ = try host.status()
    try host.enable()
    #expect(try host.identifyController() == host.identity)
    host.disconnect()
    try pair.finish()
  }

  /// Doorbells of every queue, there or not, get values that cannot be.
  @Test(arguments: [DoorbellMechanism.slots, .socket(posted: true)])
  func survivesScribbledDoorbells(_ doorbells: DoorbellMechanism) throws {
    let pair = try Pair()
    let host = try pair.attacker(memory: try HostMemory(byteCount: 8 << 20), doorbells)
    var random = XorShift(seed: 0xD00B)
    for _ in 0..<3 {
      for number in 1...4 as ClosedRange<UInt16> {
        let queue = try host.createQueue(number, depth: 16)
        _ = consume queue
      }
      for _ in 0..<2000 {
        let identifier = UInt16(random.next() % 65)
        let bell =
          random.next() % 2 == 0
          ? host.submissionQueueTailDoorbell(identifier) : host.completionQueueHeadDoorbell(identifier)
        bell.ring(random.next() % 4 == 0 ? UInt32(truncatingIfNeeded: random.next()) : UInt32(random.next() % 16))
      }
      // The reset clears what was stored.
      _ = try host.status()
      try host.enable()
      #expect(try host.identifyController() == host.identity)
    }
    host.disconnect()
    try pair.finish()
  }

  /// Queues, lists and data change while they are read.
  @Test func survivesScribbledMemory() throws {
    let pair = try Pair()
    let host = try pair.attacker(memory: try HostMemory(byteCount: 8 << 20))
    let data = try host.memory.allocate(64 << 10)
    var random = XorShift(seed: 0xC0FFEE)
    for round in 0..<4 as Range<UInt64> {
      var queue = try host.createQueue(UInt16(round + 1), depth: 64)
      let addresses = (0..<8).map { _ in data.iova + random.next() % 16 * 4096 }
      let commands = [0x0000_0001_0000_0001, 0x0000_0001_0000_0002, 0x0000_0001_4000_0002 as UInt64]
      let scribblers = [
        try MemoryScribbler(
          queue.submissionQueues[0].memory, seed: round, values: addresses + commands + [0, 7, .max]),
        try MemoryScribbler(data, seed: round + 9, values: addresses),
      ]
      for index in 1...3000 as ClosedRange<UInt32> {
        queue.submissionQueues[0].doorbell.ring(index % 64)
        while queue.completionQueue.next() != nil {}
        queue.completionQueue.ring()
      }
      scribblers.forEach { $0.stop() }
      #expect(try host.identifyController() == host.identity)
    }
    try host.enable()
    #expect(try host.identifyController() == host.identity)
    host.disconnect()
    try pair.finish()
  }

  /// The file behind the guest's memory is cut short while the daemon has it mapped: the controller fails, nothing else.
  @Test func failsTheControllerWhoseMemoryIsTakenAway() throws {
    let pair = try Pair()
    for round in 0..<3 {
      let memory = try HostMemory(byteCount: 8 << 20, backing: .unsealed)
      let host = try pair.attacker(memory: memory)
      var queue = try host.createQueue(1, depth: 64, vector: 1)
      let data = try memory.allocate(4096)
      var entry = SubmissionQueueEntry.io(.read, nsid: 1, slba: 0, blocks: 8)
      entry.prp1 = data.iova
      for _ in 0..<32 { _ = queue.submit(entry) }
      if round == 0 { queue.ring() }
      // From here on this process must not touch the memory either.
      try memory.truncate(to: 0)
      queue.submissionQueues[0].doorbell.ring(round == 0 ? 40 : 32)
      try host.awaitStatus(
        "CSTS.CFS in round \(round)", timeout: UInt64(patience) * 1_000_000_000, toleratesFailure: true
      ) { $0.controllerFatalStatus }
      host.disconnect()
    }
    try pair.daemon.awaitLog("the client has taken guest memory away", count: 3)
    try pair.finish()
  }

  /// A command of random bits, most of which get past the first check.
  private func randomCommand(
    _ identifier: UInt16, _ data: HostBuffer, _ random: inout XorShift, opcodes: ClosedRange<UInt64>
  ) -> SubmissionQueueEntry {
    func address() -> UInt64 {
      switch random.next() % 4 {
      case 0: random.next()
      case 1: 0
      // At least 64 KiB before the end, so that short transfers stay inside the data.
      default: data.iova + random.next() % UInt64(data.count - 65_536) / 4 * 4
      }
    }
    var entry = SubmissionQueueEntry(
      cdw0: UInt32(random.next() % (opcodes.upperBound + 1)) | UInt32(truncatingIfNeeded: random.next() % 4) << 14,
      namespaceIdentifier: random.next() % 4 == 0 ? UInt32(truncatingIfNeeded: random.next()) : 1)
    entry.commandIdentifier = identifier
    entry.prp1 = address()
    entry.prp2 = address()
    entry.slba = random.next() % 4 == 0 ? random.next() : random.next() % 32_768
    entry.cdw12 = random.next() % 4 == 0 ? UInt32(truncatingIfNeeded: random.next()) : UInt32(random.next() % 16)
    entry.cdw13 = UInt32(truncatingIfNeeded: random.next())
    return entry
  }
}
