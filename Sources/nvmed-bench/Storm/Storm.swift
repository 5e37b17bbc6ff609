import Glibc
import LinuxIO
import NVMeHost
import Synchronization

/// Runs the threads of a storm, and disturbs them.
struct Storm {
  /// What is shared with a thread.
  private final class Shared: Sendable {
    /// The thread holds it while it rings, so that whoever else holds it knows that nothing is rung meanwhile.
    let turn = Locked(StormThread.Turn())
    let result = Locked<Result<StormReport.Part, any Error>?>(nil)
  }

  /// What all threads tell about how far they are.
  private final class Progress: Sendable {
    let submitted = Atomic<Int>(0)
    /// Commands submitted while no other was in flight.
    let alone = Atomic<Int>(0)
    let ended = Atomic<Int>(0)
    let stops = Atomic<Bool>(false)
    let news: EventFD

    init() throws(Errno) { news = try EventFD() }
  }

  /// Commands from one look for disturbances to the next.
  private static let newsInterval = 500
  /// Commands from one signal to the daemon to the next, and what is sent.
  private static let signalInterval = 5000
  private static let signals = [SIGHUP, SIGUSR1, SIGSTOP, SIGUSR2, SIGWINCH, SIGSTOP, SIGCONT, SIGCHLD]
  /// Commands from one move of BAR0 to the next, and until the VMM has registered its doorbells anew.
  private static let moveInterval = 20_000
  private static let registrationInterval = 2000
  /// Commands from one lull to the next, and in a lull.
  private static let lullInterval = 20_000
  private static let lullCommands = 200

  private let bench: StormBench
  private let controller: StormController
  private let progress: Progress

  init(_ bench: StormBench) throws {
    self.bench = bench
    controller = try StormController(bench)
    progress = try Progress()
  }

  /// Runs it.
  ///
  /// - Throws: the first thing that was not right.
  func run() throws -> StormReport {
    let start = Clock.monotonic
    let before = try controller.executed()
    var threads: [(shared: Shared, thread: Thread)] = []
    let queues = bench.queues / bench.threads
    for index in 0..<bench.threads {
      let body = StormBox(
        try StormThread(
          controller, first: UInt16(index * queues + 1), count: queues, vector: UInt16(index + 1), nsid: bench.nsid,
          seed: bench.seed &* 0x9E37_79B9_7F4A_7C15 &+ UInt64(index)))
      let quota = (bench.commands + index) / bench.threads
      let shared = Shared()
      threads.append(
        (shared, try Thread(name: "storm \(index)") { [progress] in Self.run(body, quota, shared, progress) }))
    }
    var report = StormReport(bench: bench)
    do {
      try disturb(threads.map(\.shared), &report)
    } catch {
      progress.stops.store(true, ordering: .relaxed)
      for (_, thread) in threads { thread.join() }
      throw error
    }
    for (shared, thread) in threads {
      thread.join()
      if let part = try shared.result.withLock({ $0 })?.get() { report.add(part) }
    }
    let after = try controller.executed()
    report.executed = (after.reads - before.reads, after.writes - before.writes)
    report.duration = Clock.monotonic - start
    guard report.isRight else { throw StormFailure("commands were lost, or executed twice:\n\(report)") }
    return report
  }

  /// What a thread does.
  private static func run(_ body: StormBox<StormThread>, _ quota: Int, _ shared: Shared, _ progress: Progress) {
    var thread = body.take()
    do {
      try thread.fill()
      var left = quota
      var untold = 0
      while left > 0, !progress.stops.load(ordering: .relaxed) {
        let (submitted, isAlone) = try shared.turn.withLock { turn in
          (try thread.step(limit: left, turn), turn.isAlone)
        }
        left -= submitted
        untold += submitted
        if isAlone, progress.alone.add(submitted, ordering: .relaxed).newValue % lullCommands == 0 {
          progress.news.signal()
        }
        if untold >= newsInterval || left == 0 {
          progress.submitted.add(untold, ordering: .relaxed)
          untold = 0
          progress.news.signal()
        }
      }
      try shared.turn.withLock { try thread.finish(hasSlots: $0.hasSlots) }
      let part = StormReport.Part(counts: thread.counts, recreations: thread.recreations)
      shared.result.withLock { $0 = .success(part) }
    } catch {
      shared.result.withLock { $0 = .failure(error) }
      progress.stops.store(true, ordering: .relaxed)
    }
    progress.ended.add(1, ordering: .relaxed)
    progress.news.signal()
  }

