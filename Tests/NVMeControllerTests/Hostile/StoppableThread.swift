import LinuxIO
import Synchronization

/// A thread of a test that does the same over and over until it is told to stop.
final class StoppableThread: Sendable {
  private final class Shared: Sendable {
    let stops = Atomic(false)
    let rounds = Atomic(0)
  }

  private let shared = Shared()
  private let thread: LinuxIO.Thread

  /// Starts it.
  ///
  /// - Parameters:
  ///   - state: what only the rounds have.
  ///   - round: what is done over and over.
  init<State: Sendable>(
    name: String, _ state: State, _ round: @escaping @Sendable (inout State) -> Void
  ) throws(Errno) {
    let shared = shared
    thread = try LinuxIO.Thread(name: name) {
      var state = state
      while !shared.stops.load(ordering: .relaxed) {
        round(&state)
        shared.rounds.add(1, ordering: .relaxed)
      }
    }
  }

  /// How many rounds there were so far.
  var rounds: Int { shared.rounds.load(ordering: .relaxed) }

  /// Stops it, and waits for its end. Once.
  func stop() {
    shared.stops.store(true, ordering: .relaxed)
    thread.join()
  }
}
