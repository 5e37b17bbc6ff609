import Benchmarking
import Glibc
import LinuxIO
import NVMeHost

/// Runs guests against a daemon, spell after spell, and looks at what the daemon holds.
struct Soak {
  private let bench: SoakBench
  private let daemon: SoakDaemon
  private let presences: [SoakPresence]
  private var guests: [StormBox<SoakGuest>] = []
  private var operators: SoakOperator
  private let start = Clock.monotonic
  private var rests: [SoakSample] = []
  private var nextReport: UInt64 = 0

  init(_ bench: SoakBench) throws {
    self.bench = bench
    daemon = try SoakDaemon(bench.nvmed, controllers: bench.controllers, in: bench.folder)
    presences = (0..<bench.controllers).map { _ in SoakPresence() }
    operators = SoakOperator(
      daemon, presences, seed: bench.seed &* 3 &+ 1, reloadInterval: bench.reloadInterval)
    for controller in 0..<bench.controllers {
      guests.append(
        StormBox(
          SoakGuest(
            controller: controller, socket: daemon.folder.path("\(controller).sock"),
            hasShadowDoorbells: SoakDaemon.hasShadowDoorbells(controller), presence: presences[controller],
            seed: bench.seed &* 0x9E37_79B9_7F4A_7C15 &+ UInt64(controller))))
    }
  }

  private var seconds: Double { Double(Clock.monotonic - start) / 1e9 }

  /// Whether something has not happened that was asked for.
  private func lacks(_ counts: SoakCounts) -> Bool {
    bench.until.contains { counts.events[$0] == nil && operators.events[$0] == nil }
  }

  private func sample() throws -> SoakSample {
    SoakSample(seconds: seconds, footprint: try ProcessFootprint(process: daemon.daemon.process))
  }

  /// Runs all of it, and prints lines and tables.
  ///
  /// - Throws: the first thing that was not right.
  mutating func run() throws {
    tell("soak: \(bench.controllers) controllers, daemon \(daemon.daemon.process), seed \(bench.seed)")
    let warmup = min(bench.seconds / 5, 120)
    let length = min(max((bench.seconds - warmup) / 8, 2), 60)
    var counts = SoakCounts()
    nextReport = Clock.monotonic + UInt64(bench.reportEvery * 1e9)
    while rests.isEmpty || seconds < bench.seconds || lacks(counts) {
      counts = try spell(rests.isEmpty ? warmup : length)
      try daemon.daemon.settle()
      let rest = try sample()
      rests.append(rest)
      if rests.count == 1 { say("warm; without clients: \(rest.text)") }
    }
    report(counts)
    let verdict = SoakVerdict(rests: rests, allowance: bench.allowance)
    tell(verdict.table)
    try daemon.daemon.terminate()
    try checkImages()
    guard verdict.faults.isEmpty else { throw StormFailure(verdict.faults.joined(separator: "\n")) }
    tell("right: every block read was what had been written, no status was unexpected, and nothing is left over")
  }

  /// Guests come, use their disks for so many seconds while the daemon is changed, read everything, and go.
  private mutating func spell(_ length: Double) throws -> SoakCounts {
    var threads: [(spell: SoakSpell, thread: Thread)] = []
    for (index, guest) in guests.enumerated() {
      let spell = SoakSpell()
      threads.append((spell, try Thread(name: "guest \(index)") { Soak.run(guest, spell) }))
    }
    do {
      let end = Clock.monotonic + UInt64(length * 1e9)
      while Clock.monotonic < end, !threads.contains(where: { $0.spell.failure != nil }) {
        try operators.act()
        if Clock.monotonic >= nextReport {
          nextReport += UInt64(bench.reportEvery * 1e9)
          try reportLine(threads.map(\.spell))
        }
      }
    } catch {
      for (spell, thread) in threads {
        spell.stop()
        thread.join()
      }
      for (spell, _) in threads { if let failure = spell.failure { throw failure } }
      throw error
    }
    for (spell, _) in threads { spell.stop() }
    for (_, thread) in threads { thread.join() }
    guests = try threads.map { thread in
      guard let result = thread.spell.result.withLock({ $0 }) else { throw StormFailure("a guest is lost") }
      return try result.get()
    }
    return threads.reduce(into: SoakCounts()) { sum, thread in sum.add(thread.spell.counts.withLock { $0 }) }
  }

  /// What a guest's thread does.
  private static func run(_ box: StormBox<SoakGuest>, _ spell: SoakSpell) {
    var guest = box.take()
    do {
      try guest.run(spell)
      let next = StormBox(guest)
      spell.result.withLock { $0 = .success(next) }
    } catch {
      let failure = (error as? HostError).map { BenchFailure($0, socket: guest.socket) as any Error } ?? error
      spell.result.withLock { $0 = .failure(failure) }
    }
  }

  /// Reads every image without the daemon.
  private func checkImages() throws {
    let memory = try HostMemory(byteCount: SoakRange.blockCount * StormBlock.byteCount)
    let buffer = try memory.allocate(memory.byteCount)
    var bytes = 0
    for (controller, box) in guests.enumerated() {
      var guest = box.take()
      for lane in guest.lanes.indices {
        for index in guest.lanes[lane].ranges.indices {
          let range = guest.lanes[lane].ranges[index]
          guard SoakDaemon.hasImage(controller, Int(range.nsid)) else { continue }
          let file = try FileDescriptor(path: daemon.folder.path("\(controller)-\(range.nsid).img"), flags: O_RDONLY)
          let offset = Int(range.firstBlock) * StormBlock.byteCount
          let count = unsafe pread(file.rawValue, buffer.base, buffer.count, offset)
          guard count == buffer.count else { throw StormFailure("an image is too short") }
          try guest.lanes[lane].ranges[index].check(buffer, 0..<SoakRange.blockCount)
          bytes += count
        }
      }
    }
    tell("images: \(bytes) bytes are right, read without the daemon")
  }

  // MARK: Reports

  private func say(_ text: String) { tell("\(Int(seconds)) s: \(text)") }

  /// A line for whoever looks on.
  private func tell(_ text: String) {
    print(text)
    fflush(nil)
  }

  private func reportLine(_ spells: [SoakSpell]) throws {
    let counts = spells.reduce(into: SoakCounts()) { sum, spell in sum.add(spell.counts.withLock { $0 }) }
    say(
      "\(counts.commands) commands, \(counts.verified >> 20) MiB verified, \(counts.refused) refused, "
        + "\(counts.lost) lost with their queues; \(try sample().text)")
  }

  private func report(_ counts: SoakCounts) {
    tell(
      """
      commands   \(counts.commands) completed, \(counts.refused) of them refused as they had to be; \(counts.lost) were \
      in flight at the end of their queue
      verified   \(counts.verified) bytes
      doorbells  \(counts.doorbells.rings[0]) by slot, \(counts.doorbells.rings[1]) by message, \
      \(counts.doorbells.rings[2]) by posted message, \(counts.doorbells.unannounced) kept in memory
      guests     \(SoakReport.list(counts.events))
      operator   \(SoakReport.list(operators.events))
      """)
  }
}

/// Texts of a soak's report.
enum SoakReport {
  /// What was done how often.
  static func list(_ events: [String: Int]) -> String {
    events.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
  }
}