  // MARK: Disturbances

  /// Moves BAR0 and sends signals, at their times, until all threads have ended.
  private func disturb(_ threads: [Shared], _ report: inout StormReport) throws {
    var nextSignal = Self.signalInterval
    var nextMove = Self.moveInterval
    var nextRegistration = Int.max
    var nextLull = Self.lullInterval / 2
    while progress.ended.load(ordering: .relaxed) < threads.count {
      progress.news.wait()
      progress.news.drain()
      let submitted = progress.submitted.load(ordering: .relaxed)
      if submitted >= nextSignal, let daemon = bench.daemon {
        send(Self.signals[report.signals % Self.signals.count], to: daemon, &report)
        nextSignal += Self.signalInterval
      }
      if submitted >= nextMove {
        // From then on doorbells come by message.
        try hold(threads[...]) {
          try move(&report)
        } then: {
          $0.hasSlots = false
        }
        nextMove += Self.moveInterval
        nextRegistration = submitted + Self.registrationInterval
      }
      if submitted >= nextRegistration {
        for thread in threads { thread.turn.withLock { $0.hasSlots = true } }
        nextRegistration = .max
      }
      if submitted >= nextLull {
        lull(threads, report.lulls % threads.count)
        report.lulls += 1
        nextLull += Self.lullInterval
      }
    }
    report.alone = progress.alone.load(ordering: .relaxed)
  }

  /// Does something while none of some threads rings.
  ///
  /// - Parameter change: of the turn of each, afterwards.
  private func hold(
    _ threads: ArraySlice<Shared>, _ body: () throws -> Void, then change: (inout StormThread.Turn) -> Void = { _ in }
  ) rethrows {
    guard let first = threads.first else { return try body() }
    try first.turn.withLock {
      try hold(threads.dropFirst(), body, then: change)
      change(&$0)
    }
  }

  /// Lets one thread alone go on, with one command at a time: a doorbell that got lost is not made good by the next.
  private func lull(_ threads: [Shared], _ index: Int) {
    let thread = threads[index]
    hold(threads.indices.filter { $0 != index }.map { threads[$0] }[...]) {
      let target = progress.alone.load(ordering: .relaxed) + Self.lullCommands
      thread.turn.withLock { $0.isAlone = true }
      while progress.alone.load(ordering: .relaxed) < target, thread.result.withLock({ $0 == nil }) {
        progress.news.wait()
        progress.news.drain()
      }
      thread.turn.withLock { $0.isAlone = false }
    }
  }

  /// Gives BAR0 another address, as firmware or a kernel does: no access meanwhile, commands may be in flight.
  private func move(_ report: inout StormReport) throws {
    report.moves += 1
    // Below 4 GiB and above it in turns.
    let place = UInt64(report.moves % 64) << 16
    let address = report.moves % 2 == 0 ? 0xC000_0000 + place : 0x38_0000_0000 + place
    try controller.with { try $0.moveRegisters(to: address) }
  }

  private func send(_ signal: Int32, to daemon: Int32, _ report: inout StormReport) {
    kill(daemon, signal)
    report.signals += 1
    guard signal == SIGSTOP else { return }
    report.stops += 1
    // It stands still for as long as nobody tells that something went on, some ms at most.
    progress.news.wait(timeout: 5)
    kill(daemon, SIGCONT)
  }
}
