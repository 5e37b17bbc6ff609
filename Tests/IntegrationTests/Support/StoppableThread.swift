import LinuxIO
import Synchronization

/// What tells threads of a test to stop. Any thread.
final class StopFlag: Sendable {
  private let value = Atomic(false)

  var isSet: Bool { value.load(ordering: .relaxed) }

  func set() { value.store(true, ordering: .relaxed) }
}

/// A thread of a test that runs until it is told to stop.
final class StoppableThread: Sendable {
  private let flag: StopFlag
  private let thread: Thread

  /// Starts it.
  ///
  /// - Parameter body: what it runs. It returns soon after the flag is set, or by itself.
  init(name: String, _ body: @escaping @Sendable (StopFlag) -> Void) throws(Errno) {
    let flag = StopFlag()
    self.flag = flag
    thread = try Thread(name: name) { body(flag) }
  }

  /// Tells it to stop, and waits for its end. Once, or `join()`.
  func stop() {
    flag.set()
    thread.join()
  }

  /// Waits until it has ended by itself.
  func join() { thread.join() }
}
