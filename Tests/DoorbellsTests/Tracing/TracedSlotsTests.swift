import Glibc
import LinuxIO
import Testing

@testable import Doorbells

/// Slots whose values a program stores, and messages beside them.
@Suite(.enabled(if: tracerRefusal == nil, "\(tracerRefusal?.description ?? "")")) struct TracedSlotsTests {
  /// What the program does at a write of the guest.
  private func trace(_ page: TracedPage, _ offset: Int, _ value: UInt32) {
    SharedWord(at: page.slots + offset).store(value)
    let counter = SharedWord(at: page.slots + 4096 + offset)
    counter.store(counter.load() &+ 1)
  }

  private func traced() throws -> (DoorbellSlots, TracedPage, DoorbellTracer) {
    let tracer = try DoorbellTracer.load(clients: 1)
    let page = try tracer.makePage(process: getpid())
    let slots = try DoorbellSlots()
    slots.trace(page)
    return (slots, page, tracer)
  }

  @Test func valuesAreThoseOfTheTracer() throws {
    let (slots, page, _) = try traced()
    trace(page, 0, 5)
    trace(page, 8, 6)
    trace(page, 12, 7)
    #expect(slots.submissionQueueTail(0)?.load() == 5)
    #expect(slots.submissionQueueTail(1)?.load() == 6)
    #expect(slots.completionQueueHead(1)?.load() == 7)
    #expect(slots.tracedAdminTails == 1)
    slots.clear()
    #expect(slots.submissionQueueTail(1)?.load() == 0)
    #expect(slots.tracedAdminTails == 0)
    trace(page, 0, 1)
    trace(page, 0, 2)
    trace(page, 8, 2)
    #expect(slots.tracedAdminTails == 2)
    // The client sees nothing of it.
    let memfd = try MemoryMapping(fd: slots.descriptor, offset: 0, count: 4096, .read)
    #expect(UnsafeRawBufferPointer(start: memfd.base, count: 4096).allSatisfy { $0 == 0 })
  }

  @Test func aMessageDoesNotTakeALaterValueBack() throws {
    let (slots, page, _) = try traced()
    slots.clear()
    // The guest goes on while its first doorbell is under way as a posted message.
    trace(page, 8, 1)
    trace(page, 8, 2)
    slots.take(message: 1, at: 8)
    #expect(slots.submissionQueueTail(1)?.load() == 2)
    slots.take(message: 2, at: 8)
    #expect(slots.submissionQueueTail(1)?.load() == 2)
    // The next one comes before the program has seen as many: it does not see them all.
    slots.take(message: 3, at: 8)
    #expect(slots.submissionQueueTail(1)?.load() == 3)
  }

  @Test func aMessageThatTheProgramDoesNotSeeIsStored() throws {
    let (slots, page, _) = try traced()
    // Stores of before the reset do not count.
    trace(page, 8, 9)
    trace(page, 8, 9)
    slots.clear()
    slots.take(message: 1, at: 8)
    #expect(slots.submissionQueueTail(1)?.load() == 1)
    slots.take(message: 2, at: 8)
    #expect(slots.submissionQueueTail(1)?.load() == 2)
    // Another doorbell is counted for itself.
    trace(page, 16, 4)
    slots.take(message: 3, at: 8)
    #expect(slots.submissionQueueTail(1)?.load() == 3)
    #expect(slots.submissionQueueTail(2)?.load() == 4)
  }

  /// What the program saw at the old address is no sign that it sees the new one.
  @Test func aMessageAfterAMoveIsStored() throws {
    let (slots, page, _) = try traced()
    slots.clear()
    for tail in 1...5 as ClosedRange<UInt32> {
      trace(page, 0, tail)
      trace(page, 8, tail)
    }
    slots.noteMove()
    slots.take(message: 6, at: 8)
    #expect(slots.submissionQueueTail(1)?.load() == 6)
    // Signals of before the move are explained all the same.
    #expect(slots.tracedAdminTails == 5)
    slots.clear()
    #expect(slots.tracedAdminTails == 0)
  }

  @Test func messagesToSlotsThatAreNotTracedAreStored() throws {
    let slots = try DoorbellSlots()
    #expect(slots.tracedAdminTails == nil)
    for offset in [0, 8, 12, 4092] as [UInt64] { slots.take(message: UInt32(offset) + 1, at: offset) }
    #expect(slots.submissionQueueTail(0)?.load() == 1)
    #expect(slots.submissionQueueTail(1)?.load() == 9)
    #expect(slots.completionQueueHead(1)?.load() == 13)
    #expect(slots.completionQueueHead(511)?.load() == 4093)
    for offset in [1, 2, 4096, 1 << 40, .max] as [UInt64] { slots.take(message: 77, at: offset) }
    for queue in 0..<512 as Range<UInt16> { #expect(slots.submissionQueueTail(queue)?.load() != 77) }
  }
}
