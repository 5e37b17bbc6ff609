import LinuxIO

/// Tells the service manager that the daemon's threads are alive, on a thread of its own.
///
/// That thread sleeps for ever where the manager does not watch, until the daemon ends: then it asks for time as long as
/// the other threads answer.
final class Heartbeat: Sendable {
  private enum Phase {
    case serving
    case stopping
    case over
  }

  /// What the thread and its owner share.
  private final class Shared: Sendable {
    let phase = Locked(Phase.serving)
    let changed: EventFD

    init() throws(Errno) { changed = try EventFD() }

    func set(_ phase: Phase) {
      self.phase.withLock { $0 = phase }
      changed.signal()
    }
  }

  /// Signs of life for each period of the watchdog: one or two may be late.
  private static let beats: UInt64 = 4
  /// ms between requests for more time while the daemon ends.
  private static let stopInterval: Int32 = 5_000
  /// ns that each of them asks for.
  private static let stopExtension: UInt64 = 20_000_000_000
  /// How many of them there are at most: what has not ended by then is killed.
  private static let stopExtensionLimit = 120

  private let shared: Shared
  private let thread: Thread

  private init(_ shared: Shared, _ thread: Thread) {
    self.shared = shared
    self.thread = thread
  }

  /// Starts the thread.
  ///
  /// - Parameter probe: asks all threads for a sign of life.
  static func start(
    _ manager: ServiceManager, probe: @escaping @Sendable () -> Supervisor.LivenessProbe
  ) throws(Errno) -> Heartbeat {
    let shared = try Shared()
    return Heartbeat(shared, try Thread(name: "nvmed-heartbeat") { beat(shared, manager, probe) })
  }

  /// The daemon begins to end.
  func stopping() { shared.set(.stopping) }

  /// The threads have ended. Returns when this one has.
  func end() {
    shared.set(.over)
    thread.join()
  }

  private static func beat(
    _ shared: Shared, _ manager: ServiceManager, _ probe: () -> Supervisor.LivenessProbe
  ) {
    let interval = manager.watchdogLimit.map { Int32(clamping: max($0 / beats / 1_000_000, 1)) } ?? -1
    var probes: [Supervisor.LivenessProbe] = []
    var extensions = 0
    while true {
      let phase = shared.phase.withLock { $0 }
      if phase == .over { return }
      if shared.changed.wait(timeout: phase == .stopping ? stopInterval : interval) {
        shared.changed.drain()
        // The end may take a while, and nobody has answered yet.
        if shared.phase.withLock({ $0 }) == .stopping { manager.extend(stopExtension) }
        continue
      }
      // Proof is what was asked at one of the last beats and answered since.
      if probes.contains(where: { $0.isAnswered }) {
        probes = []
        if phase == .serving {
          manager.watchdog()
        } else if extensions < stopExtensionLimit {
          extensions += 1
          manager.extend(stopExtension)
        }
      }
      if probes.count == beats { probes.removeFirst() }
      probes.append(probe())
    }
  }
}
