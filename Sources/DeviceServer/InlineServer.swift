import LinuxIO
import Logging
import NVMeController
import Storage

/// A device server whose control thread and I/O thread are the caller's: it moves only when it is told to, and does the
/// same for the same input. For fuzzing.
///
/// One thread.
package final class InlineServer {
  private let options: DeviceOptions
  private let pool: IOThreadPool
  private var engine: IOEngine
  private var loop: ControlLoop?

  private init(_ options: DeviceOptions, _ pool: IOThreadPool, _ engine: consuming IOEngine) {
    self.options = options
    self.pool = pool
    self.engine = engine
  }

  /// A server without a client.
  ///
  /// - Throws: the reason, in words.
  package static func make(_ options: DeviceOptions) throws(IOEngineError) -> InlineServer {
    var poolOptions = IOThreadPool.Options()
    poolOptions.spinLimit = 0
    poolOptions.requests = 128
    poolOptions.controllers = 2
    poolOptions.workers = 1
    let handle: IOThreadHandle
    let workers: WorkerPool
    do throws(Errno) {
      handle = try IOThreadHandle(portCount: poolOptions.controllers)
      workers = try WorkerPool(threads: poolOptions.workers)
    } catch { throw .system(error) }
    let engine = try IOEngine(
      handle: handle, requestCount: poolOptions.requests, maximumTransfer: poolOptions.maximumTransfer,
      portCount: poolOptions.controllers, spinLimit: 0, sleepLimit: 1, workers: workers)
    return InlineServer(options, IOThreadPool(inline: handle, workers: workers, options: poolOptions), engine)
  }

  /// Serves the client at the other end of a connected socket, after the one before has gone.
  ///
  /// - Throws: `EMFILE` at the limit of open files.
  package func serve(_ socket: consuming FileDescriptor) throws(Errno) {
    let start = ControlStart(options: options, endpoint: .connected(socket), requests: try Mailbox())
    let silent = Logger(label: options.name) { _ in SwiftLogNoOpLogHandler() }
    loop = try ControlLoop(pool: pool, start: start, logger: silent, counters: DeviceCounters())
  }

  /// Whether a client is served.
  package var isServing: Bool { loop != nil }

  /// One turn of each thread.
  ///
  /// - Parameter timeout: ms that the control thread may wait for an event.
  /// - Returns: whether anything happened.
  package func turn(timeout: Int32 = 0) -> Bool {
    let hadControl = loop?.turn(timeout: timeout) ?? false
    let hadWork = engine.turn()
    if loop?.isOver == true { loop = nil }
    return hadControl || hadWork
  }

  /// Turns until nothing happens any more without something from outside.
  ///
  /// - Parameter limit: turns at most.
  /// - Returns: whether it came to rest.
  package func settle(limit: Int = 100_000) -> Bool {
    var quiet = 0
    var turns = 0
    while quiet < 2 {
      turns += 1
      if turns > limit { return false }
      quiet = turn() ? 0 : quiet + 1
    }
    return true
  }
}
