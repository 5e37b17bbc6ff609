import Glibc
import LinuxIO
import NVMeHost
import NVMeSpec

/// Numbered blocks written, zeroed, deallocated, compared and flushed at random on one queue.
///
/// Each of its commands in flight has blocks of its own. What it asks for and what it is promised is noted in a history.
struct CrashLoad: ~Copyable, Sendable {
  /// Blocks that a command in flight has.
  static let blocksPerCommand = 8

  /// What it does.
  struct Options: Sendable {
    var depth = 16
    /// Write Zeroes and deallocations too.
    var clears = true
    /// A buffer that the daemon has not seen yet for each command, as long as there is memory.
    var usesFreshMemory = false
    /// Whether commands may fail, as on a disk that does.
    var allowsErrors = false
  }

  private enum Action {
    case change(number: Int, isForced: Bool)
    case flush(completions: Int)
    case compare
  }

  private struct Slot {
    var action: Action?
    var pointer: PRPPointer?
    var buffer: HostBuffer?
    /// The version of each block; nil where it is not known.
    var versions: [Int?]
  }

  private var queue: HostQueue
  private let memory: HostMemory
  private let history: CrashHistory
  private let firstBlock: Int
  private let blockByteCount: Int
  private let options: Options
  private let position: @Sendable () -> Int
  private var random: XorShift
  private var slots: [Slot]
  private var inFlight = 0
  private let timeout = UInt64(patience) * 1_000_000_000
  /// Commands that have completed.
  private(set) var completed = 0

  /// A load on blocks from `firstBlock` on, which are zeros.
  ///
  /// - Parameter position: of the disk, see `RecordedDisk.position`.
  init(
    _ queue: consuming HostQueue, memory: HostMemory, history: CrashHistory, firstBlock: Int, blockByteCount: Int,
    options: Options = Options(), seed: UInt64, position: @escaping @Sendable () -> Int
  ) {
    self.queue = queue
    self.memory = memory
    self.history = history
    self.firstBlock = firstBlock
    self.blockByteCount = blockByteCount
    self.options = options
    self.position = position
    random = XorShift(seed: seed)
    slots = Array(
      repeating: Slot(versions: Array(repeating: nil, count: CrashLoad.blocksPerCommand)), count: options.depth)
  }

  /// How many blocks loads of such a depth have for themselves.
  static func blockCount(depth: Int) -> Int { depth * blocksPerCommand }

  /// Runs until so many more have completed, or it is told to stop, and leaves none in flight; or all, `leavesInFlight`.
  ///
  /// - Parameters:
  ///   - asks: whether it asks for anything to be durable: without, nothing is but by what ends it.
  ///   - goesOn: whether it goes on after that.
  ///   - drains: called when nothing comes any more, and the rest is awaited.
  mutating func run(
    commands: Int, asks: Bool = true, leavesInFlight: Bool = false, shouldStop: () -> Bool = { false },
    goesOn: () -> Bool = { false }, drains: () -> Void = {}
  ) throws {
    let end = completed + commands
    var deadline = Clock.monotonic + timeout
    var isDraining = false
    while true {
      let isOver = isDraining || completed >= end && !goesOn()
      if isOver, leavesInFlight || inFlight == 0 { return }
      if shouldStop() { return }
      if !isOver {
        var batch = Int(random.next() % UInt64(slots.count)) + 1
        while batch > 0, try submit(asks: asks) { batch -= 1 }
        queue.ring()
      } else if !isDraining {
        isDraining = true
        drains()
      }
      var isIdle = true
      while let entry = queue.nextCompletion() {
        try take(entry)
        isIdle = false
      }
      queue.acknowledge()
      if isIdle {
        guard Clock.monotonic < deadline else { throw TestFailure("queue \(queue.identifier): no completion") }
        queue.completionQueue.waitForInterrupt(milliseconds: 20)
      } else {
        deadline = Clock.monotonic + timeout
      }
    }
  }

  // MARK: Commands

