import Doorbells
import GuestMemory
import LinuxIO
import NVMeSpec

/// One controller as one I/O thread sees it: the queue pairs given to the thread and what their commands need.
///
/// The thread alone touches it.
struct ControllerPort: ~Copyable {
  /// Its place in the thread's table.
  let number: Int
  let description: PortDescription?
  /// Bytes: MDTS.
  let maximumTransfer: UInt64
  /// Whether doorbells are stored without an event, and have to be looked at.
  let isPolled: Bool
  var memory = MemoryMap()
  var submissionQueues: FixedTable<SubmissionQueue>
  var completionQueues: FixedTable<CompletionQueue>
  var namespaces: FixedTable<NamespaceGeometry>
  var owners: FixedTable<Namespace?>
  var vectors: InterruptVectors
  var writeCacheEnabled = true
  let counters: PortCounters.Writer

  /// Whether Bus Master is off, the function in D3hot, or the controller failed: no DMA.
  var isPaused = false
  /// Where doorbells lie in guest memory, if the host has said so.
  var doorbellBuffers: DoorbellBuffers?
  /// Whether a doorbell may have been rung, or commands wait for their turn.
  var isKicked = false
  /// Whether an event said so.
  var isAnnounced = false
  /// One past the highest identifier of a submission queue so far.
  var queueEnd = 1
  /// The last values of the admin queue's doorbells, of a polled controller.
  private var adminDoorbells: (tail: UInt32, head: UInt32) = (0, 0)
  /// The submission queue that has the next first turn: another after each look at which there was not enough for all.
  var firstQueue = 1
  /// Whether there are rate limits.
  var isLimited = false
  /// When commands that wait for the rate limits may begin, as of `Clock.monotonic`; `UInt64.max` where none waits.
  var restsUntil = UInt64.max
  /// Whether commands wait for a free request.
  var isStarved = false
  /// Whether a completion queue is full while commands wait.
  var isBlocked = false
  /// Whether the completion queue head doorbells are watched.
  var watchesHeads = false
  /// Completion queues with entries not yet signalled: bit n for identifier n + 1.
  var unsignalled: UInt64 = 0
  /// Whether a command has failed since interrupts were signalled: it is not made to wait for others.
  var hasFailure = false

  /// Requests of this controller in the table.
  var inFlight = 0
  /// Those of them that wait for `resume` or memory to post their completion.
  var parked = 0

  /// Threads whose queues have their doorbells announced here: a submission queue lives on the thread of its completion
  /// queue, whatever thread its identifier suggests.
  var forwards: [(thread: IOThreadHandle, port: Int, kick: PendingKick)] = []

  /// Acknowledgements owed to the control thread: several of a kind where it asked again before it had the first.
  var quiescences: [UInt64] = [] { didSet { noteAcknowledgements() } }
  var pauses: [UInt64] = [] { didSet { noteAcknowledgements() } }
  /// Those that wait for requests which were in flight when they came: unmappings, and the write cache turned off.
  var awaitings: [UInt64] = [] { didSet { noteAcknowledgements() } }
  /// Namespaces that go as soon as no request uses them.
  var retirements: [Retirement] = [] { didSet { noteAcknowledgements() } }
  /// The acknowledgement of its end, which came while requests were in flight.
  var detachment: UInt64?
  /// Whether one is owed.
  private(set) var owesAcknowledgement = false
  /// Requests that `awaitings` wait for.
  var awaited = 0

  /// An empty place.
  init() {
    number = 0
    description = nil
    maximumTransfer = 0
    isPolled = false
    submissionQueues = FixedTable(count: 0) { _ in SubmissionQueue() }
    completionQueues = FixedTable(count: 0) { _ in CompletionQueue() }
    namespaces = FixedTable(count: 0) { _ in NamespaceGeometry() }
    owners = FixedTable(count: 0) { _ in nil }
    vectors = InterruptVectors(count: 0)
    counters = PortCounters.Writer.none
  }

  /// A controller without queues and memory.
  init(_ number: Int, _ description: PortDescription) {
    self.number = number
    self.description = description
    maximumTransfer = description.maximumTransfer
    isPolled = description.isPolled
    submissionQueues = FixedTable(count: description.queueCount + 1) { _ in SubmissionQueue() }
    completionQueues = FixedTable(count: description.queueCount + 1) { _ in CompletionQueue() }
    namespaces = FixedTable(count: description.namespaceCount) { _ in NamespaceGeometry() }
    owners = FixedTable(count: description.namespaceCount) { _ in nil }
    vectors = InterruptVectors(count: description.vectorCount)
    // The description keeps them as long as the port has it.
    unsafe counters = description.counters.writer
  }

