import Glibc
import LinuxIO
import NVMeSpec
import Testing

@testable import DeviceServer

/// DEVICE_GET_IRQ_INFO, DEVICE_SET_IRQS, and the interrupts that come of it.
@Suite struct InterruptTests {
  private let vectorCount: UInt32 = 65

  private func set(
    _ client: Client, _ index: UInt32, _ flags: UInt32, start: UInt32 = 0, count: UInt32, data: [UInt8] = [],
    _ events: [Interrupt] = []
  ) throws -> [UInt8] {
    try client.exchange(
      command(Number.setIRQs, setIRQs(index, flags, start: start, count: count, data)),
      descriptors: events.map(\.rawValue))
  }

  private let done = reply(Number.setIRQs)
  private let refused = refusal(Number.setIRQs, EINVAL)
  private let install = IRQ.eventfd | IRQ.trigger
  private let fire = IRQ.none | IRQ.trigger

  /// A client that has installed eventfds for the vectors 0 to `count` - 1.
  private func clientWithVectors(_ count: Int) throws -> (Client, [Interrupt]) {
    let client = try ServedDevice().connect()
    let vectors = try (0..<count).map { _ in try Interrupt() }
    #expect(try set(client, IRQ.msix, install, count: UInt32(count), vectors) == done)
    return (client, vectors)
  }

