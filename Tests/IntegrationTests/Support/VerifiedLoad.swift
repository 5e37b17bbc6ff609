import Glibc
import LinuxIO
import NVMeHost
import NVMeSpec
import Synchronization

/// Reads and writes of random blocks on one queue, each of which is checked.
///
/// Every command identifier has blocks and a buffer of its own, so that what a command must read is known however many
/// are in flight.
struct VerifiedLoad: ~Copyable, Sendable {
  /// Blocks that a command identifier has.
  static let blocksPerCommand = 8

  private struct Command {
    var isInFlight = false
    var isRead = false
    var blocks = 0..<0
  }

  var queue: HostQueue
  private let data: HostBuffer
  private let firstBlock: UInt64
  private let blockByteCount: Int
  private var random: XorShift
  private var commands: [Command]
  /// The version of each block, 0 for what nobody wrote.
  private var versions: [UInt64]
  private var nextVersion: UInt64 = 1
  /// Commands that completed and were right.
  private(set) var completed = 0

  /// A load of at most `depth` commands in flight on the first submission queue of `queue`.
  ///
  /// - Parameters:
  ///   - firstBlock: of the blocks that it has for itself, `depth` * `blocksPerCommand` of them; zeros.
  ///   - seed: of its choices.
  init(
    _ queue: consuming HostQueue, memory: HostMemory, depth: Int, firstBlock: UInt64, blockByteCount: Int = 512,
    seed: UInt64
  ) throws {
    self.queue = queue
    self.firstBlock = firstBlock
    self.blockByteCount = blockByteCount
    random = XorShift(seed: seed)
    commands = Array(repeating: Command(), count: depth)
    versions = Array(repeating: 0, count: depth * Self.blocksPerCommand)
    data = try memory.allocate(depth * Self.blocksPerCommand * blockByteCount)
  }

  /// How many blocks loads of such a depth have for themselves.
  static func blockCount(depth: Int) -> UInt64 { UInt64(depth * blocksPerCommand) }

  /// Goes on with another queue, as after a reset: what was in flight is forgotten, and its blocks may be of either
  /// version, so that they are written anew before they are read.
  mutating func resume(_ queue: consuming HostQueue) throws {
    self.queue = queue
    for index in commands.indices where commands[index].isInFlight {
      commands[index].isInFlight = false
      let first = index * Self.blocksPerCommand
      let all = self.data[first * blockByteCount..<(first + Self.blocksPerCommand) * blockByteCount]
      try self.queue.writePattern(
        all, slba: firstBlock + UInt64(first), version: nextVersion, blockByteCount: blockByteCount)
      for block in first..<first + Self.blocksPerCommand { versions[block] = nextVersion }
      nextVersion += 1
    }
  }

  /// Runs until `total` more commands have completed or `shouldStop` says so, in batches of random sizes; none is in
  /// flight at the end.
  mutating func run(commands total: Int = .max, shouldStop: () -> Bool = { false }) throws {
    var submitted = 0
    var inFlight = 0
    while true {
      let isOver = shouldStop() || submitted == total
      if isOver, inFlight == 0 { return }
      if !isOver {
        var batch = Int(random.next() % UInt64(commands.count)) + 1
        while batch > 0, submitted < total, submit() {
          batch -= 1
          submitted += 1
          inFlight += 1
        }
        queue.ring()
      }
      guard inFlight > 0 else { continue }
      try queue.completionQueue.waitForEntry(until: Clock.monotonic + queue.timeout)
      // A random number of them, so that the completion queue is full now and then.
      var limit = Int(random.next() % UInt64(commands.count)) + 1
      while limit > 0, let entry = queue.nextCompletion() {
        try check(entry)
        inFlight -= 1
        limit -= 1
      }
      queue.acknowledge()
    }
  }

  /// Leaves commands in flight, as many as the queue takes.
  mutating func submitAll() {
    while submit() {}
    queue.ring()
  }

  /// Reads all that was written, and gives the memory back.
  mutating func finish() throws {
    for block in versions.indices where versions[block] != 0 {
      let buffer = data[block * blockByteCount..<(block + 1) * blockByteCount]
      try queue.readPattern(
        buffer, slba: firstBlock + UInt64(block), version: versions[block], blockByteCount: blockByteCount)
    }
    guard queue.violations == 0 else {
      throw TestFailure("queue \(queue.identifier): \(queue.violations) completions that cannot be")
    }
    data.memory.free(data)
  }

