import Doorbells
import GuestMemory
import LinuxIO
import Storage

/// The I/O path alone: an engine with one controller, one queue pair and one namespace (identifiers 1), on the thread
/// that calls it. For benches that count its instructions.
///
/// It does not wait for events, and there is no control thread; all else is what an I/O thread does in a round.
package struct EngineHarness: ~Copyable {
  var engine: IOEngine
  let description: PortDescription
  private let queueSize: Int

  /// Most bytes of a command.
  package static var maximumTransfer: Int { 1 << 20 }

  /// An engine with a controller that has no memory and no queues.
  ///
  /// - Parameters:
  ///   - requestCount: commands in flight at most.
  ///   - queueSize: entries of each queue.
  /// - Throws: the reason, in words.
  package static func make(requestCount: Int, queueSize: Int) throws(IOEngineError) -> EngineHarness {
    let handle: IOThreadHandle
    let workers: WorkerPool
    let description: PortDescription
    do throws(Errno) {
      handle = try IOThreadHandle(portCount: 1)
      workers = try WorkerPool(threads: 1)
      description = PortDescription(
        slots: try DoorbellSlots(), events: try DoorbellEvents(), adminEvent: try EventFD(), isPolled: false,
        mailbox: try Mailbox(), counters: try PortCounters(), errorLog: ErrorLog(), interest: CompletionInterest(),
        lane: 0, laneCount: 1, firstLane: 0, maximumTransfer: UInt64(EngineHarness.maximumTransfer), queueCount: 1,
        vectorCount: 1, namespaceCount: 1)
    } catch { throw .system(error) }
    let engine = try IOEngine(
      handle: handle, requestCount: requestCount, maximumTransfer: EngineHarness.maximumTransfer, portCount: 1,
      spinLimit: 0, sleepLimit: 1, workers: workers)
    return EngineHarness(engine, description, queueSize)
  }

  private init(_ engine: consuming IOEngine, _ description: PortDescription, _ queueSize: Int) {
    self.engine = engine
    self.description = description
    self.queueSize = queueSize
    // What a round does must not depend on how long a call takes.
    self.engine.submissionTime = 1 << 62
    self.engine.perform(.attach(port: 0, description))
  }

  /// A range of guest memory is there. Its mapping outlives the harness.
  package mutating func map(_ region: MemoryRegion) { engine.perform(.map(port: 0, region, token: 0)) }

  /// What the namespace's blocks are kept in. A file's descriptor outlives the harness.
  ///
  /// - Parameters:
  ///   - blockShift: log2 of the LBA size.
  ///   - alignmentMask: guest addresses and lengths with one of these bits set need a bounce buffer.
  package mutating func setNamespace(
    _ backend: Backend, blockShift: UInt64, blockCount: UInt64, alignmentMask: UInt
  ) {
    var namespace = NamespaceGeometry()
    namespace.isActive = true
    namespace.isReadOnly = false
    namespace.backend = backend
    namespace.blockShift = blockShift
    namespace.blockCount = blockCount
    namespace.alignmentMask = alignmentMask
    namespace.writeAlignmentMask = alignmentMask
    engine.ports[0].namespaces[0] = namespace
  }

  /// Makes the queue pair, in memory that is mapped, with an interrupt for its completions.
  ///
  /// - Returns: its doorbells; nil where there are none.
  package mutating func createQueues(
    submission: UInt64, completion: UInt64, interrupt: Int32
  ) -> (tail: SharedWord, head: SharedWord)? {
    guard let tail = description.slots.submissionQueueTail(1), let head = description.slots.completionQueueHead(1)
    else { return nil }
    engine.perform(.setVector(port: 0, vector: 0, descriptor: interrupt, token: 0))
    engine.perform(
      .createCompletionQueue(
        port: 0,
        CompletionQueueDescription(
          identifier: 1, size: queueSize, iova: completion, interruptVector: 0, doorbell: QueueDoorbell(head))))
    engine.perform(
      .createSubmissionQueue(
        port: 0,
        SubmissionQueueDescription(
          identifier: 1, completionQueue: 1, size: queueSize, iova: submission, doorbell: QueueDoorbell(tail))))
    return (tail, head)
  }

  /// One round, after the event of the submission queue's doorbell.
  package mutating func round() {
    engine.announce(port: 0)
    _ = engine.round()
  }
}
