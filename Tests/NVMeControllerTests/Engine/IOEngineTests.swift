import LinuxIO
import NVMeController
import NVMeSpec
import Storage
import Testing

/// I/O threads and what controllers share of them: `IOEngine.swift`.
@Suite struct IOEngineTests {
  private static func threads(_ change: (inout IOThreads.Options) -> Void) throws -> IOThreads {
    var options = IOThreads.Options()
    change(&options)
    return try IOThreads(options)
  }

  // MARK: Doorbells without events

  /// A thread that looks on for work after work, as the daemon's do.
  @Test(arguments: Host.DoorbellPath.allCases, [0, 20_000, 1_000_000] as [UInt64])
  func lookingOn(_ path: Host.DoorbellPath, spinLimit: UInt64) throws {
    let threads = try IOEngineTests.threads { $0.spinLimit = spinLimit }
    let image = try TestImage(size: 1 << 20)
    let host = try Host([try .memory(), Namespace(try image.backend())], threads: threads, path: path)
    let queue = try host.createQueuePair(size: 64, completionSize: 16)
    let data = host.ram.allocate()
    for round in 0..<200 {
      let commands = host.submit(
        (0..<(round % 40 + 1)).map { .transfer(.read, nsid: 1 + UInt32($0 % 2), slba: UInt64($0), blocks: 1, data) },
        on: queue)
      for command in commands { #expect(try host.completion(of: command, on: queue).status == .success) }
    }
  }

  /// The client stores into a page that it has mapped, and signals nothing: the admin queue's doorbells included.
  @Test(arguments: [1, 2]) func polledDoorbells(threads count: Int) throws {
    let threads = try IOEngineTests.threads { $0.threads = count }
    let host = try Host([try .memory()], threads: threads, path: .page) { $0.doorbells = .poll }
    let queues = try (1...4).map { try host.createQueuePair(UInt16($0), size: 16, completionSize: 4) }
    for _ in 0..<20 {
      for queue in queues {
        let commands = host.submit((0..<15).map { _ in .flush() }, on: queue)
        for command in commands { #expect(try host.completion(of: command, on: queue).status == .success) }
      }
      #expect(try host.admin(.getFeatures(1)).status == .success)
    }
    // Messages are understood as well.
    host.path = .socket
    #expect(try host.io(.flush()).status == .success)
  }

  // MARK: Several controllers

  @Test(arguments: [1, 2]) func severalControllers(threads count: Int) throws {
    let threads = try IOEngineTests.threads { $0.threads = count }
    let hosts = try (0..<4).map { index in
      try Host([try .memory(UInt64(index + 1) << 20)], threads: threads, path: index % 2 == 0 ? .socket : .slots)
    }
    var queues: [SubmissionRing] = []
    for host in hosts { queues.append(try host.createQueuePair()) }
    for _ in 0..<10 {
      for (host, queue) in zip(hosts, queues) { host.submit((0..<40).map { _ in .flush() }, on: queue) }
      for host in hosts {
        try host.wait("completions") { host.completions[1]?.entries.count == 40 }
        _ = host.completions[1]?.takeAll()
      }
    }
    for (index, host) in hosts.enumerated() {
      let data = host.ram.allocate()
      let last = UInt64(index + 1) << 11
      #expect(try host.io(.transfer(.read, slba: last - 1, blocks: 1, data)).status == .success)
      #expect(try host.io(.transfer(.read, slba: last, blocks: 1, data)).status == .lbaOutOfRange)
      // One ends or resets, the others go on.
      try host.disable()
    }
  }

  @Test func placesOnAThread() throws {
    let threads = try IOEngineTests.threads { $0.controllers = 2 }
    for _ in 0..<3 {
      let first = try Host([try .memory()], threads: threads)
      let second = try Host([try .memory()], threads: threads)
      #expect(throws: Errno.noSpace) { try Host([try .memory()], threads: threads) }
      for host in [first, second] {
        try host.createQueuePair()
        #expect(try host.io(.flush()).status == .success)
      }
    }
  }

  /// A controller that got no request because another has them all goes on as soon as there are some, without another
  /// doorbell.
  @Test func requestsOfAnotherController() throws {
    let gate = try Gate()
    let image = try TestImage(size: 1 << 20)
    let threads = try IOEngineTests.threads { $0.requests = 64 }
    let greedy = try Host([Namespace(try image.backend(gate: gate))], threads: threads, gates: [gate])
    let modest = try Host([try .memory()], threads: threads)
    let queue = try greedy.createQueuePair(size: 256)
    let other = try modest.createQueuePair()
    greedy.submit((0..<200).map { .writeZeroes(slba: $0 * 8, blocks: 8) }, on: queue)
    try greedy.settle()
    let commands = modest.submit((0..<10).map { _ in .flush() }, on: other)
    try modest.settle()
    #expect(modest.completions[1]?.entries.isEmpty == true, "there is no request")
    gate.open()
    for command in commands { #expect(try modest.completion(of: command, on: other).status == .success) }
    try greedy.wait("the rest") { greedy.completions[1]?.entries.count == 200 }
  }

  /// With more commands than requests, every queue has its turn.
  @Test func requestsOfAnotherQueue() throws {
    let gate = try Gate()
    let image = try TestImage(size: 1 << 20)
    let threads = try IOEngineTests.threads {
      $0.requests = 64
      $0.workers = 1
    }
    let host = try Host([Namespace(try image.backend(gate: gate))], threads: threads, gates: [gate])
    let greedy = try host.createQueuePair(1, size: 256)
    let modest = try (2...8).map { try host.createQueuePair(UInt16($0)) }
    host.submit((0..<255).map { .writeZeroes(slba: $0, blocks: 1) }, on: greedy)
    try host.settle()
    for queue in modest { host.submit(.writeZeroes(slba: 1000, blocks: 1), on: queue) }
    try host.settle()
    // As many as were in flight, and one turn of the greedy queue.
    var completed = 0
    while completed < 64 + 64 + modest.count {
      gate.admitOne()
      try host.wait("a completion") { host.completions.values.reduce(0) { $0 + $1.entries.count } > completed }
      completed += 1
    }
    for queue in modest { #expect(host.completions[queue.identifier]?.entries.count == 1, "queue \(queue.identifier)") }
    gate.open()
    try host.wait("the rest") { host.completions[1]?.entries.count == 255 }
  }

  // MARK: The end

  /// Nothing keeps a controller alive whose client has gone, whatever it was doing.
  @Test func nothingIsLeft() throws {
    let gate = try Gate()
    let image = try TestImage(size: 1 << 20)
    let threads = try IOEngineTests.threads { _ in }
    weak var controller: Controller?
    do {
      let first = Namespace(try image.backend(gate: gate))
      let host = try Host([first], threads: threads, gates: [gate])
      controller = host.controller
      let queue = try host.createQueuePair()
      host.submit((0..<10).map { .writeZeroes(slba: $0 * 8, blocks: 8) }, on: queue)
      host.submit(
        [.asynchronousEventRequest, .abort(1, queue: 1), .deleteSubmissionQueue(1), .setFeatures(6, 0)],
        on: host.adminSubmission)
      try host.wait("the command to begin", also: gate.arrival.rawValue) { !gate.calls.isEmpty }
      var configuration = Host.enabled
      configuration.shutdownNotification = .normal
      host.configure(configuration)
      host.configure(ControllerConfiguration())
      host.configure(Host.enabled)
      host.controller.reset {}
      host.controller.setBusMaster(false) {}
    }
    #expect(controller == nil)
  }

  /// The client goes while a shutdown flushes.
  @Test func nothingIsLeftOfAFlush() throws {
    let gate = try Gate()
    let image = try TestImage(size: 1 << 20)
    let threads = try IOEngineTests.threads { _ in }
    defer { withExtendedLifetime(threads) { gate.open() } }
    weak var controller: Controller?
    do {
      let host = try Host([Namespace(try image.backend(gate: gate))], threads: threads)
      controller = host.controller
      var configuration = Host.enabled
      configuration.shutdownNotification = .normal
      host.configure(configuration)
      try host.wait("the flush", also: gate.arrival.rawValue) { gate.calls == [.dataSync] }
    }
    #expect(controller == nil)
  }
}
