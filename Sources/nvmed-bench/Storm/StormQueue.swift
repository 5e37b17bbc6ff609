import LinuxIO
import NVMeHost
import NVMeSpec

/// A pair of queues over all its lives, with blocks and buffers of its own. One thread at a time.
///
/// Each command identifier has a buffer and a range of blocks for itself, so that what a command must read is known
/// however many are in flight.
struct StormQueue: ~Copyable, Sendable {
  /// Commands in flight at most.
  static let depth = 32
  /// Blocks that a command identifier has.
  private static let blocksOfCommand = 32
  /// Blocks of one command at most.
  private static let blocksAtOnce = 4
  /// From one buffer to the next: every other one lies across the end of a page.
  private static let bufferStride = 5 * StormBlock.byteCount

  /// Blocks of all command identifiers.
  static let blockCount = depth * blocksOfCommand

  /// What became of all commands so far.
  struct Counts: Sendable {
    var reads = 0
    var writes = 0
    var completed = 0
    var doorbells = StormDoorbell.Counts()

    var submitted: Int { reads + writes }

    mutating func add(_ other: Counts) {
      reads += other.reads
      writes += other.writes
      completed += other.completed
      doorbells.add(other.doorbells)
    }
  }

  /// What a command identifier is used for.
  struct Command {
    var isInFlight = false
    var isRead = false
    var blocks = 0..<0
  }

  private var queue: HostQueue
  private var tail: StormDoorbell
  private var head: StormDoorbell
  private var rungTail = 0
  private var rungHead = 0
  private let connection: HostConnection
  private let data: HostBuffer
  private let nsid: UInt32
  private let firstBlock: UInt64
  private var commands: FixedTable<Command>
  /// The version of each block.
  private var versions: FixedTable<UInt64>
  private var nextVersion: UInt64 = 1
  private(set) var counts = Counts()

  /// The first life begins with queues that exist.
  init(
    _ queue: consuming HostQueue, connection: HostConnection, memory: HostMemory, nsid: UInt32, firstBlock: UInt64
  ) throws(HostError) {
    self.connection = connection
    self.nsid = nsid
    self.firstBlock = firstBlock
    tail = StormDoorbell(queue.submissionQueues[0].doorbell, connection: connection)
    head = StormDoorbell(queue.completionQueue.doorbell, connection: connection)
    self.queue = queue
    data = try memory.allocate(Self.depth * Self.bufferStride)
    StormBlock.poison(data)
    commands = FixedTable(count: Self.depth) { _ in Command() }
    versions = FixedTable(count: Self.blockCount) { _ in 0 }
  }

  /// The identifiers of the submission and the completion queue.
  var identifiers: (submission: UInt16, completion: UInt16) {
    (queue.submissionQueues[0].identifier, queue.completionQueue.identifier)
  }

  var inFlight: Int { queue.submissionQueues[0].inFlight }

  // MARK: Lives

  /// The end of a life: nothing is in flight, and all messages have come.
  mutating func settle() throws {
    guard inFlight == 0 else { throw StormFailure("\(name): \(inFlight) commands in flight, at the end of its life") }
    try tail.settle()
    try head.settle()
  }

  /// The next life begins with queues that exist; those of the last one do not any more.
  mutating func begin(_ next: consuming HostQueue) {
    tail = StormDoorbell(next.submissionQueues[0].doorbell, connection: connection)
    head = StormDoorbell(next.completionQueue.doorbell, connection: connection)
    rungTail = 0
    rungHead = 0
    queue = next
  }

  /// The memory of the queues.
  var memory: HostQueueMemory { queue.memory }

  /// Whether a completion has come that was not taken: at the end of a life there is none.
  var hasCompletion: Bool { queue.completionQueue.hasEntry }

  var name: String { "queue \(identifiers.submission) on completion queue \(identifiers.completion)" }

  // MARK: Commands

  /// Writes at most `limit` commands at random into the submission queue; how many there was room for.
  mutating func submit(limit: Int, random: inout XorShift) throws -> Int {
    var count = 0
    while count < limit, inFlight < Self.depth, let identifier = queue.submissionQueues[0].reserve() {
      let start = Int(random.next() % UInt64(Self.blocksOfCommand - Self.blocksAtOnce + 1))
      let length = Int(random.next() % UInt64(Self.blocksAtOnce)) + 1
      let first = Int(identifier) * Self.blocksOfCommand + start
      let isRead = random.next() % 2 == 0
      try write(identifier, first..<first + length, isRead: isRead)
      count += 1
    }
    return count
  }

