import LinuxIO
import NVMeHost
import NVMeSpec

/// The controller and its admin queue, for several threads. Any thread.
final class StormController: Sendable {
  private let host: Locked<HostController>
  let connection: HostConnection
  let memory: HostMemory
  /// The vectors installed: 0 for the admin queue, the others for the threads.
  let vectors: [InterruptVector]

  /// Connects, and brings the controller up.
  ///
  /// - Throws: also where the namespace is not fit for it.
  init(_ bench: StormBench) throws {
    let memory = try HostMemory(byteCount: (bench.queues * 256 << 10) + (1 << 20))
    var options = HostOptions(doorbells: bench.doorbells.mechanism, vectors: bench.threads + 1)
    options.shadowDoorbells = bench.shadowDoorbells
    let host = try HostController(path: bench.socket, memory: memory, options: options)
    try host.initialize(queues: bench.queues)
    guard host.grantedQueues.submissionQueueCount >= bench.queues,
      host.grantedQueues.completionQueueCount >= bench.queues
    else { throw StormFailure("the controller does not grant \(bench.queues) queues") }
    let needed = UInt64(bench.queues * StormQueue.blockCount)
    let namespace = try host.namespace(bench.nsid)
    guard namespace.blockByteCount == StormBlock.byteCount, namespace.blockCount >= needed else {
      throw StormFailure("namespace \(bench.nsid) must have \(needed) blocks of \(StormBlock.byteCount) bytes")
    }
    connection = host.connection
    self.memory = memory
    vectors = host.vectors
    self.host = Locked(host)
  }

  /// Does something with it that no call here does.
  func with<Result>(_ body: (HostController) throws -> Result) throws -> Result where Result: Sendable {
    try host.withLock { try body($0) }
  }

  /// Creates a completion queue and a submission queue on it.
  func create(
    submission: UInt16, completion: UInt16, submissionSize: Int, completionSize: Int, vector: UInt16
  ) throws(HostError) -> HostQueue {
    try host.withLock { (host) throws(HostError) in
      try host.createQueue(
        completionQueue: completion, completionQueueSize: completionSize, submissionQueues: [submission],
        submissionQueueSize: submissionSize, vector: vector, commands: StormQueue.depth)
    }
  }

  /// Executes an admin command that has to succeed.
  func execute(_ command: SubmissionQueueEntry) throws(HostError) {
    try host.withLock { (host) throws(HostError) in _ = try host.requireSuccess(host.admin(command)) }
  }

  /// What the controller has counted: Host Read Commands and Host Write Commands.
  func executed() throws -> (reads: Int, writes: Int) {
    let bytes = try with { host in
      try host.getLogPage(.smartHealthInformation, byteCount: SMARTHealthLog.byteCount)
    }
    guard let log = SMARTHealthLog(decoding: bytes) else { throw StormFailure("the SMART log is too short") }
    return (Int(log.hostReadCommands), Int(log.hostWriteCommands))
  }
}
