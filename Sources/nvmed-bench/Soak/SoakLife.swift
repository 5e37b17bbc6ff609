import LinuxIO
import NVMeHost
import NVMeSpec

/// A guest's time with one connection: commands on all queues, and from time to time something that disturbs them.
struct SoakLife: ~Copyable {
  /// ns from one disturbance to the next: at random, at most.
  private static let interval: UInt64 = 80_000_000
  /// How long a completion may take, in ms: rate limits, and a busy machine.
  static let timeout: Int32 = 180_000
  private static let sizes = [2, 3, 4, 9, 32, 64, 256]
  /// Memory for queues and lists, and two windows for data that go and come back.
  private static let queueMemory = 2 << 20
  private static let windowMemory =
    (SoakGuest.lanes / 2 * SoakQueue.buffersByteCount + HostMemory.pageSize - 1) / HostMemory.pageSize
    * HostMemory.pageSize

  let host: HostController
  private let memory: HostMemory
  var queues: FixedTable<SoakQueue>
  /// Asynchronous Event Requests in flight.
  var eventRequests: [UInt16] = []
  private var idleSteps = 0
  private var nextEvent: UInt64 = 0
  /// Whether the connection is over.
  var isOver = false

  /// Connects, and brings the controller up.
  static func connect(_ guest: inout SoakGuest) throws -> SoakLife {
    let memory = try HostMemory(parts: [
      (1 << 32, SoakLife.queueMemory), (3 << 32, SoakLife.windowMemory), (2 << 32, SoakLife.windowMemory),
    ])
    // The windows are too large for the first part, so that each of these is one of them.
    let windows = [try memory.allocate(SoakLife.windowMemory), try memory.allocate(SoakLife.windowMemory)]
    var buffers: [HostBuffer] = []
    var lists: [HostBuffer] = []
    for lane in 0..<SoakGuest.lanes {
      let start = lane / 2 * SoakQueue.buffersByteCount
      buffers.append(windows[lane % 2][start..<start + SoakQueue.buffersByteCount])
      lists.append(try memory.allocate(SoakLane.depth * HostMemory.pageSize))
    }
    var options = HostOptions(
      doorbells: guest.random.next() % 4 == 0 ? .socket(posted: guest.random.next() % 2 == 0) : .slots, vectors: 2)
    options.shadowDoorbells = guest.hasShadowDoorbells && guest.random.next() % 2 == 0
    options.messageTimeout = SoakLife.timeout
    options.commandTimeout = UInt64(SoakLife.timeout) * 1_000_000
    options.shutdownTimeout = options.commandTimeout
    options.postsRegisterWrites = guest.random.next() % 2 == 0
    let host = try HostController(path: guest.socket, memory: memory, options: options)
    try host.initialize(queues: SoakGuest.lanes)
    var made: [StormBox<HostQueue>] = []
    for index in 0..<SoakGuest.lanes {
      made.append(StormBox<HostQueue>(try SoakLife.create(host, index, &guest.random)))
    }
    var rest = made[...]
    let presence = guest.presence
    let queues = FixedTable<SoakQueue>(count: SoakGuest.lanes) {
      SoakQueue(
        rest.removeFirst().take(), connection: host.connection, buffers: buffers[$0], lists: lists[$0],
        presence: presence)
    }
    guest.note("connections")
    var life = SoakLife(host, memory, queues)
    try life.prepare()
    return life
  }

  private init(_ host: HostController, _ memory: HostMemory, _ queues: consuming FixedTable<SoakQueue>) {
    self.host = host
    self.memory = memory
    self.queues = queues
  }

  // MARK: Lives of the controller and of queues

  /// Brings the controller up after a reset.
  mutating func begin(_ guest: inout SoakGuest) throws {
    try host.initialize(queues: SoakGuest.lanes)
    for index in 0..<queues.count {
      // What was in flight at the reset has ended with RDY 0.
      free(queues[index].memory)
      queues[index].begin(try SoakLife.create(host, index, &guest.random))
    }
    try prepare()
  }

  /// Asks for events.
  private mutating func prepare() throws {
    let notices = AsynchronousEventConfiguration.namespaceAttributeNotices.rawValue
    try host.requireSuccess(host.setFeature(.asynchronousEventConfiguration, notices))
    eventRequests = []
    for _ in 0..<2 { try requestEvent() }
  }

  /// Makes the queues of a lane.
  ///
  /// - Parameter size: entries of both; nil: at random.
  static func create(
    _ host: HostController, _ index: Int, size: Int? = nil, _ random: inout XorShift
  ) throws(HostError) -> HostQueue {
    let identifier = UInt16(index + 1)
    return try host.createQueue(
      completionQueue: identifier, completionQueueSize: size ?? sizes[Int(random.next() % 7)],
      submissionQueues: [identifier], submissionQueueSize: size ?? sizes[Int(random.next() % 7)], vector: 1,
      commands: SoakLane.depth)
  }

  /// No command in flight completes any more.
  mutating func loseAll(_ guest: inout SoakGuest) {
    for index in 0..<queues.count { queues[index].lose(areExecuted: true, &guest.lanes[index], &guest.counts) }
  }