  /// Whether a controller is here.
  var isAttached: Bool { description != nil }

  /// Tells the control thread that what a token stood for is done.
  func acknowledge(_ token: UInt64) { description?.mailbox.post(.acknowledged(token: token)) }

  /// Gives every acknowledgement whose condition holds by now.
  mutating func acknowledgeWhatIsDone() {
    if inFlight == parked { ControllerPort.acknowledge(&pauses, description) }
    if awaited == 0 { ControllerPort.acknowledge(&awaitings, description) }
    if !retirements.isEmpty { finishRetirements() }
    if inFlight == 0 { ControllerPort.acknowledge(&quiescences, description) }
  }

  private static func acknowledge(_ tokens: inout [UInt64], _ description: PortDescription?) {
    for token in tokens { description?.mailbox.post(.acknowledged(token: token)) }
    tokens = []
  }

  private mutating func noteAcknowledgements() {
    owesAcknowledgement =
      !pauses.isEmpty || !awaitings.isEmpty || !quiescences.isEmpty || !retirements.isEmpty
  }

  /// Whether new values of doorbells have to be counted here, as nothing announces them.
  var countsDoorbells: Bool { isPolled || doorbellBuffers != nil }

  /// Looks at the admin queue's doorbells in the control thread's place; it is woken when one has changed.
  mutating func pollAdminDoorbells() {
    guard let description, description.lane == 0, let tail = description.slots.submissionQueueTail(0)?.load(),
      let head = description.slots.completionQueueHead(0)?.load()
    else { return }
    if tail != adminDoorbells.tail { description.adminEvent.signal() }
    if head != adminDoorbells.head, tail == adminDoorbells.tail { description.adminEvent.signal() }
    adminDoorbells = (tail, head)
  }

  /// Signals the interrupt of every completion queue that got entries: once for each vector.
  @inline(__always)
  mutating func signalInterrupts() {
    guard unsignalled != 0, !isPaused else { return }
    if vectors.coalesces { return coalesceInterrupts(now: Clock.monotonic) }
    if unsignalled & (unsignalled &- 1) == 0 {
      // Mostly there is one queue.
      let queue = unsignalled.trailingZeroBitCount &+ 1
      unsignalled = 0
      counters.countBatch(completionQueues[queue].takeBatch())
      if let vector = completionQueues[queue].interruptVector, vectors.signal(vector) { counters.countInterrupt() }
      return
    }
    signalSeveral()
  }

  /// Signals the interrupts of several queues: once for each vector.
  @inline(never)
  private mutating func signalSeveral() {
    var signalled: UInt64 = 0
    while unsignalled != 0 {
      let bit = unsignalled.trailingZeroBitCount
      unsignalled &= unsignalled &- 1
      counters.countBatch(completionQueues[bit &+ 1].takeBatch())
      guard let vector = completionQueues[bit &+ 1].interruptVector else { continue }
      // Several queues may share a vector; it is signalled once, as far as one word can tell.
      if vector < 64 {
        if signalled & (1 << UInt64(vector)) != 0 { continue }
        signalled |= 1 << UInt64(vector)
      }
      if vectors.signal(vector) { counters.countInterrupt() }
    }
  }

  /// Tells the control thread that the client had this thread wait for an eventfd of it.
  @inline(never)
  mutating func reportStall() {
    if vectors.takeStall() { description?.mailbox.post(.interruptStalled) }
  }

  /// Signals the interrupts of completion queues that got enough entries, and has the others wait for more.
  ///
  /// - Parameter now: CLOCK_MONOTONIC in ns.
  @inline(never)
  mutating func coalesceInterrupts(now: UInt64) {
    let isUrgent = hasFailure || isBlocked
    hasFailure = false
    while unsignalled != 0 {
      let queue = unsignalled.trailingZeroBitCount &+ 1
      unsignalled &= unsignalled &- 1
      let entries = completionQueues[queue].takeBatch()
      counters.countBatch(entries)
      // One at least: a whole turn around a queue looks like none.
      if let vector = completionQueues[queue].interruptVector,
        vectors.hold(vector, entries: max(entries, 1), now: now)
      {
        counters.countInterrupt()
      }
    }
    // The specification recommends that no error waits; and where a queue is full, the host has to make room.
    if isUrgent { releaseInterrupts() }
  }

  /// Delivers the interrupts that have waited long enough for more entries.
  ///
  /// - Parameter now: CLOCK_MONOTONIC in ns; `UInt64.max` for all that wait.
  mutating func releaseInterrupts(until now: UInt64 = UInt64.max) {
    for _ in 0..<vectors.release(until: now) { counters.countInterrupt() }
  }
}