  /// False where the queue or the memory is full.
  private mutating func submit(asks: Bool) throws -> Bool {
    guard queue.submissionQueues[0].inFlight < slots.count, let identifier = queue.submissionQueues[0].reserve()
    else { return false }
    let index = Int(identifier)
    let start = Int(random.next() % UInt64(CrashLoad.blocksPerCommand))
    let count = Int(random.next() % UInt64(CrashLoad.blocksPerCommand - start)) + 1
    let blocks =
      firstBlock + index * CrashLoad.blocksPerCommand + start..<firstBlock + index
      * CrashLoad.blocksPerCommand + start + count
    let isForced = random.next() % 4 == 0 && asks
    var entry: SubmissionQueueEntry
    switch random.next() % 16 {
    case 0 where asks:
      entry = .flush(nsid: random.next() % 4 == 0 ? NamespaceIdentifier.all : 1)
      slots[index].action = .flush(completions: history.beginFlush())
    case 1 where options.clears:
      entry = .io(.writeZeroes, nsid: 1, slba: UInt64(blocks.lowerBound), blocks: count)
      entry.deallocate = random.next() % 2 == 0
      entry.forceUnitAccess = isForced
      change(.zero, index, start, blocks, isForced: isForced)
    case 2 where options.clears:
      entry = .deallocate(nsid: 1, ranges: 1)
      let data = try buffer(index, byteCount: DatasetManagementRange.byteCount, offset: 0)
      data.store(DatasetManagementRange(length: UInt32(count), slba: UInt64(blocks.lowerBound)), at: 0)
      try point(&entry, index, data)
      change(.deallocate, index, start, blocks, isForced: false)
    case 3 where slots[index].versions[start..<start + count].allSatisfy { $0 != nil }:
      entry = .io(.compare, nsid: 1, slba: UInt64(blocks.lowerBound), blocks: count)
      let data = try buffer(index, byteCount: count * blockByteCount, offset: offset())
      for block in 0..<count { fill(data, block, blocks, version: slots[index].versions[start + block] ?? 0) }
      try point(&entry, index, data)
      slots[index].action = .compare
    default:
      entry = .io(.write, nsid: 1, slba: UInt64(blocks.lowerBound), blocks: count)
      entry.forceUnitAccess = isForced
      let data = try buffer(index, byteCount: count * blockByteCount, offset: offset())
      change(.write, index, start, blocks, isForced: isForced)
      for block in 0..<count { fill(data, block, blocks, version: slots[index].versions[start + block] ?? 0) }
      try point(&entry, index, data)
    }
    entry.commandIdentifier = identifier
    queue.submissionQueues[0].write(entry)
    inFlight += 1
    return true
  }

  /// Where in its first page data begins: mostly so that direct I/O takes it as it is.
  private mutating func offset() -> Int {
    switch random.next() % 4 {
    case 0: 0
    case 1: Int(random.next() % 1024) * 4
    default: Int(random.next() % 8) * 512
    }
  }

  private mutating func change(
    _ kind: CrashHistory.Kind, _ index: Int, _ start: Int, _ blocks: Range<Int>, isForced: Bool
  ) {
    let number = history.begin(kind, blocks)
    slots[index].action = .change(number: number, isForced: isForced)
    let version: Int? =
      switch kind {
      case .write: number
      case .zero: 0
      case .deallocate: nil
      }
    for place in start..<start + blocks.count { slots[index].versions[place] = version }
  }

  private func fill(_ data: HostBuffer, _ block: Int, _ blocks: Range<Int>, version: Int) {
    let place = data.base + block * blockByteCount
    guard version > 0 else {
      memset(place, 0, blockByteCount)
      return
    }
    NumberedBlocks.fill(
      place, first: blocks.lowerBound + block, count: 1, blockByteCount: blockByteCount, version: version)
  }

  /// Memory for a command's data.
  private mutating func buffer(_ index: Int, byteCount: Int, offset: Int) throws -> HostBuffer {
    let whole: HostBuffer
    if let kept = slots[index].buffer, !options.usesFreshMemory || memory.freeByteCount < 1 << 20 {
      whole = kept
    } else {
      whole = try memory.allocate(CrashLoad.blocksPerCommand * blockByteCount + HostMemory.pageSize)
      slots[index].buffer = whole
    }
    return whole[offset..<offset + byteCount]
  }

  private mutating func point(_ entry: inout SubmissionQueueEntry, _ index: Int, _ data: HostBuffer) throws {
    let pointer = try PRPBuilder.pointer(to: [data])
    pointer.apply(to: &entry)
    slots[index].pointer = pointer
  }

  private mutating func take(_ entry: CompletionQueueEntry) throws {
    let index = Int(entry.commandIdentifier)
    guard index < slots.count, let action = slots[index].action else {
      throw TestFailure("queue \(queue.identifier): command \(index) completed, but is not in flight")
    }
    slots[index].action = nil
    slots[index].pointer?.free()
    slots[index].pointer = nil
    inFlight -= 1
    completed += 1
    guard entry.status.isSuccess else {
      guard options.allowsErrors else { throw TestFailure("queue \(queue.identifier): \(action): \(entry.status)") }
      slots[index].versions = Array(repeating: nil, count: CrashLoad.blocksPerCommand)
      return
    }
    switch action {
    case .change(let number, let isForced): history.end(number, isForced: isForced, position: position())
    case .flush(let completions): history.endFlush(completions, position: position())
    case .compare: break
    }
  }
}
