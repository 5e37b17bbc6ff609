import LinuxIO

/// The jobs of a pool, and what its threads do with them.
final class WorkQueue: Sendable {
  struct Entry: Sendable {
    let port: CompletionPort
    let job: StorageJob
    var execution: JobExecution

    init(port: CompletionPort, job: StorageJob) {
      self.port = port
      self.job = job
      execution = JobExecution(job)
    }
  }

  private struct State {
    /// Those waiting, in order; the first `taken` places are empty.
    var entries: [Entry?] = []
    var taken = 0
    var isStopped = false
  }

  /// Steps that a job makes before others have their turn.
  static let stepsPerTurn = 16

  private let state = Locked(State())
  /// Counts entries, and one per thread when stopped.
  private let available = Semaphore()

  /// Adds an entry at the end; false where the queue is stopped.
  func add(_ entry: Entry) -> Bool {
    let added = state.withLock { state in
      if state.isStopped { return false }
      state.entries.append(entry)
      return true
    }
    if added { available.signal() }
    return added
  }

  /// Refuses entries from now on, cancels those waiting, and lets `threads` threads end.
  func stop(threads: Int) {
    let waiting = state.withLock { state in
      state.isStopped = true
      let waiting = state.entries[state.taken...].compactMap { $0 }
      state.entries = []
      state.taken = 0
      return waiting
    }
    for entry in waiting { WorkQueue.cancel(entry) }
    for _ in 0..<threads { available.signal() }
  }

  /// The body of a worker thread.
  func work(zeros: ZeroBuffer) {
    while true {
      available.wait()
      // A count without an entry is left of an entry that `stop` cancelled, or is the thread's own.
      guard var entry = next() else {
        if isStopped { return }
        continue
      }
      guard let error = run(&entry, zeros) else {
        if !add(entry) { WorkQueue.cancel(entry) }
        continue
      }
      let (port, token) = (entry.port, entry.job.token)
      // Who is told of the end may be about to close the image, and then has the last reference to it.
      _ = consume entry
      port.post(JobCompletion(token: token, error: error.error))
    }
  }

  /// The end of a job; its error is nil where it went well.
  private struct End {
    let error: Errno?
  }

  /// Makes the steps of one turn; nil where the job is not finished after them.
  private func run(_ entry: inout Entry, _ zeros: ZeroBuffer) -> End? {
    for _ in 0..<WorkQueue.stepsPerTurn {
      if isStopped { return End(error: .canceled) }
      if case .finished(let error) = unsafe entry.execution.step(zeros: zeros.base) { return End(error: error) }
    }
    return nil
  }

  private var isStopped: Bool { state.withLock { $0.isStopped } }

  private func next() -> Entry? {
    state.withLock { state in
      guard state.taken < state.entries.count else { return nil }
      let entry = state.entries[state.taken]
      state.entries[state.taken] = nil
      state.taken += 1
      if state.taken * 2 >= state.entries.count {
        state.entries.removeFirst(state.taken)
        state.taken = 0
      }
      return entry
    }
  }

  private static func cancel(_ entry: Entry) {
    entry.port.post(JobCompletion(token: entry.job.token, error: .canceled))
  }
}
