import LinuxIO

/// A few threads that do what would block an I/O thread: flushing, zeroing and deallocating.
///
/// Jobs take turns: after a number of steps a job goes to the end of the queue, so that a discard of terabytes does not
/// hold up another guest's flush for longer than those steps take. Any thread.
public final class WorkerPool: Sendable {
  private let queue = WorkQueue()
  private let threads: Locked<[Thread]>

  /// Starts the threads.
  ///
  /// - Parameters:
  ///   - count: how many, at least one.
  ///   - cpus: the CPUs they may run on; empty: those of the process.
  /// - Throws: the error of `pthread_create(3)` or `mmap(2)`.
  public init(threads count: Int = 2, cpus: [Int32] = []) throws(Errno) {
    let zeros = try ZeroBuffer()
    var started: [Thread] = []
    do {
      for index in 0..<max(1, count) {
        started.append(
          try Thread(name: "nvmed-worker-\(index)", cpus: cpus) { [queue] in queue.work(zeros: zeros) })
      }
    } catch {
      queue.stop(threads: started.count)
      for thread in started { thread.join() }
      throw error
    }
    threads = Locked(started)
  }

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
  public func stop() {
    let running = threads.withLock { threads in
      let running = threads
      threads = []
      return running
    }
    queue.stop(threads: running.count)
    for thread in running { thread.join() }
  }
}