  @Test func tellsWhatThereIs() throws {
    let client = try ServedDevice().connect()
    let counts: [UInt32] = [0, 0, 65, 1, 0]
    for index in 0..<5 as Range<UInt32> {
      let count = counts[Int(index)]
      let answer = irqInfo(index, flags: count == 0 ? 0 : 1, count: count)
      // cloud-hypervisor counts the header in argsz.
      for argsz in [16, 32] as [UInt32] {
        #expect(
          try client.exchange(command(Number.getIRQInfo, irqInfo(index, argsz: argsz)))
            == reply(Number.getIRQInfo, answer))
      }
    }
    for wrong in [irqInfo(5), irqInfo(UInt32.max), irqInfo(2, argsz: 15)] {
      #expect(try client.exchange(command(Number.getIRQInfo, wrong)) == refusal(Number.getIRQInfo, EINVAL))
    }
  }

  // MARK: Loopback

  @Test func firesTheVectorsThatAreNamed() throws {
    let (client, vectors) = try clientWithVectors(8)
    #expect(vectors.map { $0.take() } == [0, 0, 0, 0, 0, 0, 0, 0])
    #expect(try set(client, IRQ.msix, fire, start: 2, count: 3) == done)
    #expect(vectors.map { $0.take() } == [0, 0, 1, 1, 1, 0, 0, 0])
    #expect(try set(client, IRQ.msix, fire, start: 7, count: 1) == done)
    #expect(vectors.map { $0.take() } == [0, 0, 0, 0, 0, 0, 0, 1])
    #expect(try set(client, IRQ.msix, fire, start: 0, count: vectorCount) == done, "also those without an eventfd")
    #expect(vectors.map { $0.take() } == [1, 1, 1, 1, 1, 1, 1, 1])
  }

  @Test func firesTheVectorsWhoseByteIsSet() throws {
    let (client, vectors) = try clientWithVectors(5)
    #expect(try set(client, IRQ.msix, IRQ.bool | IRQ.trigger, start: 1, count: 4, data: [1, 0, 0, 0xff]) == done)
    #expect(vectors.map { $0.take() } == [0, 1, 0, 0, 1])
  }

  // MARK: Install, replace, unset

  @Test func theOrderOfTheDescriptorsIsThatOfTheVectors() throws {
    let client = try ServedDevice().connect()
    let vectors = try (0..<3).map { _ in try Interrupt() }
    // From 62 on: the last three, and beyond the 64 that fit in one word.
    #expect(try set(client, IRQ.msix, install, start: 62, count: 3, vectors) == done)
    for index in 0..<3 as Range<UInt32> {
      #expect(try set(client, IRQ.msix, fire, start: 62 + index, count: 1) == done)
      #expect(vectors.map { $0.take() } == (0..<3).map { $0 == index ? 1 : 0 })
    }
  }

  @Test func manyAreInstalledAtOnceOrInParts() throws {
    // cloud-hypervisor sends 16 a message, whatever was negotiated.
    let client = try ServedDevice().connect()
    let vectors = try (0..<65).map { _ in try Interrupt() }
    for start in stride(from: 0, to: 65, by: 16) {
      let part = Array(vectors[start..<min(start + 16, 65)])
      #expect(try set(client, IRQ.msix, install, start: UInt32(start), count: UInt32(part.count), part) == done)
    }
    #expect(try set(client, IRQ.msix, fire, count: 65) == done)
    #expect(vectors.allSatisfy { $0.take() == 1 })
    // As many as are accepted with one message.
    let others = try (0..<64).map { _ in try Interrupt() }
    #expect(try set(client, IRQ.msix, install, start: 1, count: 64, others) == done)
    #expect(try set(client, IRQ.msix, fire, count: 65) == done)
    #expect(others.allSatisfy { $0.take() == 1 })
    #expect(vectors.map { $0.take() } == [1] + [UInt64](repeating: 0, count: 64))
  }

  @Test func moreDescriptorsThanAreAcceptedEndTheConnection() throws {
    let device = try ServedDevice()
    let client = try device.connect()
    let event = try Interrupt()
    let events = [Int32](repeating: event.rawValue, count: 65)
    try client.send(command(Number.setIRQs, setIRQs(IRQ.msix, install, count: 65)), descriptors: events)
    #expect(client.isAtEnd())
    _ = try device.connect()
  }

  @Test func aReplacedEventfdIsNotUsedAnyMore() throws {
    let (client, vectors) = try clientWithVectors(3)
    let other = try Interrupt()
    #expect(try set(client, IRQ.msix, install, start: 1, count: 1, [other]) == done)
    #expect(try set(client, IRQ.msix, fire, count: 3) == done)
    #expect(vectors.map { $0.take() } == [1, 0, 1])
    #expect(other.take() == 1)
    // The same eventfd for several vectors is signalled for each.
    #expect(try set(client, IRQ.msix, install, count: 3, [other, other, other]) == done)
    #expect(try set(client, IRQ.msix, fire, count: 3) == done)
    #expect(other.take() == 3)
  }

  @Test func unsettingTakesTheRangeOutAndNoMore() throws {
    let (client, vectors) = try clientWithVectors(8)
    #expect(try set(client, IRQ.msix, install, start: 3, count: 2) == done)
    #expect(try set(client, IRQ.msix, fire, count: 8) == done)
    #expect(vectors.map { $0.take() } == [1, 1, 1, 0, 0, 1, 1, 1])
    // Once more, and where there never was one.
    #expect(try set(client, IRQ.msix, install, start: 4, count: 61) == done)
    #expect(try set(client, IRQ.msix, fire, count: 8) == done)
    #expect(vectors.map { $0.take() } == [1, 1, 1, 0, 0, 0, 0, 0])
  }

  @Test func disablingTakesAllOut() throws {
    let (client, vectors) = try clientWithVectors(8)
    #expect(try set(client, IRQ.msix, fire, count: 0) == done)
    #expect(try set(client, IRQ.msix, fire, count: 8) == done)
    #expect(vectors.allSatisfy { $0.take() == 0 })
    #expect(try set(client, IRQ.msix, fire, count: 0) == done)
  }

  @Test func maskingIsTheClientsBusiness() throws {
    let (client, vectors) = try clientWithVectors(4)
    for action in [IRQ.mask, IRQ.unmask] {
      #expect(try set(client, IRQ.msix, IRQ.none | action, start: 1, count: 2) == done)
      #expect(try set(client, IRQ.msix, IRQ.bool | action, count: 3, data: [1, 0, 1]) == done)
      #expect(try set(client, IRQ.msix, IRQ.eventfd | action, count: 2) == done)
      #expect(try set(client, IRQ.msix, IRQ.eventfd | action, count: 1, [Interrupt()]) == done)
    }
    #expect(try set(client, IRQ.msix, fire, count: 4) == done)
    #expect(vectors.map { $0.take() } == [1, 1, 1, 1])
  }

  @Test func theErrorInterruptIsOne() throws {
    let client = try ServedDevice().connect()
    let event = try Interrupt()
    #expect(try set(client, IRQ.error, fire, count: 1) == done, "not installed yet")
    #expect(try set(client, IRQ.error, install, count: 1, [event]) == done)
    #expect(event.take() == 0)
    #expect(try set(client, IRQ.error, fire, count: 1) == done)
    #expect(event.take() == 1)
    #expect(try set(client, IRQ.error, IRQ.bool | IRQ.trigger, count: 1, data: [1]) == done)
    #expect(try set(client, IRQ.error, IRQ.bool | IRQ.trigger, count: 1, data: [0]) == done)
    #expect(event.take() == 1)
    #expect(try set(client, IRQ.error, install, count: 1) == done)
    #expect(try set(client, IRQ.error, fire, count: 1) == done)
    #expect(event.take() == 0)
    #expect(try set(client, IRQ.error, install, count: 1, [event]) == done)
    #expect(try set(client, IRQ.error, fire, count: 0) == done)
    #expect(try set(client, IRQ.error, fire, count: 1) == done)
    #expect(event.take() == 0)
    // Disabling the one kind leaves the other alone.
    #expect(try set(client, IRQ.msix, install, count: 1, [event]) == done)
    #expect(try set(client, IRQ.error, fire, count: 0) == done)
    #expect(try set(client, IRQ.intx, fire, count: 0) == done)
    #expect(try set(client, IRQ.msix, fire, count: 1) == done)
    #expect(event.take() == 1)
  }

  @Test(arguments: [IRQ.intx, IRQ.msi, IRQ.request]) func whatIsNotThereCanOnlyBeDisabled(index: UInt32) throws {
    let client = try ServedDevice().connect()
    let event = try Interrupt()
    #expect(try set(client, index, fire, count: 0) == done)
    #expect(try set(client, index, fire, count: 1) == refused)
    #expect(try set(client, index, install, count: 1) == refused)
    #expect(try set(client, index, install, count: 1, [event]) == refused)
    #expect(try set(client, index, IRQ.none | IRQ.unmask, count: 1) == refused)
    #expect(event.take() == 0)
  }

  // MARK: What is refused

  @Test(arguments: [
    // Ranges: from 65 on, beyond 65, past 2^32.
    setIRQs(IRQ.msix, 0x21, start: 65, count: 1), setIRQs(IRQ.msix, 0x21, start: 0, count: 66),
    setIRQs(IRQ.msix, 0x21, start: 64, count: 2), setIRQs(IRQ.msix, 0x21, start: .max, count: 1),
    setIRQs(IRQ.msix, 0x21, start: .max, count: 2), setIRQs(IRQ.msix, 0x21, start: 1, count: .max),
    setIRQs(IRQ.msix, 0x24, start: 2, count: .max),
    // No data type, two, an unknown one; no action, two, an unknown one.
    setIRQs(IRQ.msix, 0x20, count: 1), setIRQs(IRQ.msix, 0x23, count: 1), setIRQs(IRQ.msix, 0x61, count: 1),
    setIRQs(IRQ.msix, 0x01, count: 1), setIRQs(IRQ.msix, 0x31, count: 1), setIRQs(IRQ.msix, 0x8000_0021, count: 1),
    // No interrupts, and not to disable.
    setIRQs(IRQ.msix, 0x21, start: 1, count: 0), setIRQs(IRQ.msix, 0x24, count: 0), setIRQs(IRQ.msix, 0x22, count: 0),
    setIRQs(IRQ.msix, 0x09, count: 0), setIRQs(IRQ.msix, 0x11, count: 0),
    // Bytes: too few, too many, none, and where none belong.
    setIRQs(IRQ.msix, 0x22, count: 2, [1]), setIRQs(IRQ.msix, 0x22, count: 2, [1, 1, 1]),
    setIRQs(IRQ.msix, 0x22, count: 1), setIRQs(IRQ.msix, 0x21, count: 1, [1]), setIRQs(IRQ.msix, 0x24, count: 1, [1]),
    // argsz.
    u32(19, 0x21, 2, 0, 1), u32(0, 0x21, 2, 0, 1), u32(21, 0x21, 2, 0, 1), u32(20, 0x22, 2, 0, 1) + [1],
    // Errors: more than one, and not to be masked. Kinds that no device has.
    setIRQs(IRQ.error, 0x21, count: 2), setIRQs(IRQ.error, 0x21, start: 1, count: 1),
    setIRQs(IRQ.error, 0x09, count: 1), setIRQs(5, 0x21, count: 0), setIRQs(.max, 0x21, count: 0),
  ])
  func aChangeThatCannotBeIsRefused(payload: [UInt8]) throws {
    let (client, vectors) = try clientWithVectors(2)
    #expect(try client.exchange(command(Number.setIRQs, payload)) == refused)
    #expect(vectors.map { $0.take() } == [0, 0])
    #expect(try set(client, IRQ.msix, fire, count: 2) == done)
    #expect(vectors.map { $0.take() } == [1, 1], "what was installed still is")
  }

  @Test func theNumberOfDescriptorsIsThatOfTheVectorsOrNone() throws {
    let (client, vectors) = try clientWithVectors(4)
    let event = try Interrupt()
    for count in [1, 3, 4] as [UInt32] {
      #expect(try set(client, IRQ.msix, install, count: count, [event, event]) == refused)
    }
    #expect(try set(client, IRQ.msix, fire, count: 1, [event]) == refused)
    #expect(try set(client, IRQ.msix, IRQ.bool | IRQ.trigger, count: 1, data: [1], [event]) == refused)
    #expect(try set(client, IRQ.msix, fire, count: 0, [event]) == refused)
    #expect(vectors.allSatisfy { $0.take() == 0 })
    #expect(event.take() == 0)
  }

  @Test func onlyEventfdsAreInstalled() throws {
    let (client, vectors) = try clientWithVectors(3)
    var ends: [Int32] = [-1, -1]
    #expect(pipe(&ends) == 0)
    defer { for end in ends { close(end) } }
    let ram = try GuestRAM(pages: 1)
    let pair = try UnixSocketPair()
    let good = try Interrupt()
    for other in [ends[1], ends[0], ram.descriptor, pair.first.rawValue] {
      for events in [[other, good.rawValue, good.rawValue], [good.rawValue, good.rawValue, other]] {
        let answer = try client.exchange(
          command(Number.setIRQs, setIRQs(IRQ.msix, install, count: 3)), descriptors: events)
        #expect(answer == refused)
      }
      let answer = try client.exchange(
        command(Number.setIRQs, setIRQs(IRQ.error, install, count: 1)), descriptors: [other])
      #expect(answer == refused)
      // All of a message or nothing: those of before are still there.
      #expect(try set(client, IRQ.msix, fire, count: 3) == done)
      #expect(vectors.map { $0.take() } == [1, 1, 1])
      #expect(good.take() == 0)
    }
    var waiting: Int32 = -1
    #expect(ioctl(ends[0], UInt(FIONREAD), &waiting) == 0 && waiting == 0)
  }

  // MARK: Interrupts of the device

  /// A device with queue 0 (vector 0) and queue 1 (vector 1).
  private func driverWithQueues() throws -> Driver {
    let driver = try Driver.enabled(try ServedDevice().connect())
    try driver.createQueues(vector: 1)
    return driver
  }

  /// Submits a command that succeeds to queue 0 or 1, without taking its completion.
  private func submit(_ driver: Driver, _ queue: Int) throws {
    if queue == 0 {
      driver.put(Driver.identify(prp1: driver.address(2)))
    } else {
      driver.put(Driver.transfer(0x02, block: 0, prp1: driver.address(Driver.dataPage)), queue: 1)
    }
    try driver.ring(queue)
  }

  @Test(arguments: [0, 1]) func aCompletionSignalsTheVectorOfItsQueue(queue: Int) throws {
    let driver = try driverWithQueues()
    let vectors = try (0..<3).map { _ in try Interrupt() }
    try driver.client.installVectors(0, vectors.map(\.rawValue))
    // What came before there was an eventfd is made up for, once.
    for vector in vectors { _ = vector.take() }
    for _ in 0..<3 {
      try submit(driver, queue)
      #expect(vectors[queue].wait())
      #expect(vectors[queue].take() == 1)
      #expect(try driver.awaitCompletion(queue).status == .success)
    }
    #expect(vectors.map { $0.take() } == [0, 0, 0])
  }

  @Test(arguments: [0, 1]) func anInterruptWithoutAnEventfdIsRememberedOnce(queue: Int) throws {
    let driver = try driverWithQueues()
    // Several completions; the guest takes none of them.
    for _ in 0..<3 { try submit(driver, queue) }
    var taken = 0
    let deadline = Clock.monotonic + UInt64(patience) * 1_000_000
    while taken < 3, Clock.monotonic < deadline {
      if driver.completion(queue) != nil { taken += 1 }
      #expect(try driver.status().rawValue == 1, "an interrupt that cannot be delivered is no failure")
    }
    #expect(taken == 3)
    let vector = try Interrupt()
    try driver.client.installVectors(UInt32(queue), [vector.rawValue])
    #expect(vector.take() == 1, "signalled when the reply is there, and once")
  }

  @Test(arguments: [0, 1]) func anEventfdSwappedWhileAnInterruptIsPendingIsSignalledOnce(queue: Int) throws {
    let driver = try driverWithQueues()
    let first = try Interrupt()
    let second = try Interrupt()
    try driver.client.installVectors(UInt32(queue), [first.rawValue])
    _ = first.take()
    try submit(driver, queue)
    #expect(first.wait())
    // The guest has not looked at the queue yet.
    try driver.client.installVectors(UInt32(queue), [second.rawValue])
    #expect(second.take() == 1)
    #expect(first.take() == 1)
    // It takes the entry; the next swap finds nothing pending.
    #expect(try driver.awaitCompletion(queue).status == .success)
    try driver.client.installVectors(UInt32(queue), [first.rawValue])
    #expect(first.take() == 0)
    #expect(second.take() == 0)
    try submit(driver, queue)
    #expect(first.wait())
    #expect(second.take() == 0)
  }

  @Test(arguments: [0, 1]) func anInterruptOfAMaskedVectorComesWhenItIsUnmasked(queue: Int) throws {
    let driver = try driverWithQueues()
    let vector = try Interrupt()
    let index = UInt32(queue)
    try driver.client.installVectors(index, [vector.rawValue])
    _ = vector.take()
    #expect(try set(driver.client, IRQ.msix, install, start: index, count: 1) == done)
    try submit(driver, queue)
    #expect(try driver.awaitCompletion(queue).status == .success)
    #expect(vector.take() == 0)
    try driver.client.installVectors(index, [vector.rawValue])
    #expect(vector.take() == 1)
  }

  @Test(arguments: [0, 1]) func aFullEventfdStopsNobody(queue: Int) throws {
    let driver = try driverWithQueues()
    let vector = try Interrupt()
    try driver.client.installVectors(UInt32(queue), [vector.rawValue])
    vector.fill()
    for _ in 0..<3 {
      try submit(driver, queue)
      #expect(try driver.awaitCompletion(queue).status == .success)
    }
    #expect(try set(driver.client, IRQ.msix, fire, count: 2) == done)
    #expect(try driver.identifies())
    #expect(vector.take() > 1)
    try submit(driver, queue)
    #expect(vector.wait())
  }

  @Test func aQueueWithoutInterruptsSignalsNobody() throws {
    let driver = try Driver.enabled(try ServedDevice().connect())
    try driver.createQueues(vector: nil)
    let vectors = try (0..<65).map { _ in try Interrupt() }
    for start in [0, 33] {
      try driver.client.installVectors(UInt32(start), vectors[start..<min(start + 33, 65)].map(\.rawValue))
    }
    for vector in vectors { _ = vector.take() }
    try submit(driver, 1)
    #expect(try driver.awaitCompletion(1).status == .success)
    #expect(vectors.allSatisfy { $0.take() == 0 })
  }

  @Test(arguments: ["DEVICE_RESET", "FLR", "CC.EN"]) func interruptsGoOnAfterAReset(kind: String) throws {
    let driver = try driverWithQueues()
    let vectors = try (0..<2).map { _ in try Interrupt() }
    try driver.client.installVectors(0, vectors.map(\.rawValue))
    for _ in 0..<3 {
      for vector in vectors { _ = vector.take() }
      for queue in 0..<2 {
        try submit(driver, queue)
        #expect(vectors[queue].wait())
      }
      switch kind {
      case "DEVICE_RESET": try driver.client.reset()
      case "FLR": try driver.client.write(Region.config, 0x68, 0x8000, 2)
      default: try driver.disable()
      }
      for vector in vectors { _ = vector.take() }
      try driver.client.setBusMaster(true)
      try driver.enable()
      #expect(vectors.map { $0.take() } == [0, 0], "what waited for the old queues is forgotten with them")
      try driver.createQueues(vector: 1)
    }
  }
}
