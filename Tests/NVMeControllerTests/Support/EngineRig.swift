import Doorbells
import GuestMemory
import LinuxIO
import NVMeSpec
import Storage
import Testing

@testable import NVMeController

/// An engine with several controllers, on the thread of the test: what is served in a round can be counted.
///
/// Each controller has a namespace, and queue pairs of 256 entries.
struct EngineRig: ~Copyable {
  static let iova: UInt64 = 0x10_0000
  static let queueSize = 256
  private static let submissionBytes = queueSize * SubmissionQueueEntry.byteCount
  private static let pairBytes = submissionBytes + queueSize * CompletionQueueEntry.byteCount
  /// Bytes for the data of a controller's commands.
  static let dataBytes = 4 << 20

  /// A queue pair as its guest sees it.
  private struct Pair {
    let tail: SharedWord
    let head: SharedWord
    var submitted = 0
    var completed = 0
  }

  var engine: IOEngine
  private let memory: MemoryMapping
  private let interrupt: EventFD
  private var pairs: [[Pair]] = []
  private let queueBytes: Int

  /// An engine with controllers of so many queue pairs each, on a namespace with blocks of 512 bytes.
  static func make(
    queues: [Int], _ backend: Backend, blockCount: UInt64, alignmentMask: UInt = 0, maximumTransfer: Int = 1 << 20
  ) throws -> EngineRig {
    let engine = try IOEngine(
      handle: try IOThreadHandle(portCount: queues.count), requestCount: 1024, maximumTransfer: maximumTransfer,
      portCount: queues.count, spinLimit: 0, sleepLimit: 1, workers: try WorkerPool(threads: 1))
    let queueBytes = (queues.max() ?? 0) * EngineRig.pairBytes
    let memory = try MemoryMapping(anonymous: queues.count * (queueBytes + EngineRig.dataBytes))
    var rig = EngineRig(engine, memory, try EventFD(), queueBytes)
    var namespace = NamespaceGeometry()
    namespace.isActive = true
    namespace.isReadOnly = false
    namespace.backend = backend
    namespace.blockShift = 9
    namespace.blockCount = blockCount
    namespace.alignmentMask = alignmentMask
    for (port, count) in queues.enumerated() {
      try rig.attach(port, queues: count, namespace, maximumTransfer)
    }
    return rig
  }

  private init(
    _ engine: consuming IOEngine, _ memory: consuming MemoryMapping, _ interrupt: consuming EventFD, _ queueBytes: Int
  ) {
    self.engine = engine
    self.memory = memory
    self.interrupt = interrupt
    self.queueBytes = queueBytes
  }

  private mutating func attach(
    _ port: Int, queues count: Int, _ namespace: NamespaceGeometry, _ maximumTransfer: Int
  ) throws {
    let description = PortDescription(
      slots: try DoorbellSlots(), events: try DoorbellEvents(), adminEvent: try EventFD(), isPolled: false,
      mailbox: try Mailbox(), counters: try PortCounters(), errorLog: ErrorLog(), interest: CompletionInterest(),
      lane: 0, laneCount: 1, firstLane: 0, maximumTransfer: UInt64(maximumTransfer), queueCount: count,
      vectorCount: 1, namespaceCount: 1)
    engine.perform(.attach(port: port, description))
    engine.perform(
      .map(
        port: port,
        MemoryRegion(
          iova: EngineRig.iova, size: UInt64(queueBytes + EngineRig.dataBytes), host: host(port, EngineRig.iova),
          access: [.read, .write]), token: 0))
    engine.perform(.setVector(port: port, vector: 0, descriptor: interrupt.rawValue, token: 0))
    engine.ports[port].namespaces[0] = namespace
    var made: [Pair] = []
    for queue in 0..<count {
      let identifier = UInt16(queue + 1)
      let iova = EngineRig.iova + UInt64(queue * EngineRig.pairBytes)
      let tail = try #require(description.slots.submissionQueueTail(identifier))
      let head = try #require(description.slots.completionQueueHead(identifier))
      engine.perform(
        .createCompletionQueue(
          port: port,
          CompletionQueueDescription(
            identifier: identifier, size: EngineRig.queueSize, iova: iova + UInt64(EngineRig.submissionBytes),
            interruptVector: 0, doorbell: QueueDoorbell(head))))
      engine.perform(
        .createSubmissionQueue(
          port: port,
          SubmissionQueueDescription(
            identifier: identifier, completionQueue: identifier, size: EngineRig.queueSize, iova: iova,
            doorbell: QueueDoorbell(tail))))
      made.append(Pair(tail: tail, head: head))
    }
    pairs.append(made)
  }

