import Glibc
import LinuxIO
import NVMeController
import NVMeSpec
import Testing

@testable import DeviceServer

/// DEVICE_GET_REGION_IO_FDS: doorbells that reach the device without a message, and the doorbell page to map.
@Suite struct RegionIOFDsTests {
  /// The payload of the question.
  private func query(_ argsz: UInt32, _ region: UInt32 = 0) -> [UInt8] { u32(argsz, 0, region, 0) }

  /// What a client with this `max_msg_fds` says.
  private func json(_ descriptors: Int) -> String { "{\"capabilities\":{\"max_msg_fds\":\(descriptors)}}" }

  /// One entry of the reply: a doorbell of 4 bytes.
  private func entry(_ offset: UInt64, _ event: UInt32) -> [UInt8] {
    u64(offset, 4) + u32(event, 2, 0, 0) + u64(offset - 0x1000, 0)
  }

  private func options(queues: Int) throws -> DeviceOptions {
    var options = try testOptions()
    options.controller.queueCount = queues
    return options
  }

  /// Keeps the descriptors of a reply open.
  private final class Descriptors {
    private(set) var numbers: [Int32] = []

    init(_ received: inout ReceivedDescriptors) {
      for index in 0..<received.count {
        if let descriptor = received.take(index) { numbers.append(descriptor.release()) }
      }
    }

    deinit { for number in numbers { close(number) } }
  }

  /// Asks for all entries, and gives back the reply with its descriptors, all of which come with the first byte.
  private func all(_ client: Client, _ argsz: UInt32) throws -> (bytes: [UInt8], descriptors: Descriptors) {
    try client.send(command(Number.getRegionIOFDs, query(argsz)))
    var descriptors = ReceivedDescriptors(capacity: 253)
    var entry = pollfd(fd: client.descriptor, events: Int16(POLLIN), revents: 0)
    #expect(poll(&entry, 1, patience) == 1)
    // QEMU and SPDK receive the header by itself, and would lose descriptors on a later byte.
    var bytes = [UInt8](repeating: 0, count: 16)
    let head = try UnixSocket.receive(
      client.descriptor, into: &bytes, at: 0..<16, descriptors: &descriptors, wait: true)
    #expect(head.count == 16 && !head.descriptorsLost)
    let onFirstByte = descriptors.count
    let size = Int(bytes[4]) | Int(bytes[5]) << 8 | Int(bytes[6]) << 16
    bytes += [UInt8](repeating: 0, count: size - 16)
    var received = 16
    while received < size {
      received += try UnixSocket.receive(
        client.descriptor, into: &bytes, at: received..<size, descriptors: &descriptors, wait: true
      ).count
    }
    #expect(descriptors.count == onFirstByte)
    return (bytes, Descriptors(&descriptors))
  }

  // MARK: The two questions

  @Test func theFirstAnswerSaysHowMuchRoomIsNeeded() throws {
    let device = try ServedDevice(try options(queues: 1))
    let client = try device.connect()
    // Two queues, each with a tail and a head: 4 entries of 48 bytes.
    for argsz in [16, 32, 48, 64, 207] as [UInt32] {
      let (bytes, descriptors) = try all(client, argsz)
      #expect(bytes == reply(Number.getRegionIOFDs, u32(208, 0, 0, 4)))
      #expect(descriptors.numbers == [])
    }
    let expected = reply(
      Number.getRegionIOFDs,
      u32(208, 0, 0, 4) + entry(0x1000, 1) + entry(0x1004, 4) + entry(0x1008, 2) + entry(0x100c, 3))
    for argsz in [208, 209, 1 << 20] as [UInt32] {
      let (bytes, descriptors) = try all(client, argsz)
      #expect(bytes == expected)
      #expect(descriptors.numbers.count == 5)
    }
  }

  @Test(arguments: [
    // argsz, flags, region, count
    u32(15, 0, 0, 0), u32(0, 0, 0, 0), u32((1 << 20) + 1, 0, 0, 0), u32(.max, 0, 0, 0), u32(64, 1, 0, 0),
    u32(64, 0, 0, 1), u32(64, 0, 9, 0), u32(64, 0, .max, 0),
  ])
  func aQuestionThatCannotBeIsRefused(payload: [UInt8]) throws {
    let client = try ServedDevice().connect()
    #expect(try client.exchange(command(Number.getRegionIOFDs, payload)) == refusal(Number.getRegionIOFDs, EINVAL))
  }

