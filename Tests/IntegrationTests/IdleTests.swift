import Glibc
import LinuxIO
import NVMeHost
import NVMeSpec
import Testing

/// A daemon whose guests do nothing does nothing either: no thread of it runs, not even for a look.
@Suite struct IdleTests {
  /// How long nobody asks for anything, in ms.
  private static let window: Int32 = 10_000

  /// A daemon and what keeps it as it is.
  private struct Idle {
    let name: String
    let daemon: DaemonProcess
    let hosts: [HostController]
    let folder: TestFolder

    func finish() throws {
      for host in hosts {
        #expect(try host.identifyController() == host.identity, "\(name): it works afterwards")
        host.disconnect()
      }
      try daemon.terminate()
    }
  }

  /// Every way of being idle but that of a polled controller, all at the same time: what is measured is that nothing
  /// happens in ten seconds.
  @Test func makesNoSystemCall() throws {
    let all = try [
      attached(0, after: 0, .slots), attached(1, after: 0, .slots),
      attached(1, after: 500, .slots), attached(1, after: 500, .socket(posted: true)),
      attached(1, after: 500, .socket(posted: false)), attached(16, after: 100, .slots),
      attached(1, after: 500, .eventfds), attached(16, after: 100, .eventfds),
      afterClient(), withFullQueue(),
    ]
    var before: [[String: ThreadActivity]] = []
    for idle in all { before.append(try settled(idle)) }
    try wait(milliseconds: IdleTests.window)
    for (idle, before) in zip(all, before) {
      #expect(before.count >= 4, "\(idle.name): main, control, I/O and worker threads")
      #expect(try ThreadActivity.all(of: idle.daemon) == before, "\(idle.name)")
    }
    for idle in all { try idle.finish() }
  }

  /// A polled controller backs off to one look in `poll_sleep_us`, 1,000 unless it is configured, of one thread.
  @Test func backsOffWherePolled() throws {
    let idle = try attached(1, after: 500, .mappedPage)
    // The steps up to the longest pause take some milliseconds: less than the others' coming to rest.
    let poller = "nvmed-io0"
    _ = try settled(idle, but: poller)
    let before = try ThreadActivity.all(of: idle.daemon)
    let start = Clock.monotonic
    try wait(milliseconds: 1000)
    let after = try ThreadActivity.all(of: idle.daemon)
    let milliseconds = Int((Clock.monotonic - start) / 1_000_000)
    for (task, activity) in after {
      let wakeUps = activity.voluntarySwitches - (before[task]?.voluntarySwitches ?? 0)
      if activity.name == poller {
        #expect((1...milliseconds + 10).contains(wakeUps), "\(wakeUps) wake-ups in \(milliseconds) ms")
      } else {
        #expect(activity == before[task], "\(activity.name) waits for events")
      }
    }
    try idle.finish()
  }

  /// Clients whose queues are there, and were busy until now; none: nobody has come yet.
  ///
  /// - Parameter traffic: commands of each client.
  private func attached(_ clients: Int, after traffic: Int, _ doorbells: DoorbellMechanism) throws -> Idle {
    let folder = try TestFolder()
    let threads = doorbells == .mappedPage ? 1 : 2
    // Nobody asks for status or metrics; their servers wait as all others do.
    var configuration =
      "[daemon]\nio_threads = \(threads)\n"
      + "[metrics]\nlisten = \"unix:\(folder.file("metrics.sock"))\"\n"
    for index in 0..<max(clients, 1) {
      _ = try folder.image("\(index).img", byteCount: 1 << 20)
      configuration += """

        [[controller]]
        name = "disk\(index)"
        socket = "\(index).sock"
        doorbells = "\(doorbells == .mappedPage ? "poll" : "auto")"
        shadow_doorbells = "\(doorbells == .eventfds ? "required" : "off")"
        [[controller.namespace]]
        image = "\(index).img"

        """
    }
    let daemon = try DaemonProcess(["serve", "--config", try folder.text("nvmed.toml", configuration)])
    try daemon.awaitReady(controllers: max(clients, 1))
    var hosts: [HostController] = []
    for index in 0..<clients {
      var options = HostOptions(doorbells: doorbells, vectors: 3)
      options.shadowDoorbells = doorbells == .eventfds
      let host = try HostController(
        path: folder.file("\(index).sock"), memory: try HostMemory(byteCount: 2 << 20), options: options)
      try host.initialize(queues: 2)
      var load = try VerifiedLoad(
        try host.createQueue(1, depth: 32, vector: 1), memory: host.memory, depth: 31, firstBlock: 0,
        seed: UInt64(index + 1))
      let other = try host.createQueue(2, depth: 32, vector: 2)
      _ = consume other
      try load.run(commands: traffic)
      hosts.append(host)
    }
    return Idle(
      name: "\(clients) clients, \(doorbells), after \(traffic) commands", daemon: daemon, hosts: hosts,
      folder: folder)
  }

  /// A client has gone without a word, in the middle of its work.
  private func afterClient() throws -> Idle {
    let served = try ServedController(options: ["--io-threads", "2"])
    let host = try served.host(HostOptions(doorbells: .slots, vectors: 2))
    var load = try VerifiedLoad(
      try host.createQueue(1, depth: 32, vector: 1), memory: host.memory, depth: 31, firstBlock: 0, seed: 1)
    try load.run(commands: 100)
    load.submitAll()
    host.disconnect()
    try served.daemon.awaitLog("client disconnected")
    return Idle(name: "after a client", daemon: served.daemon, hosts: [], folder: served.folder)
  }

  /// A guest that rang for more commands than its completion queue has entries for, and looks at none of them.
  private func withFullQueue() throws -> Idle {
    let served = try ServedController(options: ["--io-threads", "2"])
    let host = try served.host(HostOptions(doorbells: .slots, vectors: 2))
    var queue = try host.createQueue(
      completionQueue: 1, completionQueueSize: 4, submissionQueues: [1], submissionQueueSize: 64, vector: 1)
    for _ in 0..<63 { _ = queue.submit(.flush(nsid: 1)) }
    queue.ring()
    let deadline = deadline()
    // The last entry that there is room for.
    while queue.completionQueue.memory.load(UInt64.self, at: 2 * 16 + 8) == 0 {
      guard !isOver(deadline) else { throw TestFailure("the completion queue does not get full") }
      sched_yield()
    }
    return Idle(name: "with a full completion queue", daemon: served.daemon, hosts: [host], folder: served.folder)
  }

  /// What the threads of a daemon have done when they come to rest: `WriteWatch` looks on a while, every 20 ms.
  ///
  /// - Parameter name: of one that does not.
  private func settled(_ idle: Idle, but name: String? = nil) throws -> [String: ThreadActivity] {
    let deadline = deadline()
    var last: [String: ThreadActivity] = [:]
    while true {
      let next = try ThreadActivity.all(of: idle.daemon).filter { $0.value.name != name }
      // A thread that has its time and only has no CPU is not asleep.
      if next == last, next.values.allSatisfy(\.isAsleep) { return next }
      guard !isOver(deadline) else { throw TestFailure("\(idle.name): the daemon does not come to rest") }
      last = next
      try wait(milliseconds: 50)
    }
  }

  /// Waits on what never comes.
  private func wait(milliseconds: Int32) throws {
    let never = try EventFD()
    never.wait(timeout: milliseconds)
  }
}
