import Glibc
import GuestMemory
import LinuxIO
import NVMeSpec
import Testing

@testable import NVMeController

/// A queue whose tokens are out rests until there are some: an engine with a clock that stands still.
@Suite struct ControllerPortLimitsTests {
  private static let iova: UInt64 = 0x10_0000
  private static let second: UInt64 = 1_000_000_000

  /// A queue pair of 64 entries on a null namespace.
  private struct Rig: ~Copyable {
    var harness: EngineHarness
    let memory: MemoryMapping
    let interrupt: EventFD
    let tail: SharedWord
    let head: SharedWord
    private var submitted = 0

    static func make(_ limits: RateLimits) throws -> Rig {
      var harness = try EngineHarness.make(requestCount: 64, queueSize: 64)
      let memory = try MemoryMapping(anonymous: 1 << 20)
      let interrupt = try EventFD()
      harness.map(MemoryRegion(iova: iova, size: 1 << 20, host: memory.base, access: [.read, .write]))
      harness.setNamespace(.null, blockShift: 9, blockCount: 64, alignmentMask: 0)
      let doorbells = harness.createQueues(submission: iova, completion: iova + 4096, interrupt: interrupt.rawValue)
      let (tail, head) = try #require(doorbells)
      harness.engine.resources.rateClock = .fixed(second)
      harness.description.limiter.set(limits, now: second)
      harness.engine.perform(.setLimited(port: 0, true))
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

    /// Submits commands, and rings.
    mutating func submit(_ count: Int, _ opcode: NVMOpcode = .read, blocks: UInt32 = 8) {
      for _ in 0..<count {
        var command = SubmissionQueueEntry()
        command.opcode = opcode.rawValue
        command.commandIdentifier = UInt16(submitted)
        command.namespaceIdentifier = 1
        command.numberOfLogicalBlocks = blocks
        command.prp1 = iova + 0x8000
        memory.base.storeBytes(of: command, toByteOffset: submitted % 64 * 64, as: SubmissionQueueEntry.self)
        submitted += 1
      }
      tail.store(UInt32(submitted % 64))
    }

    /// Rounds until the engine would sleep: what it would do then.
    mutating func settle(announced: Bool = false) -> IdlePolicy.Pause {
      if announced { harness.engine.announce(port: 0) }
      while true {
        let pause = harness.engine.round()
        if pause != .none { return pause }
      }
    }

    /// Completions so far, of a queue that never wrapped.
    var completed: Int {
      (0..<64).count { memory.base.load(fromByteOffset: 4096 + $0 * 16 + 14, as: UInt16.self) & 1 == 1 }
    }

    mutating func pass(_ nanoseconds: UInt64) {
      harness.engine.resources.rateClock = .fixed(harness.engine.resources.rateClock.now + nanoseconds)
    }

    var inFlight: Int { harness.engine.ports[0].inFlight }
  }

  private static func operations(_ rate: UInt64, burst: UInt64) -> RateLimits {
    var limits = RateLimits()
    limits.operations = RateLimit(perSecond: rate, burst: burst)
    return limits
  }

  @Test func restsUntilThereAreTokens() throws {
    var rig = try Rig.make(ControllerPortLimitsTests.operations(100, burst: 5))
    rig.submit(20)
    var pause = rig.settle(announced: true)
    #expect(rig.completed == 5)
    #expect(pause == .sleep(10_000_000), "until the next token")
    // Too early: nothing, and no more than the rest of the time.
    rig.pass(9_999_999)
    pause = rig.settle()
    #expect(pause == .sleep(1) && rig.completed == 5)
    rig.pass(1)
    pause = rig.settle()
    #expect(pause == .sleep(10_000_000) && rig.completed == 6)
    // A doorbell changes nothing of it.
    rig.submit(1)
    pause = rig.settle(announced: true)
    #expect(pause == .sleep(10_000_000) && rig.completed == 6)
    rig.pass(30_000_000)
    _ = rig.settle()
    #expect(rig.completed == 9)
    // All of them, in order, and then it sleeps without a deadline.
    for _ in 0..<12 {
      rig.pass(10_000_000)
      pause = rig.settle()
    }
    #expect(pause == .untilEvent && rig.completed == 21)
    for index in 0..<21 {
      #expect(rig.memory.base.load(fromByteOffset: 4096 + index * 16 + 12, as: UInt16.self) == UInt16(index))
    }
  }

