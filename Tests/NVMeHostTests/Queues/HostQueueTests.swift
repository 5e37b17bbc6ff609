import LinuxIO
import NVMeSpec
import Testing
import VFIOUser

@testable import NVMeHost

/// A queue whose controller is the test itself: it reads the entries and doorbells, and posts completions.
/// A class, as the macros of the tests copy what a method is called on.
private final class Rig {
  static let tailSlot = 0
  static let headSlot = 4

  let slots: HostBuffer
  var queue: HostQueue
  private var postIndex = 0
  private var phase = true

  init(size: Int, completionSize: Int? = nil, identifiers: [UInt16] = [1], commands: Int? = nil) throws {
    let memory = try HostMemory(byteCount: 1 << 20)
    let slots = try memory.allocate(4096)
    let pair = try UnixSocketPair()
    let connection = HostConnection(ClientConnection(try pair.first.duplicate()))
    func doorbell(_ place: Int) -> HostDoorbell {
      unsafe HostDoorbell(
        offset: UInt64(0x1000 + place), word: SharedWord(at: slots.base + place), eventfd: -1, shadow: nil,
        connection: connection,
        posted: true, owner: nil)
    }
    let completionSize = completionSize ?? size
    let memories = try identifiers.map { _ in try memory.allocate(size * 64) }
    self.slots = slots
    queue = HostQueue(
      completionQueue: HostCompletionQueue(
        identifier: 1, size: completionSize, memory: try memory.allocate(completionSize * 16),
        doorbell: doorbell(Rig.headSlot), waiter: nil),
      submissionQueues: FixedTable(count: identifiers.count) {
        HostSubmissionQueue(
          identifier: identifiers[$0], size: size, memory: memories[$0], doorbell: doorbell(8 * $0),
          commands: commands ?? size - 1)
      },
      timeout: 0)
  }

  var tail: UInt32 { slots.load(at: Rig.tailSlot) }
  var head: UInt32 { slots.load(at: Rig.headSlot) }

  func entry(_ index: Int, of queueIndex: Int = 0) -> SubmissionQueueEntry {
    queue.submissionQueues[queueIndex].memory.load(at: index * 64)
  }

  func submit(_ entry: SubmissionQueueEntry = SubmissionQueueEntry(), to index: Int = 0) -> UInt16? {
    queue.submit(entry, to: index)
  }

  func nextCompletion() -> CompletionQueueEntry? { queue.nextCompletion() }

  func awaitCompletion(of identifier: UInt16) throws -> CompletionQueueEntry {
    try queue.awaitCompletion(of: identifier)
  }

  func execute() throws -> CompletionQueueEntry { try queue.execute(SubmissionQueueEntry()) }

  func post(_ command: UInt16, sqHead: Int, queue identifier: UInt16 = 1, dw0: UInt32 = 0) {
    let entry = CompletionQueueEntry(
      dw0: dw0, sqHead: UInt16(sqHead), sqIdentifier: identifier, commandIdentifier: command, status: .success,
      phaseTag: phase)
    queue.completionQueue.memory.store(entry, at: postIndex * 16)
    postIndex += 1
    if postIndex == queue.completionQueue.size {
      postIndex = 0
      phase.toggle()
    }
  }
}

@Suite struct HostQueueTests {
  @Test func writesTheEntryAndThenTheDoorbell() throws {
    let rig = try Rig(size: 4)
    let entry = SubmissionQueueEntry(
      cdw0: 0x1234_0002, namespaceIdentifier: 7, metadataPointer: 8, dataPointer0: 9, dataPointer1: 10, cdw15: 11)
    #expect(rig.submit(entry) == 0)
    #expect(rig.submit(entry) == 1)
    #expect(rig.tail == 0)
    rig.queue.ring()
    #expect(rig.tail == 2)
    var wanted = entry
    wanted.cdw0 = 0x0000_0002
    #expect(rig.entry(0) == wanted)
    wanted.cdw0 = 0x0001_0002
    #expect(rig.entry(1) == wanted)
    #expect(rig.entry(2) == SubmissionQueueEntry())
  }

