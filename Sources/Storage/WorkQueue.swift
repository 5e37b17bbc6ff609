import LinuxIO

/// The jobs of a pool, and what its threads do with them.
///
/// One thread at a time works for an image, and as long as one does, another thread is there for the other images: a disk
/// that does not answer holds up nobody else's work. A flush is that of every flush of the image that waits when it
/// begins: what they are to make durable was written before.
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

    var image: ObjectIdentifier { ObjectIdentifier(job.image) }
    var isFlush: Bool { job.operation == .flush }
  }

  /// What a thread has taken to do.
  private struct Task {
    var entry: Entry
    /// Flushes that have the same end.
    var companions: [Entry]
  }

  private struct State {
    /// Those waiting, in order.
    var entries: [Entry] = []
    /// Images that a thread works for.
    var busy: Set<ObjectIdentifier> = []
    var threads: [Thread] = []
    var isStopped = false
  }

  /// Steps that a job makes before others have their turn.
  static let stepsPerTurn = 16
  /// Threads at most: with so many disks that do not answer, others wait for them.
  static let threadLimit = 64

  private let state = Locked(State())
  /// Counts entries, and one per thread when stopped.
  private let available = Semaphore()
  private let zeros: ZeroBuffer
  private let cpus: [Int32]
  /// Whether it has no threads: entries are worked for when somebody says so.
  private let isInline: Bool

  init(cpus: [Int32], isInline: Bool = false) throws(Errno) {
    zeros = try ZeroBuffer()
    self.cpus = cpus
    self.isInline = isInline
  }

  /// Starts so many threads.
  func start(_ count: Int) throws(Errno) {
    for _ in 0..<count { try state.withLock { (state) throws(Errno) in try startThread(&state) } }
  }

  private func startThread(_ state: inout State) throws(Errno) {
    state.threads.append(
      try Thread(name: "nvmed-worker-\(state.threads.count)", cpus: cpus) { [self] in work() })
  }

  /// Adds an entry at the end; false where the queue is stopped.
  func add(_ entry: Entry) -> Bool {
    let added = state.withLock { state in
      if state.isStopped { return false }
      state.entries.append(entry)
      return true
    }
    if added, !isInline { available.signal() }
    return added
  }

  /// Refuses entries from now on, cancels those waiting, and waits until the threads have ended.
  func stop() {
    let (waiting, threads) = state.withLock { state in
      defer {
        state.isStopped = true
        state.entries = []
        state.threads = []
      }
      return (state.entries, state.threads)
    }
    for entry in waiting { WorkQueue.cancel(entry) }
    for _ in threads { available.signal() }
    for thread in threads { thread.join() }
  }

  /// The body of a worker thread.
  private func work() {
    while !isStopped {
      // A count without an entry is left of an entry that another thread took between two waits, or of `stop`.
      while let task = next() { serve(task) }
      available.wait()
    }
  }

  /// Works for all entries, in the caller's thread.
  ///
  /// - Returns: whether there were any.
  func workInline() -> Bool {
    var worked = false
    while let entry = next() {
      serve(entry)
      worked = true
    }
    return worked
  }

  /// Works for a task for a while, and tells of its end or puts it back.
  private func serve(_ task: consuming Task) {
    let end = run(&task.entry)
    let image = task.entry.image
    guard let end else {
      release(image)
      if !add(task.entry) { WorkQueue.cancel(task.entry) }
      return
    }
    // Who is told of the end may be about to close the image, and then has the last reference to it.
    release(image)
    let told = ([task.entry] + task.companions).map { (port: $0.port, token: $0.job.token) }
    _ = consume task
    for (port, token) in told { port.post(JobCompletion(token: token, error: end.error)) }
  }

  /// The end of a job; its error is nil where it went well.
  private struct End {
    let error: Errno?
  }

  /// Makes the steps of one turn; nil where the job is not finished after them.
  private func run(_ entry: inout Entry) -> End? {
    for _ in 0..<WorkQueue.stepsPerTurn {
      if isStopped { return End(error: .canceled) }
      if case .finished(let error) = unsafe entry.execution.step(zeros: zeros.base) { return End(error: error) }
    }
    return nil
  }

  private var isStopped: Bool { state.withLock { $0.isStopped } }

  /// The first entry whose image no thread works for, which this one does from now on. Sees to it that there is a thread
  /// for the next one.
  private func next() -> Task? {
    state.withLock { state in
      guard let index = state.entries.firstIndex(where: { !state.busy.contains($0.image) }) else { return nil }
      let entry = state.entries.remove(at: index)
      state.busy.insert(entry.image)
      if !isInline, state.busy.count >= state.threads.count, state.threads.count < WorkQueue.threadLimit {
        // Without it the other images wait for those that are worked for.
        try? startThread(&state)
      }
      var task = Task(entry: entry, companions: [])
      guard entry.isFlush else { return task }
      let image = entry.image
      task.companions = state.entries.filter { $0.isFlush && $0.image == image }
      if !task.companions.isEmpty { state.entries.removeAll { $0.isFlush && $0.image == image } }
      return task
    }
  }

  /// No thread works for an image any more.
  private func release(_ image: ObjectIdentifier) { state.withLock { _ = $0.busy.remove(image) } }

  private static func cancel(_ entry: Entry) {
    entry.port.post(JobCompletion(token: entry.job.token, error: .canceled))
  }
}
