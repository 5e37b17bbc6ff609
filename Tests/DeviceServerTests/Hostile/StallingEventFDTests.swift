import Glibc
import LinuxIO
import NVMeSpec
import Testing

@testable import DeviceServer

/// Eventfds that a client makes wait, once the server has them: `O_NONBLOCK` is a property of the open file.
///
/// What is attacked are threads that serve others as well; a witness on the same I/O thread does I/O meanwhile.
@Suite struct StallingEventFDTests {
  #if NVMED_TSAN
    private static let isThreadSanitized = true
  #else
    private static let isThreadSanitized = false
  #endif

  /// Two devices of one I/O thread.
  private final class Pair {
    let pool: IOThreadPool
    let device: ServedDevice
    let witness: Driver

    init() throws {
      pool = try startPool()
      device = try ServedDevice(pool: pool)
      witness = try Driver.enabled(try ServedDevice(pool: pool).connect())
      try witness.createQueues(vector: nil)
    }

    deinit {
      witness.client.server?.stop()
      device.stop()
      pool.stop()
    }

    func expectWitnessServed() throws {
      for block in 0..<20 as Range<UInt64> {
        let read = Driver.transfer(0x02, block: block, prp1: witness.address(Driver.dataPage))
        #expect(try witness.execute(read, queue: 1).status == .success)
      }
      #expect(try witness.identifies())
    }
  }

  /// Makes a write to the eventfd wait.
  private func trap(_ number: Int32) {
    #expect(fcntl(number, F_SETFL, 0) == 0)
    var most = UInt64.max - 1
    #expect(write(number, &most, 8) == 8)
  }

  /// Likewise of one that lives until then: an optimised build ends what is not mentioned any more.
  private func trap(_ event: Interrupt) { withExtendedLifetime(event) { trap(event.rawValue) } }

  enum Signal: CaseIterable { case adminQueue, queue, loopback, errorLoopback, installation }