  /// Where the data of every controller's commands may lie.
  var data: UInt64 { EngineRig.iova + UInt64(queueBytes) }

  /// Where the memory of a controller lies here.
  private func host(_ port: Int, _ iova: UInt64) -> UnsafeMutableRawPointer {
    memory.base + port * (queueBytes + EngineRig.dataBytes) + Int(iova - EngineRig.iova)
  }

  /// Commands of a queue without a completion.
  func inFlight(_ port: Int, _ queue: Int = 0) -> Int { pairs[port][queue].submitted - pairs[port][queue].completed }

  /// Commands of a controller that have completed.
  func completed(_ port: Int) -> Int { pairs[port].reduce(0) { $0 + $1.completed } }

  /// Commands of a queue that have completed.
  func completed(_ port: Int, _ queue: Int) -> Int { pairs[port][queue].completed }

  /// A read from block 0 of `byteCount` bytes, to the beginning of the data; its list comes at the end of it.
  func longRead(_ byteCount: Int) -> SubmissionQueueEntry {
    let list = data + UInt64(EngineRig.dataBytes - 4096)
    for port in pairs.indices {
      for page in 1..<byteCount / 4096 {
        host(port, list).storeBytes(of: data + UInt64(page * 4096), toByteOffset: page * 8 - 8, as: UInt64.self)
      }
    }
    var command = SubmissionQueueEntry()
    command.opcode = NVMOpcode.read.rawValue
    command.namespaceIdentifier = 1
    command.numberOfLogicalBlocks = UInt32(byteCount / 512)
    command.prp1 = data
    command.prp2 = list
    return command
  }

  /// Submits so many commands, and rings.
  mutating func submit(_ command: SubmissionQueueEntry, count: Int = 1, _ port: Int, _ queue: Int = 0) {
    guard count > 0 else { return }
    for _ in 0..<count {
      let place = pairs[port][queue].submitted % EngineRig.queueSize
      var entry = command
      entry.commandIdentifier = UInt16(place)
      host(port, EngineRig.iova + UInt64(queue * EngineRig.pairBytes))
        .storeBytes(of: entry, toByteOffset: place * SubmissionQueueEntry.byteCount, as: SubmissionQueueEntry.self)
      pairs[port][queue].submitted += 1
    }
    pairs[port][queue].tail.store(UInt32(pairs[port][queue].submitted % EngineRig.queueSize))
    engine.announce(port: port)
  }

  /// Has every queue of a controller full.
  mutating func fill(_ command: SubmissionQueueEntry, _ port: Int) {
    for queue in pairs[port].indices {
      submit(command, count: EngineRig.queueSize - 1 - inFlight(port, queue), port, queue)
    }
  }

  /// A round, after which guests take their completions and make room for others.
  ///
  /// - Returns: whether there is something left to do.
  @discardableResult
  mutating func round() -> Bool {
    let pause = engine.round()
    for port in pairs.indices {
      for queue in pairs[port].indices { take(port, queue) }
    }
    return pause == .none
  }

  private mutating func take(_ port: Int, _ queue: Int) {
    let entries =
      host(port, EngineRig.iova + UInt64(queue * EngineRig.pairBytes + EngineRig.submissionBytes))
    while true {
      let completed = pairs[port][queue].completed
      let place = completed % EngineRig.queueSize
      let word = entries.load(fromByteOffset: place * CompletionQueueEntry.byteCount + 14, as: UInt16.self)
      guard word & 1 == UInt16(1 - completed / EngineRig.queueSize % 2) else { break }
      #expect(word >> 1 == 0, "status of a command of controller \(port)")
      pairs[port][queue].completed += 1
    }
    pairs[port][queue].head.store(UInt32(pairs[port][queue].completed % EngineRig.queueSize))
  }
}
