import GuestMemory
import LinuxIO
import NVMeSpec
import Storage
import Testing

@testable import NVMeController

/// Interrupts that wait for more entries: features 08h and 09h. Time is what the tests say it is.
@Suite struct InterruptCoalescingTests {
  /// The eventfd of a vector.
  private final class Interrupt {
    let event: EventFD
    init() throws(Errno) { event = try EventFD() }
    /// Signals since the last call.
    func take() -> UInt64 { event.drain() }
  }

  private static func coalescing(_ thr: UInt8, _ time: UInt8, exempt: Set<UInt16> = []) -> InterruptCoalescing {
    var feature = InterruptCoalescingFeature()
    feature.aggregationThreshold = thr
    feature.aggregationTime = time
    return InterruptCoalescing(feature, exemptVectors: exempt)
  }

  /// Vectors with eventfds, of which interrupts wait for 4 entries and 200 us unless it is said otherwise.
  private final class Vectors {
    var vectors: InterruptVectors
    let interrupts: [Interrupt]

    init(_ count: Int, _ coalescing: InterruptCoalescing? = nil) throws {
      let interrupts = try (0..<count).map { _ in try Interrupt() }
      self.interrupts = interrupts
      vectors = InterruptVectors(count: count)
      for (index, interrupt) in interrupts.enumerated() { install(interrupt, at: index) }
      set(coalescing ?? InterruptCoalescingTests.coalescing(3, 2))
    }

    var deadline: UInt64 { vectors.deadline }
    var coalesces: Bool { vectors.coalesces }
    /// Signals of each vector since the last call.
    func take() -> [UInt64] { interrupts.map { $0.take() } }
    func hold(_ vector: Int, _ entries: Int = 1, at now: UInt64 = 0) {
      vectors.hold(vector, entries: entries, now: now)
    }
    func release(until now: UInt64) { vectors.release(until: now) }
    func set(_ coalescing: InterruptCoalescing) { vectors.setCoalescing(coalescing) }
    func install(_ interrupt: Interrupt?, at vector: Int = 0, hasEntries: Bool = false) {
      vectors.install(interrupt?.event.rawValue ?? -1, vector: vector, hasEntries: hasEntries)
    }
  }

  /// The threshold is 0's based, the time in units of 100 us, and either with 0 turns it off.
  @Test(
    arguments: [
      (0, 0, 1, 0, false), (0, 1, 1, 100_000, false), (1, 0, 2, 0, false), (1, 1, 2, 100_000, true),
      (255, 255, 256, 25_500_000, true),
    ] as [(UInt8, UInt8, Int, UInt64, Bool)])
  func fields(_ thr: UInt8, _ time: UInt8, threshold: Int, nanoseconds: UInt64, isOn: Bool) {
    let coalescing = InterruptCoalescingTests.coalescing(thr, time)
    #expect(coalescing.threshold == threshold && coalescing.time == nanoseconds && coalescing.isOn == isOn)
    #expect(InterruptCoalescing.off.isOn == false)
  }

  // MARK: One vector

  @Test func anInterruptComesWithTheLastEntryOfTheThreshold() throws {
    let rig = try Vectors(1)
    for _ in 0..<3 {
      for entry in 1...4 {
        rig.hold(0, at: 1000)
        #expect(rig.interrupts[0].take() == (entry == 4 ? 1 : 0), "entry \(entry)")
        #expect(rig.deadline == (entry == 4 ? UInt64.max : 201_000))
      }
    }
    // More at once than it takes are one interrupt.
    rig.hold(0, 3)
    rig.hold(0, 9)
    #expect(rig.take() == [1])
  }

  @Test func anInterruptWaitsNoLongerThanTheTimeSinceItsFirstEntry() throws {
    let rig = try Vectors(1)
    rig.hold(0, at: 1000)
    rig.hold(0, at: 150_000)
    #expect(rig.deadline == 201_000)
    rig.release(until: 200_999)
    #expect(rig.take() == [0])
    rig.release(until: 201_000)
    #expect(rig.take() == [1])
    #expect(rig.deadline == UInt64.max)
    rig.release(until: UInt64.max)
    #expect(rig.take() == [0])
  }

