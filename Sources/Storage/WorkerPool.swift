import LinuxIO

/// A few threads that do what would block an I/O thread: flushing, zeroing and deallocating.
///
/// Jobs take turns: after a number of steps a job goes to the end of the queue, so that a discard of terabytes does not
/// hold up another guest's flush for longer than those steps take. An image has one thread at a time, and there is always
/// one more than images are worked for, so that a disk that does not answer holds up its own jobs alone. Any thread.
public final class WorkerPool: Sendable {
  private let queue: WorkQueue

  /// Starts the threads.
  ///
  /// - Parameters:
  ///   - count: how many at first, at least one.
  ///   - cpus: the CPUs they may run on; empty: those of the process.
  /// - Throws: the error of `pthread_create(3)` or `mmap(2)`.
  public init(threads count: Int = 2, cpus: [Int32] = []) throws(Errno) {
    queue = try WorkQueue(cpus: cpus)
    do { try queue.start(max(1, count)) } catch {
      queue.stop()
      throw error
    }
  }

  /// A pool without threads: jobs are done when `work` is called, in the thread that calls it. For fuzzing.
  ///
  /// - Throws: the error of `mmap(2)`.
  package static func inline() throws(Errno) -> WorkerPool { WorkerPool(try WorkQueue(cpus: [], isInline: true)) }

  private init(_ queue: WorkQueue) { self.queue = queue }

  /// Does all jobs of a pool without threads.
  ///
  /// - Returns: whether there were any.
  package func work() -> Bool { queue.workInline() }

  deinit { stop() }

  /// Gives a job to the workers; its completion arrives at `port`.
  ///
  /// - Returns: false where the port has its limit of jobs outstanding, or the pool is stopped: nothing will arrive.
  public func submit(_ job: StorageJob, to port: CompletionPort) -> Bool {
    guard port.reserve() else { return false }
    if queue.add(WorkQueue.Entry(port: port, job: job)) { return true }
    port.unreserve()
    return false
  }

  /// Stops the workers and waits for them: for the end of the system calls they are in.
  ///
  /// Every job that was accepted still has its completion: those not finished fail with `ECANCELED`. Not to be called
  /// by a worker; a second call does nothing.
  public func stop() { queue.stop() }
}
