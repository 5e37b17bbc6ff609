import Glibc
import LinuxIO
import Testing

@testable import Doorbells

/// What a client sees of the slots: a mapping of the memfd that it was given.
private func clientMapping(_ slots: DoorbellSlots, offset: Int64 = 0) throws -> MemoryMapping {
  try MemoryMapping(fd: slots.descriptor, offset: offset, count: DoorbellSlots.byteCount, [.read, .write])
}

@Suite struct DoorbellSlotsTests {
  /// CAP.DSTRD 0: the tail of submission queue y lies at 1000h + 8y, the head of completion queue y 4 bytes behind.
  @Test func theLayoutIsThatOfTheRegisters() throws {
    let slots = try DoorbellSlots()
    let client = try clientMapping(slots)
    for queue in [0, 1, 2, 63, 64, 255, 511] as [UInt16] {
      let offset = Int(queue) * 8
      let tail = try #require(slots.submissionQueueTail(queue))
      let head = try #require(slots.completionQueueHead(queue))
      client.base.storeBytes(of: 0x1111_0000 + UInt32(queue), toByteOffset: offset, as: UInt32.self)
      client.base.storeBytes(of: 0x2222_0000 + UInt32(queue), toByteOffset: offset + 4, as: UInt32.self)
      #expect(tail.load() == 0x1111_0000 + UInt32(queue))
      #expect(head.load() == 0x2222_0000 + UInt32(queue))
      head.store(5)
      #expect(client.base.load(fromByteOffset: offset + 4, as: UInt32.self) == 5)
      #expect(client.base.load(fromByteOffset: offset, as: UInt32.self) == 0x1111_0000 + UInt32(queue))
    }
  }

  @Test func slotOffsetsAreThoseOfTheDoorbells() {
    for offset in [0, 4, 8, 0xffc] as [UInt64] { #expect(DoorbellSlots.slotOffset(doorbellOffset: offset) == offset) }
  }

  @Test(arguments: [512, 513, 1024, 0x7fff, 0x8000, 0xffff] as [UInt16])
  func thereIsNoSlotBehindThePage(queue: UInt16) throws {
    let slots = try DoorbellSlots()
    #expect(slots.submissionQueueTail(queue) == nil)
    #expect(slots.completionQueueHead(queue) == nil)
  }

  @Test func beginsAtZeroAndForgetsEverything() throws {
    let slots = try DoorbellSlots()
    let client = try clientMapping(slots)
    let bytes = UnsafeRawBufferPointer(start: client.base, count: client.count)
    #expect(bytes.allSatisfy { $0 == 0 })
    memset(client.base, 0xff, client.count)
    slots.clear()
    #expect(bytes.allSatisfy { $0 == 0 })
  }

  @Test func thePageIsSealedAndNoOtherControllersPage() throws {
    let slots = try DoorbellSlots()
    let other = try DoorbellSlots()
    var status = stat()
    var otherStatus = stat()
    #expect(fstat(slots.descriptor, &status) == 0 && fstat(other.descriptor, &otherStatus) == 0)
    #expect(status.st_size == 4096)
    #expect(status.st_ino != otherStatus.st_ino)
    #expect(ftruncate(slots.descriptor, 0) == -1 && errno == EPERM)
    try #require(slots.submissionQueueTail(1)).store(7)
    #expect(other.submissionQueueTail(1)?.load() == 0)
  }

  /// A client maps a part of a region at its offset in the region: the doorbells begin at 1000h of BAR0.
  @Test func aPageToMapLiesWhereTheDoorbellsLieInTheRegion() throws {
    let slots = try DoorbellSlots(isMapped: true)
    var status = stat()
    #expect(fstat(slots.descriptor, &status) == 0)
    #expect(status.st_size == 0x2000, "as long as region offset and area together, or the client dies of SIGBUS")
    let client = try clientMapping(slots, offset: 0x1000)
    client.base.storeBytes(of: 9, toByteOffset: 8, as: UInt32.self)
    #expect(slots.submissionQueueTail(1)?.load() == 9)
    slots.clear()
    #expect(client.base.load(fromByteOffset: 8, as: UInt32.self) == 0)
    #expect(slots.completionQueueHead(511) != nil)
    #expect(slots.submissionQueueTail(512) == nil)
  }
}

@Suite struct QueueDoorbellTests {
  @Test(
    arguments: [
      (0, 0), (1, 1), (0xffff, 0xffff), (0x1_0000, 0), (0xdead_0007, 7), (UInt32.max, 0xffff),
    ] as [(UInt32, UInt32)])
  func aValueIsTheLowerHalfOfTheRegister(stored: UInt32, value: UInt32) throws {
    let slots = try DoorbellSlots()
    let word = try #require(slots.submissionQueueTail(3))
    let doorbell = QueueDoorbell(word)
    #expect(doorbell.load() == 0)
    word.store(stored)
    #expect(doorbell.load() == value)
    doorbell.clear()
    #expect(word.load() == 0)
    #expect(doorbell.load() == 0)
  }
}

@Suite struct DoorbellEventsTests {
  @Test func tailsAndHeadsAreToldApart() throws {
    let events = try DoorbellEvents()
    let other = try DoorbellEvents()
    #expect(events.submission.rawValue != other.submission.rawValue)
    EventFD.signal(rawValue: events.submission.rawValue)
    #expect(EventFD.drain(rawValue: events.completion.rawValue) == 0)
    #expect(EventFD.drain(rawValue: other.submission.rawValue) == 0)
    #expect(EventFD.drain(rawValue: events.submission.rawValue) == 1)
  }
}
