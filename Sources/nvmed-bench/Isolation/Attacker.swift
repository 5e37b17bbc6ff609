import Glibc
import LinuxIO
import NVMeHost
import NVMeSpec
import Synchronization

/// A guest that attacks, on a thread of its own, until it is stopped.
final class Attacker: Sendable {
  private final class Shared: Sendable {
    let stops = Atomic<Bool>(false)
    /// What it has done, in commands or messages.
    let count = Atomic<UInt64>(0)
    let failure = Locked<HostError?>(nil)
    let started: EventFD

    init() throws(Errno) { started = try EventFD() }

    var goesOn: Bool { !stops.load(ordering: .relaxed) }
    func note(_ count: UInt64) { self.count.add(count, ordering: .relaxed) }
  }

  private let shared: Shared
  private let thread: Thread

  /// Begins, and comes back when the attack is under way.
  init(_ attack: Attack, socket: String) throws(Errno) {
    let shared = try Shared()
    self.shared = shared
    thread = try Thread(name: "attacker") {
      // It gets the CPU time that nobody else wants: how CPUs are shared out is the kernel's affair, and not what is
      // measured.
      _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 19)
      do throws(HostError) { try Attacker.run(attack, socket, shared) } catch {
        shared.failure.withLock { $0 = error }
      }
      shared.started.signal()
    }
    shared.started.wait()
  }

  /// How much it has done so far.
  var count: UInt64 { shared.count.load(ordering: .relaxed) }

  /// Ends it.
  ///
  /// - Throws: what kept it from attacking.
  func stop() throws {
    shared.stops.store(true, ordering: .relaxed)
    thread.join()
    if let failure = shared.failure.withLock({ $0 }) { throw BenchFailure(failure, socket: "the attacker") }
  }

  // MARK: Attacks

  private static func run(_ attack: Attack, _ socket: String, _ shared: Shared) throws(HostError) {
    if attack == .connections {
      shared.started.signal()
      while shared.goesOn {
        let host = try HostController(path: socket, memory: try HostMemory(byteCount: 1 << 20))
        host.disconnect()
        shared.note(1)
      }
      return
    }
    let host = try HostController(
      path: socket, memory: try HostMemory(byteCount: 16 << 20), options: HostOptions(doorbells: .slots, vectors: 2))
    try host.initialize(queues: 16)
    defer { host.disconnect() }
    switch attack {
    case .flood, .limited: try flood(host, queues: 16, depth: 128, try reads(host, blocks: 8), shared)
    case .transfers:
      let blocks = min(host.maximumTransferByteCount ?? 1 << 20, 1 << 20) / 512
      try flood(host, queues: 1, depth: 32, try reads(host, blocks: blocks), shared)
    case .bounced: try flood(host, queues: 1, depth: 128, try reads(host, blocks: 64, offset: 4), shared)
    case .failures: try flood(host, queues: 4, depth: 128, try failures(host), mayFail: true, shared)
    case .zeroes: try flood(host, queues: 1, depth: 32, try zeroes(host), shared)
    case .doorbells: try doorbells(host, shared)
    case .admin: try admin(host, shared)
    case .registers:
      shared.started.signal()
      while shared.goesOn {
        _ = try host.status()
        shared.note(1)
      }
    case .maps: try maps(host, shared)
    case .resets: try resets(host, shared)
    case .connections: break
    }
  }

  private static func flood(
    _ host: HostController, queues: Int, depth: Int, _ commands: [SubmissionQueueEntry], mayFail: Bool = false,
    _ shared: Shared
  ) throws(HostError) {
    var flood = try QueueFlood(host, queues: queues, depth: depth, commands)
    shared.note(flood.round())
    shared.started.signal()
    while shared.goesOn { shared.note(flood.round()) }
    guard mayFail || flood.failureCount == 0 else { throw .missing("success of the attack's commands") }
  }

  private static func read(
    _ host: HostController, blocks: Int, offset: Int = 0
  ) throws(HostError) -> SubmissionQueueEntry {
    let data = try host.memory.allocate(blocks * 512 + offset)
    var command = SubmissionQueueEntry.io(.read, nsid: 1, slba: 0, blocks: blocks)
    try PRPBuilder.pointer(to: [data[offset..<data.count]]).apply(to: &command)
    return command
  }

  /// Reads of places all over the namespace: a device may serve one block that is read again and again before all others.
  private static func reads(
    _ host: HostController, blocks: Int, offset: Int = 0
  ) throws(HostError) -> [SubmissionQueueEntry] {
    let command = try read(host, blocks: blocks, offset: offset)
    let places = try host.namespace(1).blockCount / UInt64(blocks)
    var random = XorShift(seed: 1)
    return (0..<1024).map { _ in
      var command = command
      command.slba = random.next() % max(places, 1) * UInt64(blocks)
      return command
    }
  }

  private static func failures(_ host: HostController) throws(HostError) -> [SubmissionQueueEntry] {
    var commands = [SubmissionQueueEntry](repeating: try read(host, blocks: 8), count: 4)
    commands[0].opcode = 0x7F
    commands[1].namespaceIdentifier = 77
    commands[2].slba = .max
    commands[3].prp1 = 0
    return commands
  }

  private static func zeroes(_ host: HostController) throws(HostError) -> [SubmissionQueueEntry] {
    let blocks = min(try host.namespace(1).blockCount, 65_536)
    let data = try host.memory.allocate(4096)
    for index in 0..<DatasetManagementRange.maximumCount {
      let part = blocks / UInt64(DatasetManagementRange.maximumCount)
      data.store(
        DatasetManagementRange(length: UInt32(part), slba: UInt64(index) * part),
        at: index * DatasetManagementRange.byteCount)
    }
    var deallocate = SubmissionQueueEntry.deallocate(nsid: 1, ranges: DatasetManagementRange.maximumCount)
    try PRPBuilder.pointer(to: [data]).apply(to: &deallocate)
    return [.io(.writeZeroes, nsid: 1, slba: 0, blocks: Int(blocks)), deallocate]
  }

  private static func doorbells(_ host: HostController, _ shared: Shared) throws(HostError) {
    let queue = try host.createQueue(1, depth: 64, vector: 1)
    let (tail, head) = (queue.submissionQueues[0].doorbell, queue.completionQueue.doorbell)
    shared.started.signal()
    while shared.goesOn {
      // The same again, beyond the queue, and of a completion queue that is empty.
      for value in [0, 0, 0, 0xFFFF] as [UInt32] { tail.ring(value) }
      head.ring(7)
      shared.note(5)
    }
  }

  private static func admin(_ host: HostController, _ shared: Shared) throws(HostError) {
    let data = try host.memory.allocate(4096)
    var command = SubmissionQueueEntry.identify(cns: 1)
    try PRPBuilder.pointer(to: [data]).apply(to: &command)
    shared.started.signal()
    while shared.goesOn {
      let count = try host.withAdminQueue { (queue) throws(HostError) in
        var count: UInt64 = 0
        while queue.submit(command) != nil {}
        queue.ring()
        _ = try queue.awaitCompletion()
        count += 1
        while queue.nextCompletion() != nil { count += 1 }
        queue.acknowledge()
        return count
      }
      shared.note(count)
    }
  }

  private static func maps(_ host: HostController, _ shared: Shared) throws(HostError) {
    let page = UInt64(HostMemory.pageSize)
    func range(_ index: UInt64) -> DMARange {
      DMARange(iova: 1 << 40 | index * 2 * page, fileOffset: index % 2048 * page, byteCount: page)
    }
    // Thousands stay, as each change then has more to look at.
    let standing: UInt64 = 8192
    for index in 0..<standing { try host.map(range(index * 2)) }
    shared.started.signal()
    var index: UInt64 = 0
    while shared.goesOn {
      let place = index % standing * 2 + 1
      try host.map(range(place))
      try host.unmap(range(place))
      index += 1
      shared.note(2)
    }
  }

  private static func resets(_ host: HostController, _ shared: Shared) throws(HostError) {
    let command = try read(host, blocks: 8)
    shared.started.signal()
    while shared.goesOn {
      var queues: [HostQueueMemory] = []
      for identifier in 1...4 as ClosedRange<UInt16> {
        var queue = try host.createQueue(identifier, depth: 64, vector: 1)
        while queue.submit(command) != nil {}
        queue.ring()
        queues.append(queue.memory)
      }
      try host.disable()
      for memory in queues {
        for buffer in memory.submissionQueues + [memory.completionQueue] { host.memory.free(buffer) }
      }
      try host.enable()
      _ = try host.setNumberOfQueues(16)
      shared.note(1)
    }
  }
}
