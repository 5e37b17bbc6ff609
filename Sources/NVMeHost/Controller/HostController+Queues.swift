import LinuxIO
import NVMeSpec

/// Making queues and taking them away.
extension HostController {
  /// The admin queue, with vector 0 where there are interrupts. It always has the same memory, as in Linux.
  func makeAdminQueue() throws(HostError) -> HostQueue {
    let size = options.adminQueueSize
    guard (2...4096).contains(size) else { throw .invalidArgument("an admin queue has 2 to 4096 entries") }
    let memory = if let adminMemory { adminMemory } else { try allocateQueueMemory(size, [size]) }
    adminMemory = memory
    memory.completionQueue.fill(0)
    return try makeQueue(
      completionQueue: 0, completionQueueSize: size, submissionQueues: [0], submissionQueueSize: size,
      vector: vectors.isEmpty ? nil : 0, commands: size - 1, memory: memory)
  }

  /// Creates a completion queue and a submission queue of the same identifier.
  ///
  /// - Parameters:
  ///   - identifier: 1 to 65,535.
  ///   - depth: entries of each, 2 to 65,536.
  ///   - vector: the interrupt; nil: completions are polled.
  /// - Throws: `failed` with the status of the command that failed, and any other.
  public func createQueue(_ identifier: UInt16, depth: Int, vector: UInt16? = nil) throws(HostError) -> HostQueue {
    try createQueue(
      completionQueue: identifier, completionQueueSize: depth, submissionQueues: [identifier],
      submissionQueueSize: depth, vector: vector)
  }

  /// Creates a completion queue and the submission queues that feed it.
  ///
  /// - Parameters:
  ///   - completionQueue: its identifier.
  ///   - completionQueueSize: its entries, 2 to 65,536.
  ///   - submissionQueues: their identifiers.
  ///   - submissionQueueSize: the entries of each, 2 to 65,536.
  ///   - vector: the interrupt; nil: completions are polled.
  ///   - commands: the most commands of each submission queue in flight; nil: one less than its entries.
  /// - Throws: `failed` with the status of the command that failed, and any other.
  public func createQueue(
    completionQueue: UInt16, completionQueueSize: Int, submissionQueues: [UInt16], submissionQueueSize: Int,
    vector: UInt16? = nil, commands: Int? = nil
  ) throws(HostError) -> HostQueue {
    let memory = try allocateQueueMemory(
      completionQueueSize, submissionQueues.map { _ in submissionQueueSize })
    let queue = try makeQueue(
      completionQueue: completionQueue, completionQueueSize: completionQueueSize, submissionQueues: submissionQueues,
      submissionQueueSize: submissionQueueSize, vector: vector, commands: commands ?? submissionQueueSize - 1,
      memory: memory)
    try requireSuccess(
      admin(
        .createCompletionQueue(
          completionQueue, size: completionQueueSize, iova: memory.completionQueue.iova, vector: vector)))
    for index in 0..<submissionQueues.count {
      try requireSuccess(
        admin(
          .createSubmissionQueue(
            submissionQueues[index], size: submissionQueueSize, iova: memory.submissionQueues[index].iova,
            completionQueue: completionQueue)))
    }
    return queue
  }

  /// The memory of a completion queue and of submission queues, each of so many entries.
  ///
  /// - Throws: `outOfMemory`.
  public func allocateQueueMemory(_ completionQueueSize: Int, _ submissionQueueSizes: [Int]) throws(HostError)
    -> HostQueueMemory
  {
    var submissionQueues: [HostBuffer] = []
    for size in submissionQueueSizes {
      submissionQueues.append(try memory.allocate(size * SubmissionQueueEntry.byteCount))
    }
    return HostQueueMemory(
      completionQueue: try memory.allocate(completionQueueSize * CompletionQueueEntry.byteCount),
      submissionQueues: submissionQueues)
  }

  /// The host's side of queues, whether the controller has been told of them or not; parameters as for `createQueue`.
  ///
  /// - Parameters:
  ///   - completionQueue: its identifier.
  ///   - completionQueueSize: its entries.
  ///   - submissionQueues: the identifiers of those that feed it.
  ///   - submissionQueueSize: their entries.
  ///   - vector: its MSI-X vector; nil where it is polled.
  ///   - commands: the most in flight.
  ///   - memory: for the completion queue, zeros as a rule, and for each of the submission queues.
  /// - Throws: `missing`, `invalidArgument`, `system`.
  public func makeQueue(
    completionQueue: UInt16, completionQueueSize: Int, submissionQueues: [UInt16], submissionQueueSize: Int,
    vector: UInt16? = nil, commands: Int, memory: HostQueueMemory
  ) throws(HostError) -> HostQueue {
    guard (2...65_536).contains(completionQueueSize), (2...65_536).contains(submissionQueueSize),
      memory.submissionQueues.count == submissionQueues.count
    else { throw .invalidArgument("a queue has 2 to 65,536 entries, and memory") }
    let waiter = try waiter(for: vector)
    return HostQueue(
      completionQueue: HostCompletionQueue(
        identifier: completionQueue, size: completionQueueSize, memory: memory.completionQueue,
        doorbell: completionQueueHeadDoorbell(completionQueue), waiter: waiter),
      submissionQueues: FixedTable(count: submissionQueues.count) {
        HostSubmissionQueue(
          identifier: submissionQueues[$0], size: submissionQueueSize, memory: memory.submissionQueues[$0],
          doorbell: submissionQueueTailDoorbell(submissionQueues[$0]), commands: commands)
      },
      timeout: options.commandTimeout)
  }

  /// Deletes the submission queues, then the completion queue; their memory is free again.
  ///
  /// - Throws: `failed` with the status of the command that failed, and any other.
  public func deleteQueue(_ queue: consuming HostQueue) throws(HostError) {
    for index in 0..<queue.submissionQueues.count {
      try requireSuccess(admin(.deleteSubmissionQueue(queue.submissionQueues[index].identifier)))
    }
    try requireSuccess(admin(.deleteCompletionQueue(queue.completionQueue.identifier)))
    for buffer in queue.memory.submissionQueues + [queue.memory.completionQueue] { memory.free(buffer) }
  }
}
