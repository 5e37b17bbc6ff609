import LinuxIO
import NVMeController
import Storage

/// Real I/O threads and workers, as the daemon runs them; they end with it. Their controllers are detached by then.
final class IOThreads {
  let handles: [IOThreadHandle]
  let workers: WorkerPool
  private let threads: [Thread]

  struct Options {
    var threads = 1
    /// Commands in flight at most.
    var requests = 256
    var maximumTransfer = 128 << 10
    var controllers = 4
    /// ns that a thread looks on for work after work; 0: it sleeps at once, and is woken by events alone.
    var spinLimit: UInt64 = 0
    var workers = 2
  }

  private final class Report: Sendable {
    let ready: EventFD
    let failure = Locked<IOEngineError?>(nil)
    init() throws(Errno) { ready = try EventFD() }
  }

  init(_ options: Options = Options()) throws {
    let workers = try WorkerPool(threads: options.workers)
    var handles: [IOThreadHandle] = []
    var threads: [Thread] = []
    for index in 0..<options.threads {
      let report = try Report()
      let handle = try IOThreadHandle(portCount: options.controllers)
      let thread = try Thread(name: "test-io\(index)") {
        do throws(IOEngineError) {
          var engine = try IOEngine(
            handle: handle, requestCount: options.requests, maximumTransfer: options.maximumTransfer,
            portCount: options.controllers, spinLimit: options.spinLimit, sleepLimit: 100_000, workers: workers)
          report.ready.signal()
          engine.run()
        } catch {
          report.failure.withLock { $0 = error }
          report.ready.signal()
        }
      }
      report.ready.wait()
      handles.append(handle)
      threads.append(thread)
      if let failure = report.failure.withLock({ $0 }) { throw failure }
    }
    self.handles = handles
    self.threads = threads
    self.workers = workers
  }

  deinit {
    for handle in handles { handle.stop() }
    for thread in threads { thread.join() }
    workers.stop()
  }
}
