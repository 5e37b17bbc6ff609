import LinuxIO
import NVMeHost
import NVMeSpec

/// A pair of queues over all its lives with one connection, and the commands in it. One thread at a time.
struct SoakQueue: ~Copyable, Sendable {
  /// Most bytes of data of one command.
  private static let dataByteCount = 64 << 10
  /// Bytes of the buffer of one command: its data may begin anywhere in the first page.
  private static let bufferByteCount = dataByteCount + 2 * HostMemory.pageSize
  /// Bytes of the buffers of all commands.
  static let buffersByteCount = SoakLane.depth * bufferByteCount

  private var queue: HostQueue
  private var tail: StormDoorbell
  private var head: StormDoorbell
  private var rungTail = 0
  private var rungHead = 0
  private let buffers: HostBuffer
  private let lists: HostBuffer
  private let presence: SoakPresence
  private let connection: HostConnection
  private var commands = FixedTable<SoakCommand>(count: SoakLane.depth) { _ in SoakCommand() }

  /// - Parameters:
  ///   - buffers: `buffersByteCount` bytes.
  ///   - lists: a page for the PRP list of each command.
  init(
    _ queue: consuming HostQueue, connection: HostConnection, buffers: HostBuffer, lists: HostBuffer,
    presence: SoakPresence
  ) {
    tail = StormDoorbell(queue.submissionQueues[0].doorbell, connection: connection)
    head = StormDoorbell(queue.completionQueue.doorbell, connection: connection)
    self.queue = queue
    self.connection = connection
    self.buffers = buffers
    self.lists = lists
    self.presence = presence
    StormBlock.poison(buffers)
  }

  /// Goes on with queues that were created; those before do not exist any more, and nothing is in flight.
  mutating func begin(_ next: consuming HostQueue) {
    tail = StormDoorbell(next.submissionQueues[0].doorbell, connection: connection)
    head = StormDoorbell(next.completionQueue.doorbell, connection: connection)
    rungTail = 0
    rungHead = 0
    queue = next
    StormBlock.poison(buffers)
  }

  var identifier: UInt16 { queue.identifier }
  var memory: HostQueueMemory { queue.memory }
  /// Whether a completion has come that was not taken.
  var hasCompletion: Bool { queue.completionQueue.hasEntry }

  /// Commands that have not completed.
  var inFlight: Int { queue.submissionQueues[0].inFlight }

  /// The identifiers of commands that have not completed.
  var identifiersInFlight: [Int] { (0..<SoakLane.depth).filter { commands[$0].isInFlight } }

  /// Those of them that no Abort has ended.
  var abortable: [Int] { identifiersInFlight.filter { commands[$0].abort != .isDone } }

  // MARK: Submission

  /// Writes at most `limit` commands at random; how many there was room for.
  mutating func submit(limit: Int, _ lane: inout SoakLane, _ random: inout XorShift) throws -> Int {
    var count = 0
    while count < limit, inFlight < SoakLane.depth, let identifier = queue.submissionQueues[0].reserve() {
      let doubtful = lane.ranges[Int(identifier)].doubtful
      let kind = doubtful == nil ? SoakQueue.kind(random.next() % 100) : .read
      let blocks =
        doubtful.map { $0.lowerBound..<min($0.upperBound, $0.lowerBound + 128) } ?? SoakQueue.blocks(kind, &random)
      try write(identifier, kind, blocks, &lane, &random)
      count += 1
    }
    return count
  }

  /// Writes reads of all blocks from `start` on in every range, as many blocks as a command has; the queue is empty.
  mutating func submitReads(from start: Int, _ lane: inout SoakLane, _ random: inout XorShift) throws {
    while inFlight < SoakLane.depth, let identifier = queue.submissionQueues[0].reserve() {
      try write(identifier, .read, start..<start + SoakQueue.dataByteCount / StormBlock.byteCount, &lane, &random)
    }
  }

  /// Where `submitReads` has to begin for every block to be read.
  static var readStarts: StrideTo<Int> {
    stride(from: 0, to: SoakRange.blockCount, by: dataByteCount / StormBlock.byteCount)
  }

  private static func kind(_ number: UInt64) -> SoakCommand.Kind {
    switch number {
    case 0..<38: .read
    case 38..<70: .write
    case 70..<76: .zero
    case 76..<80: .deallocate
    case 80..<87: .compare
    case 87..<90: .mismatch
    case 90..<94: .verify
    case 94..<98: .flush
    default: .wrong
    }
  }