  @Test func ringsOnlyForNews() throws {
    let rig = try Rig(size: 4)
    _ = rig.submit()
    rig.queue.ring()
    rig.slots.store(UInt32(99), at: Rig.tailSlot)
    rig.slots.store(UInt32(99), at: Rig.headSlot)
    rig.queue.ring()
    rig.queue.acknowledge()
    #expect(rig.tail == 99)
    #expect(rig.head == 99)
  }

  @Test func isFullWithOneEntryLess() throws {
    let rig = try Rig(size: 4)
    for command in 0..<3 { #expect(rig.submit() == UInt16(command)) }
    #expect(rig.queue.submissionQueues[0].isFull == true)
    #expect(rig.submit() == nil)
    rig.post(1, sqHead: 2)
    #expect(rig.nextCompletion()?.commandIdentifier == 1)
    #expect(rig.queue.submissionQueues[0].head == 2)
    #expect(rig.queue.submissionQueues[0].inFlight == 2)
    // The identifier that came back is used again, and the tail wraps.
    #expect(rig.submit(SubmissionQueueEntry(cdw10: 5)) == 1)
    #expect(rig.queue.submissionQueues[0].tail == 0)
    #expect(rig.entry(3).cdw10 == 5)
    rig.queue.ring()
    #expect(rig.tail == 0)
  }

  /// With more identifiers than entries, the head decides.
  @Test func mayHaveMoreCommandsThanEntries() throws {
    let rig = try Rig(size: 2, completionSize: 8, commands: 5)
    #expect(rig.submit() == 0)
    #expect(rig.submit() == nil)
    #expect(rig.queue.submissionQueues[0].inFlight == 1)
    rig.post(0, sqHead: 1)
    _ = rig.nextCompletion()
    #expect(rig.submit() == 0)
    #expect(rig.queue.violations == 0)
  }

  @Test func followsThePhaseAroundTheRing() throws {
    let rig = try Rig(size: 8, completionSize: 3)
    for round in 0..<10 {
      #expect(rig.nextCompletion() == nil)
      #expect(rig.queue.completionQueue.hasEntry == false)
      let command = try #require(rig.submit())
      rig.post(command, sqHead: (round + 1) % 8, dw0: UInt32(round))
      #expect(rig.queue.completionQueue.hasEntry == true)
      let entry = try #require(rig.nextCompletion())
      #expect(entry.dw0 == UInt32(round))
      #expect(entry.phaseTag == (round / 3 % 2 == 0))
      rig.queue.acknowledge()
      #expect(rig.head == UInt32((round + 1) % 3))
      #expect(rig.queue.completionQueue.phaseTag == ((round + 1) / 3 % 2 == 0))
    }
    #expect(rig.queue.violations == 0)
  }

  @Test func reapsManyAndAcknowledgesOnce() throws {
    let rig = try Rig(size: 8, completionSize: 8)
    for _ in 0..<5 { _ = rig.submit() }
    for command in [4, 2, 0, 1, 3] { rig.post(UInt16(command), sqHead: 5) }
    var entries: [CompletionQueueEntry] = []
    rig.queue.poll(into: &entries, limit: 2)
    #expect(entries.map(\.commandIdentifier) == [4, 2])
    #expect(rig.head == 0)
    rig.queue.poll(into: &entries)
    #expect(entries.map(\.commandIdentifier) == [4, 2, 0, 1, 3])
    rig.queue.acknowledge()
    #expect(rig.head == 5)
    #expect(rig.queue.submissionQueues[0].inFlight == 0)
  }

  @Test func severalSubmissionQueuesShareACompletionQueue() throws {
    let rig = try Rig(size: 4, completionSize: 8, identifiers: [5, 9])
    #expect(rig.submit(to: 1) == 0)
    #expect(rig.submit(to: 0) == 0)
    #expect(rig.submit(to: 1) == 1)
    rig.queue.ring()
    #expect(rig.slots.load(UInt32.self, at: 0) == 1)
    #expect(rig.slots.load(UInt32.self, at: 8) == 2)
    rig.post(1, sqHead: 2, queue: 9)
    rig.post(0, sqHead: 1, queue: 5)
    _ = rig.nextCompletion()
    #expect(rig.queue.submissionQueues[0].inFlight == 1)
    #expect(rig.queue.submissionQueues[1].inFlight == 1)
    #expect(rig.queue.submissionQueues[1].head == 2)
    _ = rig.nextCompletion()
    #expect(rig.queue.submissionQueues[0].inFlight == 0)
    #expect(rig.queue.violations == 0)
  }

  @Test(arguments: [(UInt16(3), 1, UInt16(1)), (1, 1, 1), (0, 4, 1), (0, 1, 2), (0xFFFF, 1, 1)])
  func noticesCompletionsThatCannotBe(command: UInt16, sqHead: Int, identifier: UInt16) throws {
    let rig = try Rig(size: 4)
    _ = rig.submit()
    rig.post(command, sqHead: sqHead, queue: identifier)
    #expect(rig.nextCompletion() != nil)
    #expect(rig.queue.violations == 1)
  }

  @Test func aCommandCompletesOnce() throws {
    let rig = try Rig(size: 4)
    _ = rig.submit()
    rig.post(0, sqHead: 1)
    rig.post(0, sqHead: 1)
    _ = rig.nextCompletion()
    #expect(rig.queue.violations == 0)
    _ = rig.nextCompletion()
    #expect(rig.queue.violations == 1)
  }

  @Test func findsItsCompletionAmongOthers() throws {
    let rig = try Rig(size: 8)
    rig.queue.timeout = 1_000_000_000
    for _ in 0..<3 { _ = rig.submit() }
    for command in [2, 0, 1] { rig.post(UInt16(command), sqHead: 3, dw0: UInt32(command)) }
    #expect(try rig.awaitCompletion(of: 1).dw0 == 1)
    #expect(rig.queue.unclaimed.map(\.dw0) == [2, 0])
    #expect(rig.head == 3)
    #expect(try rig.awaitCompletion(of: 2).dw0 == 2)
    #expect(rig.queue.unclaimed.map(\.dw0) == [0])
  }

  @Test func waitsNoLongerThanItsTimeout() throws {
    let rig = try Rig(size: 4)
    let error = #expect(throws: HostError.self) { try rig.execute() }
    #expect(error == .timedOut("a completion on queue 1"))
    #expect(rig.tail == 1)
    _ = rig.submit()
    _ = rig.submit()
    #expect(throws: HostError.queueFull) { try rig.execute() }
  }

  @Test func writesRawEntriesWhateverTheState() throws {
    let rig = try Rig(size: 2)
    let entry = SubmissionQueueEntry(cdw0: 0xBEEF_0000)
    for _ in 0..<3 { rig.queue.submissionQueues[0].write(entry) }
    #expect(rig.entry(0) == entry)
    #expect(rig.entry(1) == entry)
    #expect(rig.queue.submissionQueues[0].tail == 1)
    #expect(rig.queue.submissionQueues[0].inFlight == 0)
  }

  @Test func losesCountOnRequest() throws {
    let rig = try Rig(size: 4)
    rig.queue.submissionQueues[0].move(toTail: 2)
    #expect(rig.submit(SubmissionQueueEntry(cdw10: 1)) == 0)
    #expect(rig.entry(2).cdw10 == 1)
    rig.queue.ring()
    #expect(rig.tail == 3)

    #expect(rig.nextCompletion() == nil)
    rig.queue.completionQueue.move(toHead: 2, phaseTag: false)
    // What was never posted looks like a completion with the other phase tag.
    #expect(rig.nextCompletion()?.phaseTag == false)
    rig.queue.acknowledge()
    #expect(rig.head == 3)
  }
}
