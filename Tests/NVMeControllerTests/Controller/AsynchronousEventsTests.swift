import NVMeController
import NVMeSpec
import Storage
import Testing

/// Asynchronous events: `AsynchronousEvents.swift` and `Controller+AdminQueue.swift`.
@Suite struct AsynchronousEventsTests {
  /// Dword 0 of completions: information 15:8, type 2:0, log page 23:16.
  private static let invalidRegister: UInt32 = 0x01_0000
  private static let invalidValue: UInt32 = 0x01_0100
  private static let temperature: UInt32 = 0x02_0101
  private static let namespaceAttribute: UInt32 = 0x04_0002

  private static func host(_ path: Host.DoorbellPath = .socket) throws -> Host {
    let host = try Host([try .memory()], path: path)
    try host.createQueuePair(1)
    return host
  }

  @discardableResult
  private static func request(_ host: Host) -> UInt16 {
    host.submit(.asynchronousEventRequest, on: host.adminSubmission)
  }

  /// The completion of a request; it is there when the controller has settled.
  private static func event(_ host: Host, _ request: UInt16) throws -> UInt32? {
    try host.settle()
    guard let entry = host.adminCompletion.take(request, from: 0) else { return nil }
    #expect(entry.status == .success)
    return entry.dw0
  }

  private static func readLog(_ host: Host, _ identifier: UInt8, retain: Bool = false) throws {
    let command = SubmissionQueueEntry.getLogPage(identifier, bytes: 64, retain: retain, to: host.ram.allocate())
    #expect(try host.admin(command).status == .success)
  }

  @Test func limit() throws {
    let host = try AsynchronousEventsTests.host()
    for _ in 0..<4 { AsynchronousEventsTests.request(host) }
    try host.settle()
    #expect(host.adminCompletion.entries.isEmpty)
    #expect(try host.admin(.asynchronousEventRequest).status == .asynchronousEventRequestLimitExceeded)
    #expect(try host.admin(.identify(1, to: host.ram.allocate())).status == .success)
  }

  /// Requests that wait hold no completion queue entry: a queue of 2 entries is enough for everything else.
  @Test func requestsHoldNoEntries() throws {
    let host = try Host(isEnabled: false)
    try host.setBusMaster(true)
    let submissions = SubmissionRing(identifier: 0, size: 16, ram: host.ram)
    let completions = CompletionRing(identifier: 0, size: 2, ram: host.ram)
    completions.serve(submissions)
    host.setAdminQueue(
      submission: submissions.iova, completion: completions.iova,
      attributes: AdminQueueAttributes(submissionQueueSize: 16, completionQueueSize: 2))
    host.configure(Host.enabled)
    for _ in 0..<4 { host.submit(.asynchronousEventRequest, on: submissions) }
    for _ in 0..<5 {
      let command = host.submit(.identify(1, to: host.ram.allocate()), on: submissions)
      completions.reap()
      #expect(completions.take(command, from: 0)?.status == .success)
      host.ring(completionQueue: 0, head: UInt32(completions.head))
    }
  }

  // MARK: Doorbells

  @Test(arguments: Host.DoorbellPath.allCases) func tailBeyondTheQueue(_ path: Host.DoorbellPath) throws {
    let host = try AsynchronousEventsTests.host(path)
    let request = AsynchronousEventsTests.request(host)
    host.ring(submissionQueue: 1, tail: 64)
    #expect(try AsynchronousEventsTests.event(host, request) == AsynchronousEventsTests.invalidValue)
    // The queue goes on with the next good value.
    let queue = try #require(host.submissions[1])
    #expect(try host.io(.flush()).status == .success)
    #expect(queue.tail == 1)
  }

  @Test(arguments: Host.DoorbellPath.allCases) func tailOfTheAdminQueue(_ path: Host.DoorbellPath) throws {
    let host = try AsynchronousEventsTests.host(path)
    let request = AsynchronousEventsTests.request(host)
    try host.settle()
    host.ring(submissionQueue: 0, tail: 32)
    #expect(try AsynchronousEventsTests.event(host, request) == AsynchronousEventsTests.invalidValue)
    #expect(try host.admin(.identify(1, to: host.ram.allocate())).status == .success)
  }

  @Test(arguments: Host.DoorbellPath.allCases) func tailOfNoQueue(_ path: Host.DoorbellPath) throws {
    let host = try AsynchronousEventsTests.host(path)
    let request = AsynchronousEventsTests.request(host)
    host.ring(submissionQueue: 3, tail: 1)
    #expect(try AsynchronousEventsTests.event(host, request) == AsynchronousEventsTests.invalidRegister)
  }