  @Test func anAbortedCommandDoesNotWaitForTokens() throws {
    var rig = try Rig.make(ControllerPortLimitsTests.operations(1, burst: 1))
    rig.submit(3)
    _ = rig.settle(announced: true)
    #expect(rig.completed == 1)
    rig.harness.engine.perform(.abort(port: 0, submissionQueue: 1, command: 1, token: 1))
    #expect(rig.completed == 2)
    let status = rig.memory.base.load(fromByteOffset: 4096 + 16 + 14, as: UInt16.self) >> 1
    #expect(status == Status.abortRequested.rawValue)
    // It has cost nothing: the next has its token when it would have had it.
    let pause = rig.settle()
    #expect(pause == .sleep(1_000_000_000) && rig.completed == 2)
    rig.pass(1_000_000_000)
    _ = rig.settle()
    #expect(rig.completed == 3)
  }

  /// No commands, no wake-ups: whatever it owes.
  @Test func anIdleControllerSetsNoDeadline() throws {
    var rig = try Rig.make(ControllerPortLimitsTests.operations(1, burst: 1))
    rig.submit(1)
    var pause = rig.settle(announced: true)
    #expect(pause == .untilEvent && rig.completed == 1)
    pause = rig.settle(announced: true)
    #expect(pause == .untilEvent)
  }

  /// What a command costs: bytes of reads and writes, up to MDTS, one operation of anything.
  @Test func costs() throws {
    var limits = RateLimits()
    limits.writtenBytes = RateLimit(perSecond: 1_000_000, burst: 4096 * 3)
    var rig = try Rig.make(limits)
    rig.submit(10, .read)
    rig.submit(3, .write)
    rig.submit(1, .flush)
    rig.submit(1, .writeZeroes)
    _ = rig.settle(announced: true)
    #expect(rig.completed == 15, "nothing else is limited")
    rig.submit(1, .write)
    rig.submit(1, .read)
    let pause = rig.settle(announced: true)
    #expect(pause == .sleep(1_000_000), "for the bytes of a millisecond")
    #expect(rig.completed == 15, "the queue waits in order")
    rig.pass(1_000_000)
    _ = rig.settle()
    #expect(rig.completed == 17)
  }

  @Test func limitsThatGoOrGrow() throws {
    var rig = try Rig.make(ControllerPortLimitsTests.operations(1, burst: 1))
    rig.submit(20)
    _ = rig.settle(announced: true)
    #expect(rig.completed == 1)
    let now = rig.harness.engine.resources.rateClock.now
    rig.harness.description.limiter.set(ControllerPortLimitsTests.operations(1_000_000, burst: 10), now: now)
    rig.harness.engine.perform(.setLimited(port: 0, true))
    let pause = rig.settle()
    #expect(pause == .sleep(10_000), "at the new rate")
    rig.harness.engine.perform(.setLimited(port: 0, false))
    let end = rig.settle()
    #expect(end == .untilEvent && rig.completed == 20)
  }

  /// A reset or a pause while commands wait leaves no deadline behind, and what waited is not begun.
  @Test func resetAndPause() throws {
    var rig = try Rig.make(ControllerPortLimitsTests.operations(1, burst: 1))
    rig.submit(3)
    _ = rig.settle(announced: true)
    rig.harness.engine.perform(.pause(port: 0, token: 1))
    rig.pass(ControllerPortLimitsTests.second)
    var pause = rig.settle()
    #expect(pause == .untilEvent && rig.completed == 1)
    rig.harness.engine.perform(.resume(port: 0))
    pause = rig.settle()
    #expect(pause == .sleep(ControllerPortLimitsTests.second) && rig.completed == 2)
    rig.harness.engine.perform(.quiesce(port: 0, token: 2))
    rig.pass(ControllerPortLimitsTests.second)
    pause = rig.settle()
    #expect(pause == .untilEvent && rig.completed == 2 && rig.inFlight == 0)
  }
}