  private static func blocks(_ kind: SoakCommand.Kind, _ random: inout XorShift) -> Range<Int> {
    let limit: UInt64
    switch kind {
    case .zero, .deallocate: limit = UInt64(SoakRange.blockCount)
    // Mostly some blocks, sometimes many.
    default: limit = random.next() % 8 == 0 ? 128 : 8
    }
    let count = Int(random.next() % limit) + 1
    let start = Int(random.next() % UInt64(SoakRange.blockCount - count + 1))
    return start..<start + count
  }

  private mutating func write(
    _ identifier: UInt16, _ kind: SoakCommand.Kind, _ blocks: Range<Int>, _ lane: inout SoakLane,
    _ random: inout XorShift
  ) throws {
    let index = Int(identifier)
    let range = lane.ranges[index]
    if random.next() % 16 == 0, !StormBlock.isPoisoned(buffer(index)) {
      throw StormFailure("queue \(self.identifier): somebody wrote to the buffer of a command after its end")
    }
    var command = SoakCommand(isInFlight: true, kind: kind, blocks: blocks)
    command.epoch = presence.epoch(range.nsid)
    // Mostly as disks like it; sometimes so that the data needs another buffer on its way.
    switch random.next() % 8 {
    case 0: command.start = Int(random.next() % 1024) * 4
    case 1...4: command.start = Int(random.next() % 8) * StormBlock.byteCount
    default: break
    }
    var entry = SubmissionQueueEntry.io(
      .flush, nsid: range.nsid, slba: range.firstBlock + UInt64(blocks.lowerBound), blocks: blocks.count)
    switch kind {
    case .read: entry.opcode = NVMOpcode.read.rawValue
    case .verify: entry.opcode = NVMOpcode.verify.rawValue
    case .write:
      entry.opcode = NVMOpcode.write.rawValue
      entry.forceUnitAccess = random.next() % 4 == 0
      command.version = lane.ranges[index].nextVersion()
      range.fill(data(index, command), blocks, command.version)
    case .compare, .mismatch:
      entry.opcode = NVMOpcode.compare.rawValue
      range.fill(data(index, command), blocks)
      if kind == .mismatch {
        let data = data(index, command)
        let position = Int(random.next() % UInt64(data.count))
        data.store(data.load(UInt8.self, at: position) ^ 1, at: position)
        command.expected = .compareFailure
      }
    case .zero:
      entry.opcode = NVMOpcode.writeZeroes.rawValue
      entry.deallocate = random.next() % 2 == 0
    case .deallocate:
      let count = min(blocks.count, Int(random.next() % 4) + 1)
      entry = .deallocate(nsid: range.nsid, ranges: count)
      command.ranges = count
      let data = data(index, command)
      for part in 0..<count {
        let first = blocks.count * part / count
        let slba = range.firstBlock + UInt64(blocks.lowerBound + first)
        let length = UInt32(blocks.count * (part + 1) / count - first)
        data.store(DatasetManagementRange(length: length, slba: slba), at: part * DatasetManagementRange.byteCount)
      }
    case .flush:
      entry = .flush(nsid: random.next() % 4 == 0 ? UInt32.max : range.nsid)
    case .wrong:
      (entry, command.expected) = wrong(random.next() % 5)
    }
    entry.commandIdentifier = identifier
    if kind.hasData {
      let data = data(index, command)
      if random.next() % 8 == 0 {
        try SGLBuilder.pointer(to: data).apply(to: &entry)
      } else {
        let list = lists[index * HostMemory.pageSize..<(index + 1) * HostMemory.pageSize]
        try PRPBuilder.pointer(to: PRPBuilder.entries(of: [data]), list: list).apply(to: &entry)
      }
    }
    commands[index] = command
    queue.submissionQueues[0].write(entry)
  }

  /// A command that has to be refused, whatever else happens, and its status.
  private func wrong(_ number: UInt64) -> (SubmissionQueueEntry, Status) {
    var entry = SubmissionQueueEntry.io(.read, nsid: 1, slba: 0, blocks: 1)
    entry.prp1 = buffers.iova
    switch number {
    case 0:
      entry.opcode = 0x7F
      return (entry, .invalidOpcode)
    case 1:
      entry.namespaceIdentifier = 0xFFFF_FF00
      return (entry, .invalidNamespace)
    case 2:
      entry.slba = .max
      return (entry, .lbaOutOfRange)
    case 3:
      entry.prp1 += 1
      return (entry, .invalidPRPOffset)
    default:
      // Nobody has mapped the first page.
      entry.prp1 = 0
      return (entry, .dataTransferError)
    }
  }

  private func buffer(_ index: Int) -> HostBuffer {
    buffers[index * SoakQueue.bufferByteCount..<(index + 1) * SoakQueue.bufferByteCount]
  }