  @Test(arguments: [(0, 0), (0, 9), (9, 0)] as [(UInt8, UInt8)])
  func nothingWaitsWhereItIsOff(_ thr: UInt8, _ time: UInt8) throws {
    let rig = try Vectors(1, InterruptCoalescingTests.coalescing(thr, time))
    #expect(!rig.coalesces)
    rig.hold(0)
    #expect(rig.take() == [1])
    #expect(rig.deadline == UInt64.max)
  }

  // MARK: Several vectors

  @Test func eachVectorHasItsOwnEntriesAndTime() throws {
    let rig = try Vectors(3)
    rig.hold(0, 3)
    rig.hold(1, 3, at: 50_000)
    rig.hold(2, at: 60_000)
    rig.hold(1, at: 70_000)
    #expect(rig.take() == [0, 1, 0])
    rig.release(until: 200_000)
    #expect(rig.take() == [1, 0, 0])
    #expect(rig.deadline == 260_000)
    rig.release(until: 260_000)
    #expect(rig.take() == [0, 0, 1])
  }

  @Test func aVectorWithCoalescingDisableDoesNotWait() throws {
    let rig = try Vectors(2, InterruptCoalescingTests.coalescing(3, 2, exempt: [1]))
    rig.hold(0)
    rig.hold(1)
    #expect(rig.take() == [0, 1])
  }

  // MARK: Nothing is lost

  @Test func whatWaitsIsDeliveredWhenTheFeatureChanges() throws {
    for coalescing in [
      InterruptCoalescing.off, InterruptCoalescingTests.coalescing(3, 2, exempt: [0]),
      InterruptCoalescingTests.coalescing(200, 200),
    ] {
      let rig = try Vectors(1)
      rig.hold(0)
      rig.set(coalescing)
      #expect(rig.take() == [1])
      #expect(rig.deadline == UInt64.max)
    }
  }

  @Test func whatWaitsGoesToTheNextEventFD() throws {
    let rig = try Vectors(1)
    let next = try Interrupt()
    rig.hold(0)
    // Even where the host seems to have consumed the entries.
    rig.install(next)
    #expect(rig.take() == [0])
    #expect(next.take() == 1)
    #expect(rig.deadline == UInt64.max)
  }

  @Test func withoutAnEventFDItWaitsForOneAndForNothingElse() throws {
    let rig = try Vectors(1)
    rig.hold(0)
    rig.install(nil, hasEntries: true)
    #expect(rig.deadline == UInt64.max)
    rig.install(rig.interrupts[0])
    #expect(rig.take() == [1])
    rig.install(nil)
    rig.hold(0)
    #expect(rig.deadline == UInt64.max)
    rig.install(rig.interrupts[0])
    #expect(rig.take() == [1])
  }

  @Test func aResetForgetsWhatWaitsAndThatAnythingHasTo() throws {
    let rig = try Vectors(1)
    rig.hold(0)
    rig.vectors.reset()
    #expect(rig.deadline == UInt64.max)
    rig.install(rig.interrupts[0])
    #expect(rig.take() == [0])
    rig.hold(0)
    #expect(rig.take() == [1])
  }

  @Test func vectorsThatAreNotThere() throws {
    let rig = try Vectors(1)
    for vector in [-1, 1, Int.max, Int.min] {
      rig.hold(vector, 100)
      rig.vectors.signal(vector)
    }
    rig.release(until: UInt64.max)
    #expect(rig.take() == [0])
  }

  // MARK: A port

  /// A port with a queue of 8 entries on vector 0, whose commands end at once.
  private final class Rig {
    static let iova: UInt64 = 0x10_0000
    var harness: EngineHarness
    let memory: MemoryMapping
    let interrupt: EventFD
    let tail: SharedWord
    let head: SharedWord
    private var submitted = 0