  /// The head of a queue that does not exist, with and without a submission queue of that number.
  @Test(arguments: [2, 5] as [UInt16]) func headOfNoQueue(_ identifier: UInt16) throws {
    let host = try AsynchronousEventsTests.host()
    try host.createSubmissionQueue(2, completionQueue: 1)
    let request = AsynchronousEventsTests.request(host)
    host.ring(completionQueue: identifier, head: 1)
    #expect(try AsynchronousEventsTests.event(host, request) == AsynchronousEventsTests.invalidRegister)
  }

  /// The tail of a queue that does not exist though a completion queue of that number does.
  @Test(arguments: Host.DoorbellPath.allCases) func tailOfACompletionQueue(_ path: Host.DoorbellPath) throws {
    let host = try AsynchronousEventsTests.host(path)
    try host.createCompletionQueue(2)
    let request = AsynchronousEventsTests.request(host)
    host.ring(submissionQueue: 2, tail: 1)
    #expect(try AsynchronousEventsTests.event(host, request) == AsynchronousEventsTests.invalidRegister)
  }

  @Test func doorbellsBeyondTheLastQueue() throws {
    let host = try AsynchronousEventsTests.host()
    for identifier: UInt16 in [9, 64, 511, 1535] {
      let request = AsynchronousEventsTests.request(host)
      host.write32(DoorbellRegister.submissionQueueTail(identifier), 1)
      #expect(
        try AsynchronousEventsTests.event(host, request) == AsynchronousEventsTests.invalidRegister,
        "queue \(identifier)")
      try AsynchronousEventsTests.readLog(host, 1)
    }
  }

  /// The head is looked at when the queue looks full; until then a bad value does no harm.
  @Test(arguments: Host.DoorbellPath.allCases, [64, 0xffff] as [UInt32])
  func headBeyondTheQueue(_ path: Host.DoorbellPath, head: UInt32) throws {
    let host = try Host([try .memory()], path: path)
    let queue = try host.createQueuePair(size: 64)
    let request = AsynchronousEventsTests.request(host)
    let ring = try #require(host.completions[1])
    ring.consumes = false
    host.submit((0..<60).map { _ in .flush() }, on: queue)
    host.ring(completionQueue: 1, head: head)
    try host.settle()
    #expect(ring.reap() == 60)
    host.submit((0..<5).map { _ in .flush() }, on: queue)
    #expect(try AsynchronousEventsTests.event(host, request) == AsynchronousEventsTests.invalidValue)
    #expect(ring.reap() == 3, "nothing is overwritten")
    host.consume(ring)
    try host.settle()
    #expect(ring.reap() == 2)
  }

  /// The host cannot have consumed what was not posted yet.
  @Test(arguments: Host.DoorbellPath.allCases) func headBeyondTheTail(_ path: Host.DoorbellPath) throws {
    let gate = try Gate()
    let image = try TestImage(size: 1 << 20)
    let host = try Host([Namespace(try image.backend(gate: gate)), try .memory()], path: path, gates: [gate])
    let queue = try host.createQueuePair(size: 64, completionSize: 8)
    let request = AsynchronousEventsTests.request(host)
    let ring = try #require(host.completions[1])
    ring.consumes = false
    // Three entries are reserved, four are posted.
    host.submit((0..<3).map { .writeZeroes(slba: $0 * 8, blocks: 8) } + (0..<4).map { _ in .flush(nsid: 2) }, on: queue)
    try host.settle()
    #expect(ring.reap() == 4)
    host.ring(completionQueue: 1, head: 5)
    host.submit(.flush(nsid: 2), on: queue)
    #expect(try AsynchronousEventsTests.event(host, request) == AsynchronousEventsTests.invalidValue)
    #expect(ring.reap() == 0)
    host.consume(ring)
    try host.settle()
    #expect(ring.reap() == 1)
    gate.open()
    try host.wait("the commands in flight") {
      ring.reap()
      return ring.entries.count == 8
    }
    #expect(
      Set(ring.entries.map(\.commandIdentifier)) == Set(0..<8) && ring.entries.allSatisfy { $0.status == .success })
  }

  /// Each type is reported once, and again when its log page was read.
  @Test(arguments: Host.DoorbellPath.allCases) func maskedUntilTheLogIsRead(_ path: Host.DoorbellPath) throws {
    let host = try AsynchronousEventsTests.host(path)
    var request = AsynchronousEventsTests.request(host)
    host.ring(submissionQueue: 1, tail: 64)
    #expect(try AsynchronousEventsTests.event(host, request) == AsynchronousEventsTests.invalidValue)
    request = AsynchronousEventsTests.request(host)
    host.ring(submissionQueue: 1, tail: 65)
    host.ring(submissionQueue: 3, tail: 1)
    #expect(try AsynchronousEventsTests.event(host, request) == nil, "masked")
    try AsynchronousEventsTests.readLog(host, 2)
    try AsynchronousEventsTests.readLog(host, 1, retain: true)
    #expect(try AsynchronousEventsTests.event(host, request) == nil, "another page, or retained")
    try AsynchronousEventsTests.readLog(host, 1)
    // What happened meanwhile was remembered, once for each kind.
    var events = [try AsynchronousEventsTests.event(host, request)]
    request = AsynchronousEventsTests.request(host)
    try AsynchronousEventsTests.readLog(host, 1)
    events.append(try AsynchronousEventsTests.event(host, request))
    #expect(Set(events) == [AsynchronousEventsTests.invalidValue, AsynchronousEventsTests.invalidRegister])
    request = AsynchronousEventsTests.request(host)
    try AsynchronousEventsTests.readLog(host, 1)
    #expect(try AsynchronousEventsTests.event(host, request) == nil)
  }

  /// The same bad value is bad again after a good one.
  @Test(arguments: Host.DoorbellPath.allCases) func theSameBadValueAgain(_ path: Host.DoorbellPath) throws {
    let host = try AsynchronousEventsTests.host(path)
    for _ in 0..<3 {
      let request = AsynchronousEventsTests.request(host)
      host.ring(submissionQueue: 1, tail: 64)
      #expect(try AsynchronousEventsTests.event(host, request) == AsynchronousEventsTests.invalidValue)
      try AsynchronousEventsTests.readLog(host, 1)
      #expect(try host.io(.flush()).status == .success)
    }
  }

  @Test func eventBeforeARequest() throws {
    let host = try AsynchronousEventsTests.host()
    host.ring(submissionQueue: 1, tail: 64)
    try host.settle()
    #expect(host.adminCompletion.entries.isEmpty)
    let request = AsynchronousEventsTests.request(host)
    #expect(try AsynchronousEventsTests.event(host, request) == AsynchronousEventsTests.invalidValue)
  }

  /// A flood of events takes no memory, and costs the host one completion.
  @Test func flood() throws {
    let host = try AsynchronousEventsTests.host()
    for value in 0..<10_000 {
      host.ring(submissionQueue: 1, tail: UInt32(64 + value % 60_000))
      host.write32(DoorbellRegister.submissionQueueTail(4), UInt32(value))
    }
    try host.settle()
    for _ in 0..<4 { AsynchronousEventsTests.request(host) }
    try host.settle()
    #expect(host.adminCompletion.takeAll().count == 1)
  }

  @Test func doorbellsOfADisabledController() throws {
    let host = try AsynchronousEventsTests.host()
    try host.disable()
    host.ring(submissionQueue: 1, tail: 1)
    host.ring(submissionQueue: 0, tail: 100)
    host.ring(completionQueue: 7, head: 100)
    try host.settle()
    try host.enable()
    let request = AsynchronousEventsTests.request(host)
    #expect(try AsynchronousEventsTests.event(host, request) == nil)
  }

  /// A host that rang just before it deleted its queue has done nothing wrong.
  @Test func doorbellOfADeletedQueue() throws {
    let host = try AsynchronousEventsTests.host(.slots)
    let request = AsynchronousEventsTests.request(host)
    try host.settle()
    for _ in 0..<200 {
      let queue = try #require(host.submissions[1])
      #expect(try host.io(.flush()).status == .success)
      // The event of a doorbell that was seen before it came.
      host.ring(queue)
      #expect(try host.admin(.deleteSubmissionQueue(1)).status == .success)
      queue.restart()
      let command = SubmissionQueueEntry.createSubmissionQueue(1, size: 64, at: queue.iova, completionQueue: 1)
      #expect(try host.admin(command).status == .success)
    }
    #expect(try AsynchronousEventsTests.event(host, request) == nil)
  }

  /// Events, and requests for them, end with a reset.
  @Test func resetForgets() throws {
    let host = try AsynchronousEventsTests.host()
    AsynchronousEventsTests.request(host)
    try host.settle()
    try host.disable()
    try host.enable()
    try host.createQueuePair(1)
    host.ring(submissionQueue: 1, tail: 64)
    try host.settle()
    #expect(host.adminCompletion.entries.isEmpty, "the request is gone")
    try host.disable()
    try host.enable()
    let request = AsynchronousEventsTests.request(host)
    #expect(try AsynchronousEventsTests.event(host, request) == nil, "the event is gone")
  }

  // MARK: Temperature

  @Test func temperatureThreshold() throws {
    let host = try AsynchronousEventsTests.host()
    let feature = FeatureIdentifier.temperatureThreshold.rawValue
    let request = AsynchronousEventsTests.request(host)
    #expect(try host.admin(.setFeatures(feature, 303)).status == .success)
    #expect(try AsynchronousEventsTests.event(host, request) == nil, "not enabled")
    let page = host.ram.allocate()
    #expect(try host.admin(.getLogPage(2, bytes: 512, to: page)).status == .success)
    #expect(host.ram.bytes(page, 1) == [2], "but in the log")
    #expect(
      try host.admin(.setFeatures(FeatureIdentifier.asynchronousEventConfiguration.rawValue, 2)).status == .success)
    #expect(try AsynchronousEventsTests.event(host, request) == AsynchronousEventsTests.temperature)
    #expect(try host.admin(.setFeatures(feature, 343)).status == .success)
    #expect(try host.admin(.getLogPage(2, bytes: 512, to: page)).status == .success)
    #expect(host.ram.bytes(page, 1) == [0])
    // The other side: under temperature.
    let second = AsynchronousEventsTests.request(host)
    #expect(try host.admin(.setFeatures(feature, 1 << 20 | 302)).status == .success)
    #expect(try AsynchronousEventsTests.event(host, second) == nil)
    #expect(try host.admin(.setFeatures(feature, 1 << 20 | 303)).status == .success)
    #expect(try AsynchronousEventsTests.event(host, second) == AsynchronousEventsTests.temperature)
  }

  // MARK: Namespaces

  @Test func namespaceAttributeChanged() throws {
    let host = try AsynchronousEventsTests.host()
    let request = AsynchronousEventsTests.request(host)
    try host.setNamespace(2, .memory())
    #expect(try AsynchronousEventsTests.event(host, request) == nil, "not enabled")
    #expect(
      try host.admin(.setFeatures(FeatureIdentifier.asynchronousEventConfiguration.rawValue, 0x100)).status
        == .success)
    try host.setNamespace(3, .memory())
    #expect(try AsynchronousEventsTests.event(host, request) == AsynchronousEventsTests.namespaceAttribute)
    let second = AsynchronousEventsTests.request(host)
    try host.setNamespace(3, nil)
    #expect(try AsynchronousEventsTests.event(host, second) == nil, "masked")
    try AsynchronousEventsTests.readLog(host, 4)
    #expect(try AsynchronousEventsTests.event(host, second) == nil, "the page has told of it")
    try host.setNamespace(2, .memory(2 << 20))
    #expect(try AsynchronousEventsTests.event(host, second) == AsynchronousEventsTests.namespaceAttribute)
    // A page that is read before there is a request leaves nothing to tell.
    try AsynchronousEventsTests.readLog(host, 4)
    try host.setNamespace(2, nil)
    try AsynchronousEventsTests.readLog(host, 4)
    let third = AsynchronousEventsTests.request(host)
    #expect(try AsynchronousEventsTests.event(host, third) == nil)
  }

  // MARK: Room

  /// An event waits for room in the completion queue.
  @Test(arguments: Host.DoorbellPath.allCases) func eventWhileTheQueueIsFull(_ path: Host.DoorbellPath) throws {
    let host = try AsynchronousEventsTests.host(path)
    let request = AsynchronousEventsTests.request(host)
    try host.settle()
    host.adminCompletion.consumes = false
    // The queue has 31 entries to use.
    let data = host.ram.allocate()
    for _ in 0..<31 {
      host.adminCompletion.reap()
      host.submit(.identify(1, to: data), on: host.adminSubmission)
      try host.settle()
    }
    host.adminCompletion.reap()
    #expect(host.adminCompletion.takeAll().count == 31)
    host.ring(submissionQueue: 1, tail: 64)
    try host.settle()
    #expect(host.adminCompletion.reap() == 0)
    host.consume(host.adminCompletion)
    host.adminCompletion.consumes = true
    #expect(try AsynchronousEventsTests.event(host, request) == AsynchronousEventsTests.invalidValue)
  }
}
