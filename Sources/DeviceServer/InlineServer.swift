import LinuxIO
import Logging
import NVMeController
import Storage

/// A device server whose control thread, I/O thread and workers are the caller's: it moves only when it is told to, and does the
/// same for the same input. For fuzzing.
///
/// One thread.
package final class InlineServer {
  /// What is served to the clients to come.
  package var options: DeviceOptions
  private let pool: IOThreadPool
  private var engine: IOEngine
  private var loop: ControlLoop?

  /// What was asked of the control thread, and may be answered later.
  package struct Question {
    fileprivate let answer: Answer<Bool>

    /// The answer; nil while there is none.
    package var value: Bool? { answer.wait(milliseconds: 0) }
  }

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
    poolOptions.requests = 64
    poolOptions.controllers = 2
    let handle: IOThreadHandle
    let workers: WorkerPool
    do throws(Errno) {
      handle = try IOThreadHandle(portCount: poolOptions.controllers)
      workers = try WorkerPool.inline()
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
    // A message waits for its effects as long as the caller lets it, however slow the machine is. Nobody asks what
    // clients have done that are gone, which takes long to add up.
    loop = try ControlLoop(
      pool: pool, start: start, logger: silent, counters: DeviceCounters(keepsPast: false), holdLimit: nil)
  }

  /// Whether a client is served.
  package var isServing: Bool { loop != nil }

  /// Puts a namespace at an identifier, or (nil) takes it away; see `DeviceServer.setNamespace`.
  ///
  /// - Throws: `EMFILE` at the limit of open files.
  package func setNamespace(_ identifier: UInt32, _ namespace: Namespace?) throws(Errno) -> Question {
    try ask { .setNamespace(identifier, namespace, $0) }
  }

  /// Asks for a moment without commands in flight; see `DeviceServer.drain`.
  ///
  /// - Throws: `EMFILE` at the limit of open files.
  package func drain() throws(Errno) -> Question { try ask { .drain($0) } }

  private func ask(_ request: (Answer<Bool>) -> ControlRequest) throws(Errno) -> Question {
    let answer = try Answer<Bool>()
    loop?.requests.post(request(answer))
    return Question(answer: answer)
  }

  /// One turn of each thread, and all jobs of the workers.
  ///
  /// - Returns: whether anything happened.
  package func turn() -> Bool {
    let hadControl = turnControl()
    let hadWork = engine.turn()
    let hadJobs = pool.workers.work()
    return hadControl || hadWork || hadJobs
  }

  /// One turn of the control thread.
  ///
  /// - Returns: whether anything happened.
  package func turnControl() -> Bool {
    let hadEvents = loop?.turn(timeout: 0) ?? false
    if loop?.isOver == true { loop = nil }
    return hadEvents
  }

  /// Why a client may still be served, for who did not expect it.
  package var diagnosis: String {
    let jobs = [engine.completions, loop?.device?.controller.workCompletions].map { $0?.outstanding ?? 0 }
    return "\(loop?.diagnosis ?? "no client"), jobs of the I/O thread: \(jobs[0]), of the control thread: \(jobs[1])"
  }

  /// Turns until nothing happens any more without something from outside.
  ///
  /// - Parameter limit: turns of a thread at most.
  /// - Returns: whether it came to rest.
  package func settle(limit: Int = 200_000) -> Bool {
    var isControl = true
    // Looks that found nothing, one after the other.
    var quiet = 0
    for _ in 0..<limit {
      quiet = (isControl ? turnControl() : engine.turn()) ? 0 : quiet + 1
      isControl.toggle()
      // Each thread has looked since one of them did something.
      guard quiet >= 2 else { continue }
      guard pool.workers.work() else { return true }
      quiet = 0
    }
    return false
  }
}