    static func make(_ coalescing: InterruptCoalescing) throws -> Rig {
      var harness = try EngineHarness.make(requestCount: 16, queueSize: 8)
      let memory = try MemoryMapping(anonymous: 1 << 20)
      let interrupt = try EventFD()
      harness.map(MemoryRegion(iova: iova, size: 1 << 20, host: memory.base, access: [.read, .write]))
      harness.setNamespace(.null, blockShift: 9, blockCount: 64, alignmentMask: 511)
      let doorbells = harness.createQueues(submission: iova, completion: iova + 4096, interrupt: interrupt.rawValue)
      let (tail, head) = try #require(doorbells)
      harness.engine.perform(.setCoalescing(port: 0, coalescing, token: 0))
      return Rig(harness, memory, interrupt, tail, head)
    }

    private init(
      _ harness: consuming EngineHarness, _ memory: consuming MemoryMapping, _ interrupt: consuming EventFD,
      _ tail: SharedWord, _ head: SharedWord
    ) {
      self.harness = harness
      self.memory = memory
      self.interrupt = interrupt
      self.tail = tail
      self.head = head
    }

    /// Submits commands, has them done in one look, and signals what does not wait.
    ///
    /// - Returns: interrupts.
    func flush(_ count: Int, at now: UInt64, fails: Bool = false) -> UInt64 {
      for index in 0..<count {
        var command = SubmissionQueueEntry()
        command.opcode = fails && index == 0 ? 0x7f : NVMOpcode.flush.rawValue
        command.namespaceIdentifier = 1
        memory.base.storeBytes(of: command, toByteOffset: submitted % 8 * 64, as: SubmissionQueueEntry.self)
        submitted += 1
      }
      tail.store(UInt32(submitted % 8))
      harness.look(at: now)
      return interrupt.drain()
    }

    /// The host consumes everything.
    func consume() { head.store(UInt32(submitted % 8)) }

    func perform(_ command: IOCommand) -> UInt64 {
      harness.engine.perform(command)
      return interrupt.drain()
    }

    func round() { _ = harness.engine.round() }
    func take() -> UInt64 { interrupt.drain() }
    var deadline: UInt64 { harness.engine.ports[0].vectors.deadline }
    var engineDeadline: UInt64 { harness.engine.interruptDeadline }
  }

  /// Entries are counted across the end of the queue.
  @Test func entriesAreCounted() throws {
    let rig = try Rig.make(InterruptCoalescingTests.coalescing(2, 1))
    var interrupts: [UInt64] = []
    for count in [1, 1, 1, 2, 1, 3, 2, 5, 1, 1, 1] {
      interrupts.append(rig.flush(count, at: 0))
      rig.consume()
    }
    #expect(interrupts == [0, 0, 1, 0, 1, 1, 0, 1, 0, 0, 1])
  }

  @Test func entriesFromBeforeTheFeatureDoNotCount() throws {
    let rig = try Rig.make(.off)
    #expect(rig.flush(5, at: 0) == 1)
    rig.consume()
    _ = rig.perform(.setCoalescing(port: 0, InterruptCoalescingTests.coalescing(3, 1), token: 0))
    #expect(rig.flush(3, at: 0) == 0)
    #expect(rig.flush(1, at: 0) == 1)
  }

  @Test func aFailedCommandDoesNotWait() throws {
    let rig = try Rig.make(InterruptCoalescingTests.coalescing(6, 1))
    #expect(rig.flush(1, at: 0) == 0)
    #expect(rig.flush(2, at: 0, fails: true) == 1)
    rig.consume()
    #expect(rig.flush(1, at: 0) == 0, "those after it do")
  }

  /// Fewer entries than the threshold fit into the queue: the host is to make room.
  @Test func aFullQueueDoesNotWait() throws {
    let rig = try Rig.make(InterruptCoalescingTests.coalescing(255, 255))
    #expect(rig.flush(7, at: 0) == 0)
    #expect(rig.flush(1, at: 0) == 1)
  }

