import GuestMemory
import LinuxIO
import NVMeController
import Storage

/// The I/O threads of the process, with the workers for what blocks. Every controller uses all of them.
public final class IOThreadPool: Sendable {
  /// How many threads, and what they are made for.
  public struct Options: Sendable {
    /// I/O threads, at least one.
    public var threads = 1
    /// CPUs: the first thread runs on the first, and so on, from the beginning again; empty: any.
    public var cpus: [Int32] = []
    /// Commands in flight on one thread at most.
    public var requests = 1024
    /// Bytes of one command at most: the largest MDTS of any controller.
    public var maximumTransfer = 512 << 10
    /// Controllers at most.
    public var controllers = 256
    /// Worker threads.
    public var workers = 2
    /// ns that a thread looks on for work after work, at most; 0: it sleeps at once.
    public var spinLimit: UInt64 = 20_000
    /// ns that the first command of an idle polled controller waits, at most.
    public var sleepLimit: UInt64 = 1_000_000

    /// The defaults.
    public init() {}
  }

  /// How controllers reach the threads.
  public let handles: [IOThreadHandle]
  /// Who does what blocks.
  public let workers: WorkerPool
  /// What they were made for.
  public let options: Options
  private let threads: [Thread]

  private init(_ options: Options, _ handles: [IOThreadHandle], _ threads: [Thread], _ workers: WorkerPool) {
    self.options = options
    self.handles = handles
    self.threads = threads
    self.workers = workers
  }

  /// A pool of one I/O thread that is not a thread: who makes it runs the engine.
  convenience init(inline handle: IOThreadHandle, workers: WorkerPool, options: Options) {
    self.init(options, [handle], [], workers)
  }

  /// Starts the threads.
  ///
  /// - Throws: the reason why one could not start; those that could are ended.
  public static func start(_ options: Options) throws(IOEngineError) -> IOThreadPool {
    // Read from `/proc/sys`, which a sandbox hides later.
    _ = MappingBudget.process
    let workers: WorkerPool
    do throws(Errno) { workers = try WorkerPool(threads: options.workers) } catch { throw .system(error) }
    var handles: [IOThreadHandle] = []
    var threads: [Thread] = []
    for index in 0..<max(options.threads, 1) {
      do throws(IOEngineError) {
        let (handle, thread) = try startThread(index, options, workers)
        handles.append(handle)
        threads.append(thread)
      } catch {
        IOThreadPool(options, handles, threads, workers).stop()
        throw error
      }
    }
    return IOThreadPool(options, handles, threads, workers)
  }

  /// What a starting thread tells the one that starts it.
  private final class Report: Sendable {
    let ready: EventFD
    let failure = Locked<IOEngineError?>(nil)
    init() throws(Errno) { ready = try EventFD() }
  }

  private static func startThread(
    _ index: Int, _ options: Options, _ workers: WorkerPool
  ) throws(IOEngineError) -> (IOThreadHandle, Thread) {
    let report: Report
    let handle: IOThreadHandle
    let thread: Thread
    do throws(Errno) {
      let made = try Report()
      let reached = try IOThreadHandle(portCount: options.controllers)
      let cpus = options.cpus.isEmpty ? [] : [options.cpus[index % options.cpus.count]]
      thread = try Thread(name: "nvmed-io\(index)", cpus: cpus) {
        do throws(IOEngineError) {
          var engine = try IOEngine(
            handle: reached, requestCount: options.requests, maximumTransfer: options.maximumTransfer,
            portCount: options.controllers, spinLimit: options.spinLimit, sleepLimit: options.sleepLimit,
            workers: workers)
          made.ready.signal()
          WriteWatch.watched { engine.run() }
        } catch {
          made.failure.withLock { $0 = error }
          made.ready.signal()
        }
      }
      report = made
      handle = reached
    } catch { throw .system(error) }
    report.ready.wait()
    if let failure = report.failure.withLock({ $0 }) {
      thread.join()
      throw failure
    }
    return (handle, thread)
  }

  /// ns of CPU time that each thread has used, in their order.
  public var cpuTimes: [UInt64] { threads.map { $0.cpuTime } }

  /// What each thread has done, in their order.
  public var statistics: [IOThreadStatistics] { handles.map { $0.statistics } }

  /// Ends the threads. After every controller has been detached.
  public func stop() {
    for handle in handles { handle.stop() }
    for thread in threads { thread.join() }
    workers.stop()
  }
}