  @Test(arguments: Signal.allCases) func aClientWhoseEventfdWaitsIsSentAway(signal: Signal) throws {
    let pair = try Pair()
    let client = try pair.device.connect()
    let driver = try Driver.enabled(client)
    try driver.createQueues(vector: 1)
    let vectors = try (0..<2).map { _ in try Interrupt() }
    try client.installVectors(0, vectors.map(\.rawValue))
    for vector in vectors { _ = vector.take() }
    let read = Driver.transfer(0x02, block: 0, prp1: driver.address(Driver.dataPage))
    switch signal {
    case .adminQueue:
      trap(vectors[0])
      driver.put(Driver.identify(prp1: driver.address(2)))
      try client.post(0x1000, driver.tail(0))
    case .queue:
      trap(vectors[1])
      driver.put(read, queue: 1)
      try client.post(0x1008, driver.tail(1))
    case .loopback:
      trap(vectors[1])
      try client.send(
        command(Number.setIRQs, flags: noReply, setIRQs(IRQ.msix, IRQ.none | IRQ.trigger, start: 0, count: 2)))
    case .errorLoopback:
      let event = try Interrupt()
      let install = setIRQs(IRQ.error, IRQ.eventfd | IRQ.trigger, count: 1)
      #expect(
        try client.exchange(command(Number.setIRQs, install), descriptors: [event.rawValue]) == reply(Number.setIRQs))
      trap(event)
      try client.send(
        command(Number.setIRQs, flags: noReply, setIRQs(IRQ.error, IRQ.none | IRQ.trigger, count: 1)))
    case .installation:
      // An interrupt is due when the eventfd is installed. It is filled before, and made to wait again and again, as its
      // adoption undoes that.
      try client.send(
        command(Number.setIRQs, setIRQs(IRQ.msix, IRQ.eventfd | IRQ.trigger, start: 1, count: 1)))
      _ = try client.receive()
      driver.put(read, queue: 1)
      try driver.ring(1)
      let event = try Interrupt()
      event.fill()
      let number = event.rawValue
      let isOver = Locked(false)
      let thread = try Thread(name: "flags") { while !isOver.withLock({ $0 }) { _ = fcntl(number, F_SETFL, 0) } }
      defer {
        isOver.withLock { $0 = true }
        thread.join()
        // (as a number that is free again may be that of another test)
        withExtendedLifetime(event) {}
      }
      // Whoever loses the race has an eventfd that is as good as signalled, and tries again: what it has not consumed is
      // due at every installation.
      let install = command(Number.setIRQs, setIRQs(IRQ.msix, IRQ.eventfd | IRQ.trigger, start: 1, count: 1))
      let deadline = Clock.monotonic + UInt64(patience) * 1_000_000
      do {
        while Clock.monotonic < deadline {
          #expect(try client.exchange(install, descriptors: [number]) == reply(Number.setIRQs))
        }
      } catch let error as Errno {
        #expect(error == .connectionReset || error == .brokenPipe)
      }
      try pair.expectWitnessServed()
    }
    try pair.expectWitnessServed()
    #expect(client.isAtEnd())
    // Whoever comes next waits a moment, and is served.
    #expect(try Driver.enabled(try pair.device.connect()).identifies())
    try pair.expectWitnessServed()
  }

  /// The client has the eventfds of its doorbells too, and takes every signal before the server can: a read of one would
  /// wait then. (For ThreadSanitizer, which learns from reads alone, eventfds are read in the way that may wait.)
  @Test(.disabled(if: isThreadSanitized, "eventfds are read in another way"))
  func eventfdsOfDoorbellsThatAreEmptyAgainStopNobody() throws {
    let pair = try Pair()
    let client = try pair.device.connect()
    let events = try doorbellEvents(client)
    let driver = try Driver.enabled(client)
    try driver.createQueues(vector: nil)
    for number in events { #expect(fcntl(number, F_SETFL, 0) == 0) }
    let isOver = Locked(false)
    let thieves = try events.map { number in
      try Thread(name: "thief") { while !isOver.withLock({ $0 }) { EventFD.drain(rawValue: number) } }
    }
    for _ in 0..<2000 { for number in events { EventFD.signal(rawValue: number) } }
    // A completion queue that is full has the server watch the eventfd of heads.
    for index in 0..<15 {
      driver.put(Driver.transfer(0x02, block: UInt64(index), prp1: driver.address(Driver.dataPage)), queue: 1)
    }
    try client.post(0x1008, driver.tail(1))
    for _ in 0..<2000 { for number in events { EventFD.signal(rawValue: number) } }
    try pair.expectWitnessServed()
    isOver.withLock { $0 = true }
    for thief in thieves { thief.join() }
    #expect(try driver.identifies(), "its control thread goes on, too")
    try pair.expectWitnessServed()
    for number in events { close(number) }
  }

  /// Doorbells by message are announced to other threads by eventfds that the client has as well.
  @Test func eventfdsOfDoorbellsThatAreFullStopNobody() throws {
    let pair = try Pair()
    let client = try pair.device.connect()
    let events = try doorbellEvents(client)
    let driver = try Driver.enabled(client)
    try driver.createQueues(vector: nil)
    for number in events { trap(number) }
    driver.put(Driver.transfer(0x02, block: 0, prp1: driver.address(Driver.dataPage)), queue: 1)
    try client.post(0x1008, driver.tail(1))
    try pair.expectWitnessServed()
    #expect(client.isAtEnd())
    #expect(try Driver.enabled(try pair.device.connect()).identifies())
    for number in events { close(number) }
  }

  /// The eventfds that DEVICE_GET_REGION_IO_FDS gives; the caller closes them.
  private func doorbellEvents(_ client: Client) throws -> [Int32] {
    try client.send(command(Number.getRegionIOFDs, u32(4096, 0, 0, 0)))
    return try client.receiveWithDescriptors { (_, descriptors) in
      var numbers: [Int32] = []
      for index in 0..<descriptors.count {
        guard let descriptor = descriptors.take(index) else { continue }
        if EventFD.isEventFD(descriptor.rawValue) { numbers.append(descriptor.release()) }
      }
      #expect(numbers.count >= 4)
      return numbers
    }
  }
}