  @Test func thePortDeliversWhatWaits() throws {
    let on = InterruptCoalescingTests.coalescing(6, 1)
    for command in [
      IOCommand.pause(port: 0, token: 1), .deleteCompletionQueue(port: 0, 1, token: 1),
      .setCoalescing(port: 0, on, token: 1),
    ] {
      let rig = try Rig.make(on)
      #expect(rig.flush(2, at: 0) == 0)
      #expect(rig.perform(command) == 1, "\(command)")
      #expect(rig.deadline == UInt64.max)
    }
    let rig = try Rig.make(on)
    #expect(rig.flush(2, at: 0) == 0)
    #expect(rig.perform(.quiesce(port: 0, token: 1)) == 0, "the queues are gone")
    #expect(rig.deadline == UInt64.max)
  }

  /// What the thread sleeps for at most: nothing unless an interrupt waits.
  @Test func theEngineHasADeadlineWhileAnInterruptWaits() throws {
    let rig = try Rig.make(InterruptCoalescingTests.coalescing(6, 255))
    rig.round()
    #expect(rig.engineDeadline == UInt64.max)
    #expect(rig.flush(2, at: UInt64.max / 2) == 0)
    rig.round()
    #expect(rig.engineDeadline == UInt64.max / 2 + 25_500_000)
    #expect(rig.flush(5, at: UInt64.max / 2) == 1)
    rig.round()
    #expect(rig.engineDeadline == UInt64.max)
    rig.consume()
    // One whose time has come is signalled by the round.
    #expect(rig.flush(2, at: 0) == 0)
    rig.round()
    #expect(rig.take() == 1)
  }

  // MARK: A controller

  /// Commands one after the other, of which eight have one interrupt.
  @Test(arguments: Host.DoorbellPath.allCases) func oneInterruptForManyCommands(_ path: Host.DoorbellPath) throws {
    let host = try Host([try .memory()], path: path)
    try host.createQueuePair(vector: 3)
    let time: UInt64 = 25_500_000
    let start = Clock.monotonic
    #expect(try host.admin(.setFeatures(FeatureIdentifier.interruptCoalescing.rawValue, 0xff07)).status == .success)
    _ = host.takeInterrupts(3)
    for _ in 0..<80 { try host.io(.flush()) }
    // On a machine that is slow enough, time is over before there are eight.
    #expect(host.takeInterrupts(3) <= 10 + (Clock.monotonic - start) / time)
    try host.io(.flush())
    try host.wait("an interrupt when the time is over") { host.takeInterrupts(3) > 0 }
  }

  @Test func theAdminQueueDoesNotWait() throws {
    let host = try Host([try .memory()])
    try host.admin(.setFeatures(FeatureIdentifier.interruptCoalescing.rawValue, 0xffff))
    for _ in 0..<5 {
      _ = host.takeInterrupts(0)
      try host.admin(.getFeatures(1))
      #expect(host.takeInterrupts(0) == 1)
    }
  }

  @Test func coalescingDisableOfAVector() throws {
    let host = try Host([try .memory()])
    try host.createQueuePair(vector: 3)
    try host.admin(.setFeatures(FeatureIdentifier.interruptCoalescing.rawValue, 0xffff))
    let vector = FeatureIdentifier.interruptVectorConfiguration.rawValue
    #expect(try host.admin(.setFeatures(vector, 1 << 16 | 3)).status == .success)
    try host.settle()
    _ = host.takeInterrupts(3)
    for _ in 0..<5 {
      try host.io(.flush())
      try host.settle()
      #expect(host.takeInterrupts(3) == 1)
    }
  }

  /// A reset turns it off, on the I/O threads too.
  @Test func aResetTurnsItOff() throws {
    let host = try Host([try .memory()])
    try host.admin(.setFeatures(FeatureIdentifier.interruptCoalescing.rawValue, 0xffff))
    try host.disable()
    try host.enable()
    try host.createQueuePair(vector: 3)
    try host.settle()
    _ = host.takeInterrupts(3)
    for _ in 0..<5 {
      try host.io(.flush())
      try host.settle()
      #expect(host.takeInterrupts(3) == 1)
    }
  }
}

extension EngineHarness {
  /// One look at the doorbells, and the interrupts of what it found.
  fileprivate mutating func look(at now: UInt64) {
    engine.ports[0].service(&engine.resources)
    engine.ports[0].coalesceInterrupts(now: now)
  }
}