  private mutating func submit() -> Bool {
    guard queue.submissionQueues[0].inFlight < commands.count,
      let identifier = queue.submissionQueues[0].reserve()
    else { return false }
    let index = Int(identifier)
    let start = Int(random.next() % UInt64(Self.blocksPerCommand))
    let count = Int(random.next() % UInt64(Self.blocksPerCommand - start)) + 1
    let blocks = index * Self.blocksPerCommand + start..<index * Self.blocksPerCommand + start + count
    let isRead = random.next() % 2 == 0
    let buffer = data[blocks.lowerBound * blockByteCount..<blocks.upperBound * blockByteCount]
    if isRead {
      buffer.fill(0xEE)
    } else {
      BlockPattern.fill(
        buffer, slba: firstBlock + UInt64(blocks.lowerBound), version: nextVersion, blockByteCount: blockByteCount)
      for block in blocks { versions[block] = nextVersion }
      nextVersion += 1
    }
    commands[index] = Command(isInFlight: true, isRead: isRead, blocks: blocks)
    var entry = SubmissionQueueEntry.io(
      isRead ? .read : .write, nsid: 1, slba: firstBlock + UInt64(blocks.lowerBound), blocks: count)
    entry.commandIdentifier = identifier
    entry.prp1 = buffer.iova
    // Buffers are at most two pages, as they are 8 blocks of at most 4 KiB; larger ones have whole pages.
    let pages = (buffer.offset + buffer.count - 1) / 4096 - buffer.offset / 4096 + 1
    if pages == 2 { entry.prp2 = (buffer.iova / 4096 + 1) * 4096 }
    precondition(pages <= 2, "blocks of 512 bytes only")
    queue.submissionQueues[0].write(entry)
    return true
  }

  private mutating func check(_ entry: CompletionQueueEntry) throws {
    let index = Int(entry.commandIdentifier)
    guard index < commands.count, commands[index].isInFlight else {
      throw TestFailure("queue \(queue.identifier): command \(index) completed, but is not in flight")
    }
    let command = commands[index]
    commands[index].isInFlight = false
    guard entry.status.isSuccess else {
      throw TestFailure("queue \(queue.identifier): \(command): \(entry.status)")
    }
    completed += 1
    guard command.isRead else { return }
    for block in command.blocks {
      let buffer = data[block * blockByteCount..<(block + 1) * blockByteCount]
      let lba = firstBlock + UInt64(block)
      let difference = BlockPattern.firstDifference(
        buffer, slba: lba, version: versions[block], blockByteCount: blockByteCount)
      if difference != nil {
        throw TestFailure("queue \(queue.identifier): block \(lba) is not of version \(versions[block])")
      }
    }
  }
}

/// A load that runs on a thread of its own until it is stopped.
final class BackgroundLoad: Sendable {
  private final class Shared: Sendable {
    let load: Locked<VerifiedLoad?>
    let rounds = Atomic<Int>(0)
    let failure = Locked<String?>(nil)

    init(_ load: consuming VerifiedLoad) { self.load = Locked(load) }
  }

  private let shared: Shared
  private let thread: StoppableThread

  /// Starts it, for so many commands at most.
  init(_ load: consuming VerifiedLoad, commands: Int = .max) throws {
    let shared = Shared(load)
    self.shared = shared
    thread = try StoppableThread(name: "load") { stops in
      guard var load = shared.load.withLock({ $0.take() }) else { return }
      do {
        try load.run(commands: commands) {
          shared.rounds.add(1, ordering: .relaxed)
          return stops.isSet
        }
      } catch {
        shared.failure.withLock { $0 = "\(error)" }
      }
      var kept: VerifiedLoad? = consume load
      shared.load.withLock { $0 = kept.take() }
    }
  }

  /// Waits until it has gone through so many more batches, each of which waited for completions.
  func awaitBatches(_ count: Int) throws {
    let target = shared.rounds.load(ordering: .relaxed) + count
    let deadline = Clock.monotonic + UInt64(patience) * 1_000_000_000
    while shared.rounds.load(ordering: .relaxed) < target {
      if let failure = shared.failure.withLock({ $0 }) { throw TestFailure(failure) }
      guard Clock.monotonic < deadline else { throw TestFailure("the load does not go on") }
      sched_yield()
    }
  }

  /// Stops it and waits for what is in flight.
  ///
  /// - Throws: the first thing that was not right.
  func stop() throws -> VerifiedLoad {
    thread.stop()
    return try take()
  }

  /// Waits until it has run all its commands.
  ///
  /// - Throws: the first thing that was not right.
  func join() throws -> VerifiedLoad {
    thread.join()
    return try take()
  }

  private func take() throws -> VerifiedLoad {
    if let failure = shared.failure.withLock({ $0 }) { throw TestFailure(failure) }
    guard let load = shared.load.withLock({ $0.take() }) else { throw TestFailure("the load was taken already") }
    return load
  }
}