  /// The memory of a queue that has ended.
  func free(_ buffers: HostQueueMemory) {
    for buffer in buffers.submissionQueues + [buffers.completionQueue] { memory.free(buffer) }
  }

  /// Submits an Asynchronous Event Request.
  mutating func requestEvent() throws {
    let identifier = try host.withAdminQueue { (queue) throws(HostError) in
      let identifier = queue.submit(.asynchronousEventRequest)
      queue.ring()
      return identifier
    }
    guard let identifier else { throw HostError.queueFull }
    eventRequests.append(identifier)
  }

  // MARK: The load

  /// Goes on until the connection or the spell is over. Commands may be in flight then: their end is not known.
  mutating func run(_ guest: inout SoakGuest, _ spell: SoakSpell) throws {
    while !isOver, !spell.stops {
      try step(&guest)
      let now = Clock.monotonic
      if now >= nextEvent {
        nextEvent = now + guest.random.next() % SoakLife.interval
        try disturb(&guest)
        let counts = guest.counts
        spell.counts.withLock { $0 = counts }
      }
    }
    if !isOver { try disconnect(&guest) }
  }

  private mutating func step(_ guest: inout SoakGuest) throws {
    let index = Int(guest.random.next() % UInt64(queues.count))
    // Now and then one after the other, mostly many.
    let batch = guest.random.next() % 4 == 0 ? Int(guest.random.next() % 16) + 1 : 1
    let submitted = try submit(index, limit: batch, &guest)
    let reaping = Int(guest.random.next() % UInt64(queues.count))
    let reaped = try reap(reaping, limit: Int(guest.random.next() % 16) + 1, &guest)
    idleSteps = submitted + reaped == 0 ? idleSteps + 1 : 0
    if idleSteps > queues.count {
      idleSteps = 0
      try rest(&guest)
    }
  }

  private mutating func submit(_ index: Int, limit: Int, _ guest: inout SoakGuest) throws -> Int {
    let submitted = try queues[index].submit(limit: limit, &guest.lanes[index], &guest.random)
    // What is not rung for now is rung for with what comes later.
    if guest.random.next() % 4 != 0 { try queues[index].ring(&guest.random, &guest.counts) }
    return submitted
  }

  private mutating func reap(_ index: Int, limit: Int, _ guest: inout SoakGuest) throws -> Int {
    let reaped = try queues[index].reap(limit: limit, &guest.lanes[index], &guest.counts)
    if guest.random.next() % 4 != 0 { try queues[index].acknowledge(&guest.random, &guest.counts) }
    return reaped
  }

  /// Rings whatever is not rung, and waits for an interrupt where no completion has come.
  mutating func rest(_ guest: inout SoakGuest) throws {
    let vector = host.vectors[1]
    vector.event.drain()
    var reaped = 0
    for index in 0..<queues.count {
      try queues[index].ring(&guest.random, &guest.counts)
      reaped += try queues[index].reap(&guest.lanes[index], &guest.counts)
      try queues[index].acknowledge(&guest.random, &guest.counts)
    }
    guard reaped == 0, inFlight > 0, !vector.event.wait(timeout: SoakLife.timeout) else { return }
    var missing: [String] = []
    for index in 0..<queues.count {
      missing.append("\(queues[index].inFlight)\(queues[index].hasCompletion ? " without interrupt" : "")")
    }
    throw StormFailure(
      "\(guest.socket): nothing came in \(SoakLife.timeout / 1000) s; in flight: \(missing.joined(separator: ", "))")
  }

  private var inFlight: Int {
    var count = 0
    for index in 0..<queues.count { count += queues[index].inFlight }
    return count
  }

  /// Waits until nothing is in flight.
  mutating func drain(_ guest: inout SoakGuest) throws { while inFlight > 0 { try rest(&guest) } }

  // MARK: The end

  /// Closes the connection at once, as a monitor that is killed.
  mutating func disconnect(_ guest: inout SoakGuest) throws {
    host.disconnect()
    loseAll(&guest)
    isOver = true
  }

  /// Shuts the controller down, and closes the connection.
  mutating func leave() throws {
    try host.shutdown()
    try host.unmapAll()
    host.disconnect()
    isOver = true
  }

  /// Reads every block.
  mutating func readAll(_ guest: inout SoakGuest) throws {
    for start in SoakQueue.readStarts {
      for index in 0..<queues.count {
        if start == 0 { try recreate(index, size: 64, &guest) }
        try queues[index].submitReads(from: start, &guest.lanes[index], &guest.random)
      }
      try drain(&guest)
    }
  }

  /// Replaces a pair of queues in which nothing is in flight.
  private mutating func recreate(_ index: Int, size: Int, _ guest: inout SoakGuest) throws {
    let identifier = queues[index].identifier
    try queues[index].settle()
    try host.requireSuccess(host.admin(.deleteSubmissionQueue(identifier)))
    try host.requireSuccess(host.admin(.deleteCompletionQueue(identifier)))
    free(queues[index].memory)
    queues[index].begin(try SoakLife.create(host, index, size: size, &guest.random))
  }
}
