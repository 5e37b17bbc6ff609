import ArgumentParser
import LinuxIO
import Synchronization

/// `nvmed-bench ping-pong`: the least that a command by doorbell and interrupt can cost on this machine, to compare with.
struct PingPongBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ping-pong",
    abstract: "Measures two threads that wake each other by eventfds.",
    discussion: """
      Each thread sleeps in epoll until its eventfd is signalled, and signals the other's: two system calls each for a \
      round trip, as few as there can be.
      """)

  @Option(help: "How long is measured.")
  var seconds = 2.0

  @Option(help: "CPU of a thread; write it twice. Without: any.")
  var cpu: [Int32] = []

  func validate() throws {
    guard seconds > 0, seconds <= 3600 else { throw ValidationError("--seconds: write more than 0, at most 3600") }
    guard cpu.isEmpty || cpu.count == 2 else { throw ValidationError("--cpu: write it twice, or not at all") }
  }

  /// Both ends.
  private final class Table: Sendable {
    let ping: EventFD
    let pong: EventFD
    /// Round trips until the last one; set before the first thread signals for it.
    let isOver = Atomic<Bool>(false)
    let trips = Atomic<UInt64>(0)
    let duration = Atomic<UInt64>(0)

    init() throws(Errno) {
      ping = try EventFD()
      pong = try EventFD()
    }
  }

  func run() throws {
    let table = try Table()
    let pingEpoll = try Epoll()
    let pongEpoll = try Epoll()
    // Each signal is an edge; the counters are never read.
    try pingEpoll.add(table.ping.rawValue, [.readable, .edge], token: 0)
    try pongEpoll.add(table.pong.rawValue, [.readable, .edge], token: 0)
    let time = UInt64(seconds * 1e9)
    let answering = try Self.thread("pong", cpu.last, pingEpoll) { epoll in
      var events = EpollEvents()
      while !table.isOver.load(ordering: .acquiring) {
        epoll.wait(timeout: -1, into: &events)
        table.pong.signal()
      }
    }
    let asking = try Self.thread("ping", cpu.first, pongEpoll) { epoll in
      var events = EpollEvents()
      let start = Clock.monotonic
      var (trips, duration): (UInt64, UInt64) = (0, 0)
      while duration < time {
        for _ in 0..<100 {
          table.ping.signal()
          epoll.wait(timeout: -1, into: &events)
        }
        trips += 100
        duration = Clock.monotonic &- start
      }
      table.trips.store(trips, ordering: .releasing)
      table.duration.store(duration, ordering: .releasing)
      table.isOver.store(true, ordering: .releasing)
      table.ping.signal()
    }
    asking.join()
    answering.join()
    let trips = table.trips.load(ordering: .acquiring)
    print("{\"round_trips\":\(trips),\"ns\":\(table.duration.load(ordering: .acquiring) / max(trips, 1))}")
  }

  private final class Box: Sendable {
    let epoll: Epoll
    init(_ epoll: consuming Epoll) { self.epoll = epoll }
  }

  private static func thread(
    _ name: String, _ cpu: Int32?, _ epoll: consuming Epoll, _ body: @escaping @Sendable (borrowing Epoll) -> Void
  ) throws(Errno) -> Thread {
    let box = Box(epoll)
    return try Thread(name: name, cpus: cpu.map { [$0] } ?? []) { body(box.epoll) }
  }
}
