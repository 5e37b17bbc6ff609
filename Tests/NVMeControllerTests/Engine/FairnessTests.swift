import Glibc
import LinuxIO
import NVMeSpec
import Storage
import Testing

@testable import NVMeController

/// What a controller has to wait for on a thread that it shares with one that is never satisfied: in commands and bytes,
/// whatever the time is.
@Suite struct FairnessTests {
  /// What one controller has of a round at most. In numbers, as nobody would notice otherwise that there is no bound.
  private static let commands = 64
  private static let bytes = 1 << 20

  private static func read(_ iova: UInt64, blocks: UInt32 = 8) -> SubmissionQueueEntry {
    var command = SubmissionQueueEntry()
    command.opcode = NVMOpcode.read.rawValue
    command.namespaceIdentifier = 1
    command.numberOfLogicalBlocks = blocks
    command.prp1 = iova
    return command
  }

  /// Commands of the other controller from a doorbell to the completion, at most, in some rounds.
  private static func wait(
    _ rig: inout EngineRig, attack: SubmissionQueueEntry, command: SubmissionQueueEntry, rounds: Int = 40
  ) -> Int {
    var longest = 0
    for round in 0..<rounds {
      rig.fill(attack, 0)
      if round % 3 == 0 { rig.round() }
      rig.fill(attack, 0)
      let before = rig.completed(0)
      rig.submit(command, 1)
      while rig.inFlight(1) > 0 {
        rig.round()
        if rig.inFlight(1) > 0 { rig.fill(attack, 0) }
      }
      longest = max(longest, rig.completed(0) - before)
    }
    return longest
  }

  /// A controller with many queues has no more of a thread than one with few.
  @Test(arguments: [1, 4, 64]) func commandsOfAnother(queues: Int) throws {
    var rig = try EngineRig.make(queues: [queues, 1], .null, blockCount: 1 << 20)
    let command = FairnessTests.read(rig.data)
    let longest = FairnessTests.wait(&rig, attack: command, command: command)
    #expect(longest > 0, "the other one has work all the time")
    #expect(longest <= FairnessTests.commands)
  }

  /// Commands that fail count as well.
  @Test func failuresOfAnother() throws {
    var rig = try EngineRig.make(queues: [64, 1], .null, blockCount: 1 << 20)
    var attack = FairnessTests.read(rig.data)
    attack.opcode = NVMOpcode.flush.rawValue
    let longest = FairnessTests.wait(&rig, attack: attack, command: FairnessTests.read(rig.data))
    #expect(longest > 0 && longest <= FairnessTests.commands)
  }

  /// Where the thread itself moves the data, it is bytes that count.
  @Test func bytesOfAnother() throws {
    let image = try MemoryMapping(anonymous: 8 << 20)
    var rig = try EngineRig.make(
      queues: [8, 1], .memory(base: image.base, count: 8 << 20), blockCount: 16 << 10)
    let bytes = 512 << 10
    let attack = rig.longRead(bytes)
    let longest = FairnessTests.wait(&rig, attack: attack, command: FairnessTests.read(rig.data))
    #expect(longest > 0)
    #expect(longest * bytes <= FairnessTests.bytes + bytes)
  }

  /// A controller whose commands all need a bounce buffer leaves some to the others.
  @Test func bounceBuffersOfAnother() throws {
    let file = try FileDescriptor(path: "/dev/zero", flags: O_RDWR)
    var rig = try EngineRig.make(
      queues: [4, 1], .file(fd: file.rawValue), blockCount: 1 << 20, alignmentMask: 511)
    let command = FairnessTests.read(rig.data + 4, blocks: 1)
    // Many wait for a buffer.
    for _ in 0..<16 {
      rig.fill(command, 0)
      rig.round()
    }
    #expect(rig.engine.resources.waiterCount > 100)
    let longest = FairnessTests.wait(&rig, attack: command, command: command)
    // Those that have a buffer when the command comes, and those that get it then.
    #expect(longest > 0 && longest <= 2 * rig.engine.resources.bounce.count)
  }

  /// Every queue of a controller has its turn, and soon.
  @Test func queuesOfOne() throws {
    var rig = try EngineRig.make(queues: [64, 1], .null, blockCount: 1 << 20)
    let command = FairnessTests.read(rig.data)
    for _ in 0..<64 {
      rig.fill(command, 0)
      rig.round()
    }
    for queue in 0..<64 { #expect(rig.completed(0, queue) >= 64, "queue \(queue)") }
    // And nothing is forgotten when nobody rings any more.
    while rig.round() {}
    for queue in 0..<64 { #expect(rig.inFlight(0, queue) == 0, "queue \(queue)") }
  }

  /// A command that waits is found though the other queues have more than a round of them.
  @Test(arguments: 1...4 as ClosedRange<UInt16>) func abortsInAnyQueue(_ queue: UInt16) throws {
    var rig = try EngineRig.make(queues: [4], .null, blockCount: 1 << 20)
    rig.fill(FairnessTests.read(rig.data), 0)
    let isAborted = rig.engine.ports[0].abort(queue, 10, &rig.engine.resources)
    #expect(isAborted)
  }

  /// Alone a controller is served as long as there is something, in however many rounds.
  @Test func everythingOfOne() throws {
    var rig = try EngineRig.make(queues: [64], .null, blockCount: 1 << 20)
    rig.fill(FairnessTests.read(rig.data), 0)
    while rig.round() {}
    #expect(rig.completed(0) == 64 * (EngineRig.queueSize - 1))
  }

  /// A doorbell of a queue on another thread may be announced here before this thread knows that it has to tell that one.
  @Test func doorbellBeforeItsForwarding() throws {
    var rig = try EngineRig.make(queues: [1], .null, blockCount: 1 << 20)
    let other = try IOThreadHandle(portCount: 8)
    rig.engine.announce(port: 0)
    rig.engine.perform(.forward(port: 0, to: other, place: 7))
    let isTold = other.mailbox.takeAll().contains {
      if case .kick(port: 7, _) = $0 { true } else { false }
    }
    #expect(isTold, "nobody else will wake it")
  }

  /// A guest that rings while the other thread does not listen leaves one message there.
  @Test(arguments: [false, true]) func doorbellsOfAnotherThreadAreOneMessage(isValueless: Bool) throws {
    var rig = try EngineRig.make(queues: [1], .null, blockCount: 1 << 20)
    let other = try IOThreadHandle(portCount: 8)
    rig.engine.perform(.forward(port: 0, to: other, place: 7))
    func kicks() -> [PendingKick] {
      other.mailbox.takeAll().compactMap { if case .kick(port: 7, let kick) = $0 { kick } else { nil } }
    }
    func ring() { isValueless ? rig.engine.announceValueless(port: 0) : rig.engine.announce(port: 0) }
    for _ in 0..<3 {
      for _ in 0..<1000 { ring() }
      let kicks = kicks()
      #expect(kicks.count == 1)
      // As the other thread does.
      kicks.first?.take()
    }
  }
}
