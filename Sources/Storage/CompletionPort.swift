import LinuxIO

/// Where the finished jobs of one I/O thread arrive: a list, and an eventfd that the thread watches.
///
/// It also bounds how many jobs that thread may have with the workers. Any thread.
public final class CompletionPort: Sendable {
  private struct State {
    var finished: [JobCompletion] = []
    /// Jobs accepted and not yet taken.
    var outstanding = 0
  }

  private let signal: EventFD
  private let state = Locked(State())

  /// How many jobs may be accepted and not yet taken.
  public let limit: Int

  /// Makes a port.
  ///
  /// - Throws: `EMFILE` at the limit of open files.
  public init(limit: Int = 256) throws(Errno) {
    signal = try EventFD()
    self.limit = limit
  }

  /// Readable while there are finished jobs; `take()` clears it.
  public var eventFD: Int32 { signal.rawValue }

  /// Jobs accepted and not yet taken.
  public var outstanding: Int { state.withLock { $0.outstanding } }

  /// Moves out all finished jobs, in the order in which they finished.
  public func take() -> [JobCompletion] {
    // Cleared before the look: what finishes in between signals again.
    signal.drain()
    return state.withLock { state in
      let taken = state.finished
      state.finished = []
      state.outstanding -= taken.count
      return taken
    }
  }

  /// Makes room for one more job; false where the limit is reached.
  func reserve() -> Bool {
    state.withLock { state in
      guard state.outstanding < limit else { return false }
      state.outstanding += 1
      return true
    }
  }

  /// Takes the room of a job back that was not accepted after all.
  func unreserve() { state.withLock { $0.outstanding -= 1 } }

  func post(_ completion: JobCompletion) {
    let isFirst = state.withLock { state in
      state.finished.append(completion)
      return state.finished.count == 1
    }
    // Whoever has not taken the one before was signalled for it.
    if isFirst { signal.signal() }
  }
}
