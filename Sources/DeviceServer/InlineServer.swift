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

  /// What was asked of the control thread, and may be answered later.
  package struct Question {
    fileprivate let answer: Answer<Bool>

    /// The answer; nil while there is none.
    package var value: Bool? { answer.wait(milliseconds: 0) }
  }

  /// ms that workers have for a job.
  private static let jobPatience: Int32 = 10_000

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

  /// One turn of each thread.
  ///
  /// - Returns: whether anything happened.
  package func turn() -> Bool {
    let hadControl = loop?.turn(timeout: 0) ?? false
    let hadWork = engine.turn()
    if loop?.isOver == true { loop = nil }
    return hadControl || hadWork
  }

  /// Turns until nothing happens any more without something from outside. Workers, which have threads of their own, are
  /// awaited: what they do is done when this returns.
  ///
  /// - Parameter limit: turns at most.
  /// - Returns: whether it came to rest.
  package func settle(limit: Int = 100_000) -> Bool {
    for _ in 0..<limit {
      if turn() { continue }
      let ports = [engine.completions, loop?.device?.controller.workCompletions].compactMap { $0 }
      guard let port = ports.first(where: { $0.outstanding > 0 }) else { return true }
      guard EventFD.wait(rawValue: port.eventFD, timeout: InlineServer.jobPatience) else { return false }
    }
    return false
  }
}