  @Test(arguments: 1...8 as ClosedRange<UInt32>) func otherRegionsHaveNone(region: UInt32) throws {
    let client = try ServedDevice().connect()
    #expect(
      try client.exchange(command(Number.getRegionIOFDs, query(4096, region)))
        == reply(Number.getRegionIOFDs, u32(16, 0, region, 0)))
  }

  // MARK: What fits

  @Test(arguments: [
    (0, 0, 0), (1, 0, 0), (2, 2, 1), (3, 3, 5), (4, 3, 5), (5, 5, 10), (8, 5, 10), (16, 5, 10), (1024, 5, 10),
  ])
  func asManyDescriptorsComeAsTheClientTakes(limit: Int, count: Int, entries: UInt32) throws {
    let device = try ServedDevice()
    let client = try device.connect(json(limit))
    let (bytes, descriptors) = try all(client, 4096)
    #expect(descriptors.numbers.count == count)
    #expect(Array(bytes[16..<32]) == u32(16 + entries * 48, 0, 0, entries))
    #expect(bytes.count == 32 + Int(entries) * 48)
    // The memfd first, then eventfds.
    var status = stat()
    for (index, number) in descriptors.numbers.enumerated() {
      #expect(EventFD.isEventFD(number) == (index > 0))
      if index == 0 { #expect(fstat(number, &status) == 0 && status.st_size == 4096) }
    }
  }

  @Test(arguments: [(8, 3, 8), (16, 3, 8), (8, 8, 8), (2, 2, 8)])
  func severalThreadsShareWhatFits(limit: Int, count: Int, threads: Int) throws {
    // Eight threads: 1 + 9 tails are too many for 8, all 19 for 16.
    let expected = threads == 8 ? [2: 2, 8: 2, 16: 10][limit] ?? count : count
    let device = try ServedDevice(threads: threads)
    let client = try device.connect(json(limit))
    #expect(try all(client, 4096).descriptors.numbers.count == expected)
  }

  @Test func aClientThatSaysNothingTakesOneDescriptor() throws {
    let device = try ServedDevice()
    let client = try device.connect(nil)
    #expect(try all(client, 4096).bytes == reply(Number.getRegionIOFDs, u32(16, 0, 0, 0)))
  }

  @Test func largeQueuesAreServedByMessages() throws {
    var options = try testOptions()
    options.controller.queueEntries = 257
    let client = try ServedDevice(options).connect()
    #expect(try all(client, 4096).bytes == reply(Number.getRegionIOFDs, u32(16, 0, 0, 0)))
  }

  @Test func withoutPostWriteEveryDoorbellIsAMessage() throws {
    var options = try testOptions()
    options.postWrite = .none
    let client = try ServedDevice(options).connect()
    #expect(try all(client, 4096).bytes == reply(Number.getRegionIOFDs, u32(16, 0, 0, 0)))
    #expect(try Driver.enabled(client).identifies())
  }

  /// Where no program can be loaded, or none is needed, the client is left to its kernel.
  @Test func withoutATracerTheClientHasSlots() throws {
    var options = try options(queues: 1)
    options.postWrite = .automatic { nil }
    let client = try ServedDevice(options).connect()
    let (bytes, descriptors) = try all(client, 4096)
    #expect(
      bytes
        == reply(
          Number.getRegionIOFDs,
          u32(208, 0, 0, 4) + entry(0x1000, 1) + entry(0x1004, 4) + entry(0x1008, 2) + entry(0x100c, 3)))
    #expect(descriptors.numbers.count == 5)
  }

  // MARK: Doorbells

  /// What KVM does at a write of the guest: it stores the value, then it signals.
  private func ring(_ page: borrowing MemoryMapping, _ offset: Int, _ value: UInt32, _ event: Int32) {
    SharedWord(at: page.base + offset).store(value)
    EventFD.signal(rawValue: event)
  }

  @Test func aStoreAndASignalAreADoorbell() throws {
    let client = try ServedDevice().connect()
    let (_, descriptors) = try all(client, 4096)
    let page = try MemoryMapping(fd: descriptors.numbers[0], offset: 0, count: 4096, [.read, .write])
    let driver = try Driver.enabled(client)
    try driver.createQueues(vector: 1)
    let vectors = try (0..<2).map { _ in try Interrupt() }
    try client.installVectors(0, vectors.map(\.rawValue))
    for vector in vectors { _ = vector.take() }

    driver.put(Driver.identify(prp1: driver.address(2)))
    ring(page, 0, driver.tail(), descriptors.numbers[1])
    #expect(vectors[0].wait())
    #expect(try driver.awaitCompletion().status == .success)

    driver.put(Driver.transfer(0x02, block: 1, prp1: driver.address(Driver.dataPage)), queue: 1)
    ring(page, 8, driver.tail(1), descriptors.numbers[2])
    #expect(vectors[1].wait())
    #expect(try driver.awaitCompletion(1).status == .success)
    // By message all the same: a BAR that moves, or a client without the kernel for it.
    #expect(try driver.identifies())
    driver.put(Driver.transfer(0x02, block: 1, prp1: driver.address(Driver.dataPage)), queue: 1)
    try driver.ring(1)
    #expect(try driver.awaitCompletion(1).status == .success)
  }

  /// The host rings as soon as it sees the last command's completion, while the server is still at it: the event that
  /// announces a value is taken before the value is looked at, so that one of the two is always news.
  @Test(arguments: [0, 1]) func aDoorbellThatComesWhileTheLastIsServedIsFound(queue: Int) throws {
    let client = try ServedDevice().connect()
    let (_, descriptors) = try all(client, 4096)
    let page = try MemoryMapping(fd: descriptors.numbers[0], offset: 0, count: 4096, [.read, .write])
    let driver = try Driver.enabled(client)
    try driver.createQueues(vector: nil)
    let command =
      queue == 0
      ? Driver.identify(prp1: driver.address(2))
      : Driver.transfer(0x02, block: 0, prp1: driver.address(Driver.dataPage))
    // The queue is full of the same command: there is nothing left to do but to ring.
    let size = Int(Driver.entries)
    let bytes = withUnsafeBytes(of: command) { Array($0) }
    for entry in 0..<size { driver.ram.store(bytes, at: (queue == 0 ? 0 : 3) * GuestRAM.page + entry * 64) }
    let statuses = (0..<size).map { driver.ram.word(at: (queue == 0 ? 1 : 4) * GuestRAM.page + $0 * 16 + 12) }
    let slot = SharedWord(at: page.base + queue * 8)
    let headSlot = SharedWord(at: page.base + queue * 8 + 4)
    let event = descriptors.numbers[queue + 1]
    // As many completions as commands: the head is where the tail was.
    var head = Int(driver.tail(queue))
    var phase: UInt32 = 0x1_0000
    for number in 0..<20_000 {
      let next = head + 1 == size ? 0 : head + 1
      slot.store(UInt32(next))
      EventFD.signal(rawValue: event)
      // No message meanwhile, which the server would look at its queues for.
      let status = statuses[head]
      var looks = 0
      let deadline = Clock.monotonic + UInt64(patience) * 1_000_000
      while status.load() & 0x1_0000 != phase {
        looks += 1
        if looks % 1024 == 0 {
          sched_yield()
          guard Clock.monotonic < deadline else {
            Issue.record("doorbell \(number) is lost")
            return
          }
        }
      }
      head = next
      if head == 0 { phase ^= 0x1_0000 }
      headSlot.store(UInt32(head))
    }
  }

  @Test func aValueOfBeforeAResetIsForgotten() throws {
    let client = try ServedDevice().connect()
    let (_, descriptors) = try all(client, 4096)
    let page = try MemoryMapping(fd: descriptors.numbers[0], offset: 0, count: 4096, [.read, .write])
    let driver = try Driver.enabled(client)
    for _ in 0..<2 {
      for offset in stride(from: 0, to: 40, by: 4) { ring(page, offset, 7, descriptors.numbers[1]) }
      try driver.disable()
      try driver.enable()
      for offset in stride(from: 0, to: 4096, by: 4) { #expect(SharedWord(at: page.base + offset).load() == 0) }
      #expect(try driver.identifies())
    }
  }

  @Test func hostileValuesInThePageAreNoDoorbells() throws {
    let client = try ServedDevice().connect()
    let (_, descriptors) = try all(client, 4096)
    let page = try MemoryMapping(fd: descriptors.numbers[0], offset: 0, count: 4096, [.read, .write])
    let driver = try Driver.enabled(client)
    try driver.createQueues(vector: nil)
    let tail = driver.tail()
    for value in [16, 255, 0xffff, 0x8000, UInt32.max] {
      for offset in stride(from: 0, to: 4096, by: 4) { SharedWord(at: page.base + offset).store(value) }
      for event in descriptors.numbers.dropFirst() { EventFD.signal(rawValue: event) }
      #expect(try driver.status().rawValue == 1)
    }
    // (Not those of the admin queue: 0 is a tail that it can have, if a signal of before is looked at only now.)
    for offset in stride(from: 8, to: 4096, by: 4) { SharedWord(at: page.base + offset).store(0) }
    SharedWord(at: page.base).store(tail)
    SharedWord(at: page.base + 4).store(tail)
    #expect(try driver.identifies())
    driver.put(Driver.transfer(0x02, block: 0, prp1: driver.address(Driver.dataPage)), queue: 1)
    try driver.ring(1)
    #expect(try driver.awaitCompletion(1).status == .success)
  }

  @Test func thePageOfOneClientIsNotThatOfTheNext() throws {
    let device = try ServedDevice()
    let first = try device.connect()
    let old = try all(first, 4096).descriptors
    let oldPage = try MemoryMapping(fd: old.numbers[0], offset: 0, count: 4096, [.read, .write])
    first.disconnect()
    let second = try device.connect()
    let new = try all(second, 4096).descriptors
    var oldStatus = stat()
    var newStatus = stat()
    #expect(fstat(old.numbers[0], &oldStatus) == 0 && fstat(new.numbers[0], &newStatus) == 0)
    #expect(oldStatus.st_ino != newStatus.st_ino)
    // What the first client still holds does nothing to the second.
    let driver = try Driver.enabled(second)
    driver.put(Driver.identify(prp1: driver.address(2)))
    ring(oldPage, 0, driver.tail(), old.numbers[1])
    #expect(try driver.status().rawValue == 1)
    #expect(driver.completion() == nil)
    try driver.ring()
    #expect(try driver.awaitCompletion().status == .success)
    let newPage = try MemoryMapping(fd: new.numbers[0], offset: 0, count: 4096, .read)
    #expect(SharedWord(at: newPage.base).load() == 1)
  }

  @Test func thePageCannotBeTakenAway() throws {
    let client = try ServedDevice().connect()
    let (_, descriptors) = try all(client, 4096)
    #expect(ftruncate(descriptors.numbers[0], 0) == -1 && errno == EPERM)
    #expect(ftruncate(descriptors.numbers[0], 8192) == -1 && errno == EPERM)
    #expect(try Driver.enabled(client).identifies())
  }

  // MARK: The page to map

  private func polled() throws -> DeviceOptions {
    var options = try testOptions()
    options.controller.doorbells = .poll
    return options
  }

  @Test func aPageToMapIsAnAreaOfTheRegion() throws {
    let client = try ServedDevice(try polled()).connect()
    let short = u32(64, 7, 0, 0) + u64(0x4000, 0)
    let whole = u32(64, 15, 0, 32) + u64(0x4000, 0) + u16(1, 1) + u32(0, 1, 0) + u64(0x1000, 0x1000)
    for (argsz, expected, count) in [(32, short, 0), (63, short, 0), (64, whole, 1), (4064, whole, 1)] {
      try client.send(command(Number.getRegionInfo, regionInfo(0, argsz: UInt32(argsz))))
      try client.receiveWithDescriptors { (bytes, descriptors) in
        #expect(bytes == reply(Number.getRegionInfo, expected))
        #expect(descriptors.count == count)
      }
    }
    // Doorbells on two paths would be one too many.
    #expect(try all(client, 4096).bytes == reply(Number.getRegionIOFDs, u32(16, 0, 0, 0)))
    for region in [1, 2, 3, 5, 6, 8] as [UInt32] {
      #expect(
        try client.exchange(command(Number.getRegionInfo, regionInfo(region)))
          == reply(Number.getRegionInfo, regionInfo(region)))
    }
  }

  @Test func aStoreInTheMappedPageIsADoorbell() throws {
    let client = try ServedDevice(try polled()).connect()
    try client.send(command(Number.getRegionInfo, regionInfo(0, argsz: 64)))
    let page = try client.receiveWithDescriptors { (_, descriptors) in
      guard let file = descriptors.take(0) else { throw Errno.protocolError }
      return try MemoryMapping(fd: file.rawValue, offset: 0x1000, count: 0x1000, [.read, .write])
    }
    let driver = try Driver.enabled(client)
    try driver.createQueues(vector: 1)
    let vectors = try (0..<2).map { _ in try Interrupt() }
    try client.installVectors(0, vectors.map(\.rawValue))
    for vector in vectors { _ = vector.take() }
    for _ in 0..<3 {
      driver.put(Driver.transfer(0x02, block: 1, prp1: driver.address(Driver.dataPage)), queue: 1)
      SharedWord(at: page.base + 8).store(driver.tail(1))
      #expect(vectors[1].wait())
      #expect(vectors[1].take() == 1)
      #expect(try driver.awaitCompletion(1).status == .success)
      driver.put(Driver.identify(prp1: driver.address(2)))
      SharedWord(at: page.base).store(driver.tail())
      #expect(vectors[0].wait())
      #expect(vectors[0].take() == 1)
      #expect(try driver.awaitCompletion().status == .success)
    }
  }
}