  /// The data of a command.
  private func data(_ index: Int, _ command: SoakCommand) -> HostBuffer {
    let count =
      switch command.kind {
      case .deallocate: DatasetManagementRange.byteCount * command.ranges
      case let kind: kind.hasData ? command.blocks.count * StormBlock.byteCount : 0
      }
    return buffer(index)[command.start..<command.start + count]
  }

  // MARK: Completions

  /// Takes at most `limit` completions, and checks them; how many there were.
  ///
  /// - Parameter isDeleting: whether the submission queue has been deleted.
  mutating func reap(
    limit: Int = .max, isDeleting: Bool = false, _ lane: inout SoakLane, _ counts: inout SoakCounts
  ) throws -> Int {
    var count = 0
    while count < limit, let entry = queue.nextCompletion() {
      try check(entry, isDeleting: isDeleting, &lane, &counts)
      count += 1
    }
    return count
  }

  private mutating func check(
    _ entry: CompletionQueueEntry, isDeleting: Bool, _ lane: inout SoakLane, _ counts: inout SoakCounts
  ) throws {
    let index = Int(entry.commandIdentifier)
    guard index < SoakLane.depth, commands[index].isInFlight, queue.violations == 0 else {
      throw StormFailure("queue \(identifier): a completion that belongs to no command in flight: \(entry)")
    }
    commands[index].isInFlight = false
    let command = commands[index]
    counts.commands += 1
    let data = data(index, command)
    if entry.status == command.expected, command.abort != .isDone {
      try succeed(command, index, data, &lane, &counts)
    } else {
      let epoch = presence.epoch(lane.ranges[index].nsid)
      let mayFail = command.mayFail(with: entry.status, epoch: epoch, isDeleting: isDeleting)
      guard mayFail, command.abort != .isDone || entry.status == .abortRequested else {
        throw StormFailure(
          "queue \(identifier): \(command) of namespace \(lane.ranges[index].nsid) ended with \(entry.status)")
      }
      // It was not executed: nothing is read, and nothing written.
      guard command.kind != .read || StormBlock.isPoisoned(data) else {
        throw StormFailure("queue \(identifier): \(command) was not executed, and has read something")
      }
      counts.refused += 1
    }
    StormBlock.poison(buffer(index))
  }

  private func succeed(
    _ command: SoakCommand, _ index: Int, _ data: HostBuffer, _ lane: inout SoakLane, _ counts: inout SoakCounts
  ) throws(StormFailure) {
    switch command.kind {
    case .read:
      do throws(StormFailure) { try lane.ranges[index].check(data, command.blocks) } catch {
        throw StormFailure("queue \(identifier), \(command): \(error)")
      }
      counts.verified += data.count
    case .write: lane.ranges[index].write(command.blocks, command.version)
    case .zero: lane.ranges[index].write(command.blocks, 0)
    // What is less than a unit of allocation may stay.
    case .deallocate: lane.ranges[index].doubt(command.blocks, 0)
    case .compare: counts.verified += data.count
    case .mismatch, .verify, .flush: break
    case .wrong: counts.refused += 1
    }
  }

  /// Whether some of the guest's memory is away, for all commands in flight.
  mutating func expectFaults() { for index in identifiersInFlight { commands[index].mayFault = true } }

  /// An Abort was sent, or has ended.
  mutating func note(_ abort: SoakCommand.Abort, for index: Int) { commands[index].abort = abort }

  /// The queue is gone: no command completes any more.
  ///
  /// - Parameter areExecuted: whether those in flight may have been executed.
  mutating func lose(areExecuted: Bool, _ lane: inout SoakLane, _ counts: inout SoakCounts) {
    for index in identifiersInFlight {
      if areExecuted { lane.lose(commands[index], index) }
      commands[index].isInFlight = false
      counts.lost += 1
    }
  }

  // MARK: Doorbells

  /// Rings for the commands that were written since the last ring.
  mutating func ring(_ random: inout XorShift, _ counts: inout SoakCounts) throws(HostError) {
    let tail = queue.submissionQueues[0].tail
    guard tail != rungTail else { return }
    rungTail = tail
    try self.tail.ring(tail, hasSlot: true, random: &random, counts: &counts.doorbells)
  }

  /// Gives back the entries of the completions that were taken since the last call.
  mutating func acknowledge(_ random: inout XorShift, _ counts: inout SoakCounts) throws(HostError) {
    let head = queue.completionQueue.head
    guard head != rungHead else { return }
    rungHead = head
    try self.head.ring(head, hasSlot: true, random: &random, counts: &counts.doorbells)
  }

  /// Returns when every message of the doorbells has come.
  mutating func settle() throws(HostError) {
    try tail.settle()
    try head.settle()
  }
}
