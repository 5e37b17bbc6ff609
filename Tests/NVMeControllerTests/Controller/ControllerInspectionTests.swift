import LinuxIO
import NVMeSpec
import Storage
import Testing

@testable import NVMeController

/// What others see of a running controller: `Controller+Inspection.swift`.
@Suite struct ControllerInspectionTests {
  private static func snapshot(_ host: Host) throws -> ControllerSnapshot {
    var result: ControllerSnapshot?
    host.controller.inspect { result = $0 }
    try host.wait("the snapshot") { result != nil }
    return try #require(result)
  }

  @Test func disabledAndEnabled() throws {
    let host = try Host([try .memory()], isEnabled: false)
    var snapshot = try ControllerInspectionTests.snapshot(host)
    #expect(snapshot.status == 0 && snapshot.configuration == 0 && snapshot.queues.isEmpty)
    try host.setBusMaster(true)
    try host.enable()
    snapshot = try ControllerInspectionTests.snapshot(host)
    #expect(snapshot.status == 1 && snapshot.configuration == Host.enabled.rawValue)
    #expect(snapshot.queues.map(\.identifier) == [0, 0])
    #expect(snapshot.queues.map(\.size) == [32, 32])
    #expect(!snapshot.isLimited && !snapshot.usesShadowDoorbells)
  }

  @Test func queues() throws {
    let gate = try Gate()
    let image = try TestImage(size: 1 << 20)
    let threads = try IOThreads(IOThreads.Options(threads: 2))
    let host = try Host([Namespace(try image.backend(gate: gate))], threads: threads, gates: [gate])
    try host.createQueuePair(1, size: 16, vector: 3)
    let queue = try host.createQueuePair(2, size: 32)
    try host.createSubmissionQueue(3, size: 8, completionQueue: 2)
    for index in 0..<5 as Range<UInt64> { host.submit(.writeZeroes(slba: index * 8, blocks: 8), on: queue) }
    try host.wait("the commands to begin", also: gate.arrival.rawValue) { gate.calls.count >= 1 }
    try host.settle()
    let snapshot = try ControllerInspectionTests.snapshot(host)
    func find(_ identifier: UInt16, isSubmission: Bool) -> QueueSnapshot? {
      snapshot.queues.first {
        if case .submission = $0.kind { return isSubmission && $0.identifier == identifier }
        return !isSubmission && $0.identifier == identifier
      }
    }
    #expect(snapshot.queues.map(\.identifier) == [0, 0, 1, 1, 2, 2, 3])
    let first = host.controller.thread(ofQueue: 1)
    let second = host.controller.thread(ofQueue: 2)
    #expect(
      find(1, isSubmission: true)
        == QueueSnapshot(
          kind: .submission(completionQueue: 1, inFlight: 0), identifier: 1, size: 16, head: 0, tail: 0, thread: first))
    #expect(
      find(1, isSubmission: false)
        == QueueSnapshot(
          kind: .completion(interruptVector: 3), identifier: 1, size: 16, head: 0, tail: 0, thread: first))
    #expect(
      find(2, isSubmission: true)
        == QueueSnapshot(
          kind: .submission(completionQueue: 2, inFlight: 5), identifier: 2, size: 32, head: 5, tail: 5, thread: second)
    )
    #expect(
      find(3, isSubmission: true)
        == QueueSnapshot(
          kind: .submission(completionQueue: 2, inFlight: 0), identifier: 3, size: 8, head: 0, tail: 0, thread: second))
    #expect(first != second)
    gate.open()
    try host.wait("the commands") { host.completions[2]?.entries.count == 5 }
    let after = try ControllerInspectionTests.snapshot(host)
    #expect(
      after.queues.contains {
        $0.kind == .completion(interruptVector: 2) && $0.identifier == 2 && $0.tail == 5
      })
  }

  /// Nothing is in flight, everything is flushed, and nothing begins meanwhile; then all goes on.
  @Test func drain() throws {
    let gate = try Gate()
    let image = try TestImage(size: 1 << 20)
    let host = try Host([Namespace(try image.backend(gate: gate)), try .memory()], gates: [gate])
    let queue = try host.createQueuePair()
    let command = host.submit(.writeZeroes(slba: 0, blocks: 8), on: queue)
    try host.wait("the command to begin", also: gate.arrival.rawValue) { gate.calls.count == 1 }
    var result: Bool?
    host.controller.drain { result = $0 }
    // A thread that looks on may take a doorbell before a message.
    try host.settle()
    let later = host.submit(.flush(nsid: 2), on: queue)
    try host.settle()
    #expect(result == nil && gate.calls.count == 1, "the command is in flight")
    gate.admitOne()
    try host.wait("the flush", also: gate.arrival.rawValue) { gate.calls.last == .dataSync }
    try host.settle()
    #expect(result == nil && host.completions[1]?.entries.isEmpty == true)
    gate.open()
    try host.wait("the drain", also: gate.arrival.rawValue) { result != nil }
    #expect(result == true)
    #expect(try host.completion(of: command, on: queue).status == .success)
    #expect(try host.completion(of: later, on: queue).status == .success)
    // Two at a time.
    var count = 0
    host.controller.drain { count += $0 ? 1 : 0 }
    host.controller.drain { count += $0 ? 1 : 0 }
    try host.wait("both drains", also: gate.arrival.rawValue) { count == 2 }
    #expect(try host.io(.flush(nsid: 2)).status == .success)
  }

  @Test func limits() throws {
    let host = try Host([try .null()])
    let queue = try host.createQueuePair()
    var limits = RateLimits()
    limits.operations = RateLimit(perSecond: 1, burst: 3)
    host.controller.setLimits(limits)
    let data = host.ram.allocate()
    host.submit((0..<60).map { _ in .transfer(.read, slba: 0, blocks: 1, data) }, on: queue)
    let start = Clock.monotonic
    try host.wait("the burst") { (host.completions[1]?.entries.count ?? 0) >= 3 }
    try host.settle()
    let seconds = Int((Clock.monotonic - start) / 1_000_000_000)
    #expect((host.completions[1]?.entries.count ?? 0) <= 4 + seconds)
    #expect(try ControllerInspectionTests.snapshot(host).isLimited)
    // Admin commands are not limited.
    #expect(try host.admin(.identify(1, to: data)).status == .success)
    host.controller.setLimits(RateLimits())
    try host.wait("the rest") { host.completions[1]?.entries.count == 60 }
    #expect(try !ControllerInspectionTests.snapshot(host).isLimited)
  }
}
