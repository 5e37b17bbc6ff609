import Glibc
import LinuxIO
import NVMeController
import NVMeSpec
import Storage
import Testing

@testable import DeviceServer

/// What other threads ask of a control thread: `ControlLoop+Requests.swift`.
@Suite struct RequestTests {
  private static func status(_ device: ServedDevice) throws -> DeviceStatus {
    try #require(try device.server.status(milliseconds: patience))
  }

  private static func memory() throws -> Namespace {
    Namespace(
      backend: try BlockBackend(memory: 1 << 20), nguid: [UInt8](repeating: 4, count: 16),
      uuid: [UInt8](repeating: 5, count: 16), eui64: [UInt8](repeating: 6, count: 8), discards: true)
  }

  /// Waits until the control thread has let go of a client.
  private static func awaitIdle(_ device: ServedDevice) throws -> DeviceStatus {
    while true {
      let status = try status(device)
      if case .idle = status.state { return status }
      sched_yield()
    }
  }

  @Test func statusOfAClient() throws {
    let device = try ServedDevice()
    var status = try RequestTests.status(device)
    guard case .idle = status.state else { return #expect(Bool(false), "nobody is connected") }
    #expect(status.client == nil && status.controller == nil && status.dmaMapCount == 0)
    let client = try device.connect()
    status = try RequestTests.status(device)
    #expect(status.client == getpid() && status.controller?.status == 0)
    let driver = try Driver.enabled(client)
    try driver.createQueues(vector: 2)
    let interrupts = [try Interrupt(), try Interrupt()]
    try client.installVectors(2, interrupts.map(\.rawValue))
    withExtendedLifetime(interrupts) {}
    for block in 0..<5 as Range<UInt64> {
      let read = Driver.transfer(0x02, block: block, prp1: driver.address(Driver.dataPage))
      #expect(try driver.execute(read, queue: 1).status == .success)
    }
    #expect(
      try driver.execute(Driver.transfer(0x02, block: 1 << 40, prp1: 0), queue: 1).status == .lbaOutOfRange)
    status = try RequestTests.status(device)
    #expect(status.dmaMapCount == 1 && status.dmaByteCount == UInt64(driver.ram.size))
    #expect(status.installedVectors == [2, 3])
    let controller = try #require(status.controller)
    #expect(controller.status == 1 && controller.configuration == 0x46_0001)
    #expect(controller.queues.map(\.identifier) == [0, 0, 1, 1])
    let queue = controller.queues[2]
    #expect(queue.kind == .submission(completionQueue: 1, inFlight: 0) && queue.size == 16 && queue.thread == 0)
    #expect(queue.head == 6 && queue.tail == 6)
    let statistics = device.server.statistics
    #expect(statistics.controller[.read].latency.count == 6 && statistics.controller.readBytes == 5 * 512)
    #expect(statistics.connections == 1)
    let failed = try #require(try device.server.errorLog(milliseconds: patience))
    #expect(failed.map(\.status) == [.lbaOutOfRange] && failed.first?.slba == 1 << 40)
    // What it did is not forgotten when it goes, and not mixed up with what the next one does.
    client.disconnect()
    _ = try RequestTests.awaitIdle(device)
    #expect(device.server.statistics.controller[.read].latency.count == 6)
    let next = try Driver.enabled(try device.connect())
    try next.createQueues(vector: nil)
    let read = Driver.transfer(0x02, block: 0, prp1: next.address(Driver.dataPage))
    #expect(try next.execute(read, queue: 1).status == .success)
    #expect(device.server.statistics.controller[.read].latency.count == 7)
    #expect(device.server.statistics.connections == 2)
    #expect(try device.server.errorLog(milliseconds: patience)?.isEmpty == true)
  }

