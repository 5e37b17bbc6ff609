import LinuxIO
import NVMeHost
import NVMeSpec

/// One thread of the storm: the queues that it alone uses, and what it does with them.
struct StormThread: ~Copyable, Sendable {
  /// What a thread may do.
  struct Turn: Sendable {
    /// Whether KVM would know the doorbells.
    var hasSlots = true
    /// Whether no other thread rings.
    var isAlone = false
  }

  /// How long a completion may take, in ms.
  private static let timeout: Int32 = 120_000
  private static let sizes = [2, 3, 4, 9, 32, 64, 256]
  /// The size of queues that all commands of a queue find room in.
  private static let roomySize = 64

  private var queues: FixedTable<StormQueue>
  private let controller: StormController
  private let vector: InterruptVector
  private var random: XorShift
  /// Steps in which nothing went on.
  private var idleSteps = 0
  /// How many pairs of queues were deleted and created anew.
  private(set) var recreations = 0

  /// Creates its queues, `count` pairs from the identifier `first` on.
  init(_ controller: StormController, first: UInt16, count: Int, vector: UInt16, nsid: UInt32, seed: UInt64) throws {
    self.controller = controller
    self.vector = controller.vectors[Int(vector)]
    random = XorShift(seed: seed)
    var made: [StormBox<StormQueue>] = []
    for index in 0..<count {
      let identifier = first + UInt16(index)
      let queue = try controller.create(
        submission: identifier, completion: identifier, submissionSize: Self.roomySize,
        completionSize: Self.roomySize, vector: vector)
      made.append(
        StormBox<StormQueue>(
          try StormQueue(
            queue, connection: controller.connection, memory: controller.memory, nsid: nsid,
            firstBlock: UInt64(Int(identifier - 1) * StormQueue.blockCount))))
    }
    var rest = made[...]
    queues = FixedTable(count: count) { _ in rest.removeFirst().take() }
  }

  /// What became of all commands so far.
  var counts: StormQueue.Counts {
    var counts = StormQueue.Counts()
    for index in 0..<queues.count { counts.add(queues[index].counts) }
    return counts
  }

  // MARK: The storm

  /// A few things at random: commands are written, a doorbell is rung, completions are taken and given back; rarely two
  /// pairs of queues are deleted and created anew.
  ///
  /// - Parameter limit: most commands that are submitted.
  /// - Returns: how many were submitted.
  mutating func step(limit: Int, _ turn: Turn) throws -> Int {
    let index = Int(random.next() % UInt64(queues.count))
    let hasSlots = turn.hasSlots
    if turn.isAlone { return try stepAlone(index, hasSlots: hasSlots) }
    if hasSlots, random.next() % 512 == 0 {
      let other = (index + 1 + Int(random.next() % UInt64(queues.count - 1))) % queues.count
      try renew(index, other, hasSlots: hasSlots) { random in
        (Self.sizes[Int(random.next() % 7)], Self.sizes[Int(random.next() % 7)])
      }
    }
    // Mostly one command for a doorbell, sometimes many.
    let batch = random.next() % 4 == 0 ? Int(random.next() % 24) + 1 : 1
    let submitted = try queues[index].submit(limit: min(limit, batch), random: &random)
    // What is not rung for now is rung for with what comes later.
    if random.next() % 4 != 0 { try queues[index].ring(hasSlot: hasSlots, random: &random) }
    let reaping = Int(random.next() % UInt64(queues.count))
    let reaped = try queues[reaping].reap(limit: Int(random.next() % 32) + 1)
    if random.next() % 4 != 0 { try queues[reaping].acknowledge(hasSlot: hasSlots, random: &random) }
    idleSteps = submitted + reaped == 0 ? idleSteps + 1 : 0
    if idleSteps > queues.count {
      idleSteps = 0
      try rest(hasSlots: hasSlots)
    }
    return submitted
  }

  /// One command, with nothing else of this thread in flight.
  private mutating func stepAlone(_ index: Int, hasSlots: Bool) throws -> Int {
    for other in 0..<queues.count where queues[other].inFlight > 0 { try drain(other, hasSlots: hasSlots) }
    let submitted = try queues[index].submit(limit: 1, random: &random)
    try drain(index, hasSlots: hasSlots)
    return submitted
  }

