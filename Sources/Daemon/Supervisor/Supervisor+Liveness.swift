import Synchronization

extension Supervisor {
  /// A question to all threads, and how many have not answered it.
  final class LivenessProbe: Sendable {
    private let missing: Atomic<Int>

    init(threads: Int) { missing = Atomic(threads) }

    /// Whether every thread has answered.
    var isAnswered: Bool { missing.load(ordering: .acquiring) <= 0 }

    func answer() { missing.subtract(1, ordering: .releasing) }
  }

  /// Asks every I/O thread and every control thread for a sign of life; waits for none. One that ends meanwhile may not
  /// give it.
  func probe() -> LivenessProbe {
    let controllers = state.withLock { $0.controllers }
    let probe = LivenessProbe(threads: pool.handles.count + controllers.count)
    for handle in pool.handles { handle.ping { probe.answer() } }
    for controller in controllers { controller.server.ping { probe.answer() } }
    return probe
  }
}