  /// A namespace that comes without a client is there for the next one, and one that comes with it is so too.
  @Test func namespaces() throws {
    let device = try ServedDevice()
    func set(_ nsid: UInt32, _ namespace: Namespace?) throws -> Bool? {
      try device.server.setNamespace(nsid, namespace, milliseconds: patience)
    }
    func active(_ driver: Driver) throws -> [UInt32] {
      let list = SubmissionQueueEntry(
        cdw0: 0x06, namespaceIdentifier: 0, dataPointer0: driver.address(2), cdw10: 2)
      #expect(try driver.execute(list).status == .success)
      return NamespaceList(decoding: driver.ram.bytes(2 * 4096, 4096))?.identifiers ?? []
    }
    #expect(try set(3, RequestTests.memory()) == true)
    #expect(try set(0, RequestTests.memory()) == false)
    #expect(try set(65, RequestTests.memory()) == false)
    let client = try device.connect()
    let driver = try Driver.enabled(client)
    #expect(try active(driver) == [1, 3])
    #expect(try set(64, RequestTests.memory()) == true)
    #expect(try set(1, nil) == true)
    #expect(try active(driver) == [3, 64])
    client.disconnect()
    _ = try RequestTests.awaitIdle(device)
    #expect(try active(try Driver.enabled(try device.connect())) == [3, 64])
  }

  /// Nobody waits for ever: what is asked while a client goes is answered when it has gone.
  @Test func asTheClientGoes() throws {
    let device = try ServedDevice()
    for _ in 0..<20 {
      let client = try device.connect()
      let driver = try Driver.enabled(client)
      try driver.createQueues(vector: nil)
      for block in 0..<10 as Range<UInt64> {
        driver.put(Driver.transfer(0x02, block: block, prp1: driver.address(Driver.dataPage)), queue: 1)
      }
      try client.post(0x1008, driver.tail(1))
      client.disconnect()
      #expect(try device.server.setNamespace(2, RequestTests.memory(), milliseconds: patience) == true)
      #expect(try device.server.drain(milliseconds: patience) == true)
      #expect(try device.server.setNamespace(2, nil, milliseconds: patience) == true)
      #expect(try device.server.setLimits(RateLimits(), milliseconds: patience) == true)
    }
  }

  /// Limits hold for the client that is there and for those that come.
  @Test func limits() throws {
    let device = try ServedDevice()
    var limits = RateLimits()
    limits.readOperations = RateLimit(perSecond: 1, burst: 4)
    #expect(try device.server.setLimits(limits, milliseconds: patience) == true)
    let start = Clock.monotonic
    let driver = try Driver.enabled(try device.connect())
    try driver.createQueues(vector: nil)
    for block in 0..<10 as Range<UInt64> {
      driver.put(Driver.transfer(0x02, block: block, prp1: driver.address(Driver.dataPage)), queue: 1)
    }
    try driver.ring(1)
    for _ in 0..<4 { #expect(try driver.awaitCompletion(1).status == .success) }
    _ = try RequestTests.status(device)
    var more = 0
    while driver.completion(1) != nil { more += 1 }
    #expect(more <= 1 + Int((Clock.monotonic - start) / 1_000_000_000))
    #expect(try device.server.setLimits(RateLimits(), milliseconds: patience) == true)
    for _ in 0..<(6 - more) { #expect(try driver.awaitCompletion(1).status == .success) }
  }

  /// Whoever asks a server that has ended, or that ends before it looks, is answered as where there is no client.
  @Test func whoAsksAtTheEndIsAnswered() throws {
    let device = try ServedDevice()
    device.server.beginStop()
    // From before the end until after it.
    var hasEnded = false
    repeat {
      hasEnded = device.ended.drain() > 0
      let status = try RequestTests.status(device)
      guard case .idle = status.state else { return #expect(Bool(false), "\(status.state)") }
      #expect(try device.server.setNamespace(1, nil, milliseconds: patience) == true)
      #expect(try device.server.setNamespace(1, RequestTests.memory(), milliseconds: patience) == true)
      #expect(try device.server.setLimits(RateLimits(), milliseconds: patience) == true)
      #expect(try device.server.drain(milliseconds: patience) == true)
      #expect(try device.server.errorLog(milliseconds: patience) == [])
      #expect(try device.server.dmaMap(milliseconds: patience)?.count == 0)
      let pinged = try EventFD()
      let number = try pinged.duplicate().release()
      device.server.ping {
        EventFD.signal(rawValue: number)
        close(number)
      }
      let isPinged = pinged.wait(timeout: patience)
      #expect(isPinged)
    } while !hasEnded
    #expect(device.server.isDurable)
  }

  /// An answer that does not come in time is nil, and not waited for any more.
  @Test func noAnswer() throws {
    let answer = try Answer<Int>()
    #expect(answer.wait(milliseconds: 1) == nil)
    answer.give(7)
    #expect(answer.wait(milliseconds: 0) == 7)
  }
}