  /// Rings whatever is not rung, and waits for an interrupt where no completion has come.
  private mutating func rest(hasSlots: Bool) throws {
    vector.event.drain()
    var reaped = 0
    for index in 0..<queues.count {
      try queues[index].ring(hasSlot: hasSlots, random: &random)
      reaped += try queues[index].reap()
      try queues[index].acknowledge(hasSlot: hasSlots, random: &random)
    }
    if reaped == 0 { try awaitInterrupt() }
  }

  private func awaitInterrupt() throws {
    guard !vector.event.wait(timeout: Self.timeout) else { return }
    var missing: [String] = []
    for index in 0..<queues.count {
      if queues[index].hasCompletion { missing.append("\(queues[index].name): a completion without interrupt") }
      if queues[index].inFlight > 0 { missing.append("\(queues[index].name): \(queues[index].inFlight) in flight") }
    }
    throw StormFailure("nothing came in \(Self.timeout / 1000) s: \(missing.joined(separator: "; "))")
  }

  /// Waits until nothing of a queue is in flight.
  private mutating func drain(_ index: Int, hasSlots: Bool) throws {
    while true {
      vector.event.drain()
      try queues[index].ring(hasSlot: hasSlots, random: &random)
      let reaped = try queues[index].reap()
      try queues[index].acknowledge(hasSlot: hasSlots, random: &random)
      if queues[index].inFlight == 0 { return }
      if reaped == 0 { try awaitInterrupt() }
    }
  }

  // MARK: Lives of queues

  /// Deletes two pairs of queues and creates them anew, each submission queue on either completion queue.
  ///
  /// - Parameter size: the entries of a submission queue and of a completion queue.
  private mutating func renew(
    _ first: Int, _ second: Int, hasSlots: Bool, size: (inout XorShift) -> (submission: Int, completion: Int)
  ) throws {
    for index in [first, second] { try drain(index, hasSlots: hasSlots) }
    var completions = [queues[first].identifiers.completion, queues[second].identifiers.completion]
    if random.next() % 2 == 0 { completions.swapAt(0, 1) }
    for index in [first, second] { try delete(index) }
    for (index, completion) in zip([first, second], completions) {
      let size = size(&random)
      queues[index].begin(
        try controller.create(
          submission: queues[index].identifiers.submission, completion: completion, submissionSize: size.submission,
          completionSize: size.completion, vector: vector.number))
      recreations += 1
    }
  }

  private mutating func delete(_ index: Int) throws {
    try queues[index].settle()
    let identifiers = queues[index].identifiers
    try controller.execute(.deleteSubmissionQueue(identifiers.submission))
    // The controller has nothing to complete any more: what is here now came twice.
    guard !queues[index].hasCompletion else {
      throw StormFailure("\(queues[index].name): more completions than commands")
    }
    try controller.execute(.deleteCompletionQueue(identifiers.completion))
    let memory = queues[index].memory
    for buffer in memory.submissionQueues + [memory.completionQueue] { controller.memory.free(buffer) }
  }

  // MARK: Beginning and end

  /// Writes every block once.
  mutating func fill() throws { try doAll(isRead: false) }

  /// Reads every block, and deletes all queues.
  mutating func finish(hasSlots: Bool) throws {
    for index in 0..<queues.count { try drain(index, hasSlots: hasSlots) }
    for index in stride(from: 0, to: queues.count - 1, by: 2) {
      try renew(index, index + 1, hasSlots: hasSlots) { _ in (Self.roomySize, Self.roomySize) }
    }
    if queues.count % 2 == 1 {
      try renew(0, queues.count - 1, hasSlots: hasSlots) { _ in (Self.roomySize, Self.roomySize) }
    }
    try doAll(isRead: true)
    for index in 0..<queues.count { try delete(index) }
  }

  private mutating func doAll(isRead: Bool) throws {
    for index in 0..<queues.count {
      for start in StormQueue.starts {
        try queues[index].submitAll(start: start, isRead: isRead)
        try drain(index, hasSlots: true)
      }
    }
  }
}

/// Holds a queue or a thread of the storm until somebody takes it. Any thread.
final class StormBox<Content: ~Copyable & Sendable>: Sendable {
  private let content: Locked<Content?>

  init(_ content: consuming Content) { self.content = Locked(content) }

  /// Takes it out; once.
  func take() -> Content {
    guard let content = content.withLock({ $0.take() }) else { preconditionFailure("it was taken already") }
    return content
  }
}
