import Glibc
import GuestMemory
import LinuxIO
import NVMeSpec
import Testing

@testable import NVMeController

/// What happens to a simple request between its beginning and its end: the harness can stop there.
struct EngineHarnessTests {
  private static let iova: UInt64 = 0x10_0000

  /// A queue pair of 4 entries on /dev/zero, whose reads are done when they are submitted.
  private struct Rig: ~Copyable {
    var harness: EngineHarness
    let memory: MemoryMapping
    let file: FileDescriptor
    let interrupt: EventFD
    let tail: SharedWord
    let head: SharedWord
    private var submitted = 0

    static func make() throws -> Rig {
      var harness = try EngineHarness.make(requestCount: 1, queueSize: 4)
      let memory = try MemoryMapping(anonymous: 1 << 20)
      let file = try FileDescriptor(path: "/dev/zero", flags: O_RDWR)
      let interrupt = try EventFD()
      harness.map(MemoryRegion(iova: iova, size: 1 << 20, host: memory.base, access: [.read, .write]))
      harness.setNamespace(.file(fd: file.rawValue), blockShift: 9, blockCount: 64, alignmentMask: 511)
      let doorbells = harness.createQueues(submission: iova, completion: iova + 4096, interrupt: interrupt.rawValue)
      let (tail, head) = try #require(doorbells)
      return Rig(harness, memory, file, interrupt, tail, head)
    }

    private init(
      _ harness: consuming EngineHarness, _ memory: consuming MemoryMapping, _ file: consuming FileDescriptor,
      _ interrupt: consuming EventFD, _ tail: SharedWord, _ head: SharedWord
    ) {
      self.harness = harness
      self.memory = memory
      self.file = file
      self.interrupt = interrupt
      self.tail = tail
      self.head = head
    }

    /// Submits a read of a page, and has it begun but not given to the kernel.
    mutating func begin() {
      var command = SubmissionQueueEntry()
      command.opcode = NVMOpcode.read.rawValue
      command.commandIdentifier = UInt16(0x700 + submitted)
      command.namespaceIdentifier = 1
      command.numberOfLogicalBlocks = 8
      command.prp1 = iova + 0x2000
      memory.base.storeBytes(of: command, toByteOffset: submitted % 4 * 64, as: SubmissionQueueEntry.self)
      submitted += 1
      tail.store(UInt32(submitted % 4))
      harness.engine.ports[0].service(&harness.engine.resources)
      let inFlight = inFlight
      #expect(inFlight == 1)
    }

    var inFlight: Int { harness.engine.ports[0].inFlight }
    var parked: Int { harness.engine.ports[0].parked }
    var hasQueue: Bool { harness.engine.ports[0].submissionQueues[1].isLive }

    mutating func round() { _ = harness.engine.round() }

    func entry(_ index: Int) -> CompletionQueueEntry {
      CompletionQueueEntry(
        memory.base.load(fromByteOffset: 4096 + index * 16, as: UInt64.self),
        memory.base.load(fromByteOffset: 4096 + index * 16 + 8, as: UInt64.self))
    }

    /// The acknowledgements given so far.
    func acknowledged() -> [UInt64] {
      harness.description.mailbox.takeAll().compactMap { event in
        if case .acknowledged(let token) = event { return token }
        return nil
      }
    }
  }

  @Test func aRequestInFlightAtAPauseIsCompletedAfterIt() throws {
    var rig = try Rig.make()
    rig.begin()
    rig.harness.engine.perform(.pause(port: 0, token: 5))
    rig.round()
    #expect(!rig.entry(0).phaseTag)
    let parked = rig.parked
    #expect(parked == 1)
    #expect(rig.acknowledged().contains(5))
    rig.harness.engine.perform(.resume(port: 0))
    #expect(
      rig.entry(0)
        == CompletionQueueEntry(
          sqHead: 1, sqIdentifier: 1, commandIdentifier: 0x700, status: .success, phaseTag: true))
    // The only slot is as good as new.
    rig.begin()
    rig.round()
    #expect(rig.entry(1).commandIdentifier == 0x701)
    #expect(rig.entry(1).phaseTag)
    let inFlight = rig.inFlight
    #expect(inFlight == 0)
  }

  @Test func theDeletionOfAQueueEndsWithItsRequestInFlight() throws {
    var rig = try Rig.make()
    rig.begin()
    rig.harness.engine.perform(.deleteSubmissionQueue(port: 0, 1, token: 9))
    #expect(!rig.acknowledged().contains(9))
    rig.round()
    #expect(rig.entry(0).phaseTag)
    #expect(rig.acknowledged() == [9])
    let hasQueue = rig.hasQueue
    #expect(!hasQueue)
  }

  @Test func anUnmappingWaitsForARequestInFlight() throws {
    var rig = try Rig.make()
    rig.begin()
    rig.harness.engine.perform(.pause(port: 0, token: 1))
    rig.harness.engine.perform(.unmap(port: 0, iova: EngineHarnessTests.iova, size: 1 << 20, token: 2))
    #expect(rig.acknowledged().allSatisfy { $0 == 0 })
    rig.round()
    #expect(Set(rig.acknowledged()) == [1, 2])
  }

  @Test func aResetLetsARequestInFlightEndSilently() throws {
    var rig = try Rig.make()
    rig.begin()
    rig.harness.engine.perform(.quiesce(port: 0, token: 3))
    #expect(!rig.acknowledged().contains(3))
    rig.round()
    #expect(rig.acknowledged() == [3])
    #expect(!rig.entry(0).phaseTag)
    let inFlight = rig.inFlight
    #expect(inFlight == 0)
  }
}