  /// Writes or reads blocks of all command identifiers, from the one at `start` on; the queue is empty and has room for
  /// all.
  mutating func submitAll(start: Int, isRead: Bool) throws {
    guard queue.submissionQueues[0].size > Self.depth else { throw StormFailure("\(name) has no room for all") }
    while inFlight < Self.depth, let identifier = queue.submissionQueues[0].reserve() {
      let first = Int(identifier) * Self.blocksOfCommand + start
      try write(identifier, first..<first + Self.blocksAtOnce, isRead: isRead)
    }
  }

  /// Where `submitAll` has to begin for every block to have its turn.
  static var starts: StrideTo<Int> { stride(from: 0, to: blocksOfCommand, by: blocksAtOnce) }

  private mutating func write(_ identifier: UInt16, _ blocks: Range<Int>, isRead: Bool) throws {
    let index = Int(identifier)
    let buffer = buffer(index)
    guard StormBlock.isPoisoned(buffer) else {
      throw StormFailure("\(name): somebody wrote to the buffer of command identifier \(index) after its command")
    }
    if isRead {
      counts.reads += 1
    } else {
      counts.writes += 1
      for (position, block) in blocks.enumerated() {
        let lba = firstBlock + UInt64(block)
        StormBlock.fill(self.block(position, of: buffer), lba: lba, version: nextVersion)
        versions[block] = nextVersion
      }
      nextVersion += 1
    }
    commands[index] = Command(isInFlight: true, isRead: isRead, blocks: blocks)
    var entry = SubmissionQueueEntry.io(
      isRead ? .read : .write, nsid: nsid, slba: firstBlock + UInt64(blocks.lowerBound), blocks: blocks.count)
    entry.commandIdentifier = identifier
    entry.prp1 = buffer.iova
    let page = HostMemory.pageSize
    if buffer.offset % page + blocks.count * StormBlock.byteCount > page {
      entry.prp2 = buffer.iova(at: page - buffer.offset % page)
    }
    queue.submissionQueues[0].write(entry)
  }

  private func buffer(_ index: Int) -> HostBuffer {
    let start = index * Self.bufferStride
    return data[start..<start + Self.blocksAtOnce * StormBlock.byteCount]
  }

  private func block(_ position: Int, of buffer: HostBuffer) -> HostBuffer {
    buffer[position * StormBlock.byteCount..<(position + 1) * StormBlock.byteCount]
  }

  /// Takes at most `limit` completions, and checks them; how many there were.
  mutating func reap(limit: Int = .max) throws -> Int {
    var count = 0
    while count < limit, let entry = queue.nextCompletion() {
      try check(entry)
      count += 1
    }
    return count
  }

  private mutating func check(_ entry: CompletionQueueEntry) throws {
    let index = Int(entry.commandIdentifier)
    guard index < Self.depth, commands[index].isInFlight, queue.violations == 0 else {
      throw StormFailure("\(name): a completion that belongs to no command in flight: \(entry)")
    }
    commands[index].isInFlight = false
    guard entry.status.isSuccess else { throw StormFailure("\(name): a command failed: \(entry.status)") }
    counts.completed += 1
    let buffer = buffer(index)
    let blocks = commands[index].blocks
    if commands[index].isRead {
      for (position, block) in blocks.enumerated() {
        let lba = firstBlock + UInt64(block)
        guard StormBlock.isBlock(self.block(position, of: buffer), lba: lba, version: versions[block]) else {
          throw StormFailure("\(name): block \(lba) is not what was written last, or was not read")
        }
      }
    }
    StormBlock.poison(buffer)
  }

  // MARK: Doorbells

  /// Rings for the commands that were written since the last ring.
  mutating func ring(hasSlot: Bool, random: inout XorShift) throws(HostError) {
    let tail = queue.submissionQueues[0].tail
    guard tail != rungTail else { return }
    rungTail = tail
    try self.tail.ring(tail, hasSlot: hasSlot, random: &random, counts: &counts.doorbells)
  }

  /// Gives back the entries of the completions that were taken since the last call.
  mutating func acknowledge(hasSlot: Bool, random: inout XorShift) throws(HostError) {
    let head = queue.completionQueue.head
    guard head != rungHead else { return }
    rungHead = head
    try self.head.ring(head, hasSlot: hasSlot, random: &random, counts: &counts.doorbells)
  }
}
