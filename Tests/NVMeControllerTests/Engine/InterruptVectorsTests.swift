import NVMeController
import NVMeSpec
import Storage
import Testing

/// Interrupts of I/O queues: `InterruptVectors.swift` and `ControllerPort.signalInterrupts`.
@Suite struct InterruptVectorsTests {
  /// A queue pair on vector 3 of which the host has taken all interrupts, and the host consumes nothing by itself.
  private static func host(_ path: Host.DoorbellPath = .socket) throws -> (Host, SubmissionRing, CompletionRing) {
    let host = try Host([try .memory()], path: path)
    let queue = try host.createQueuePair(vector: 3)
    let ring = try #require(host.completions[1])
    ring.consumes = false
    try host.settle()
    #expect(host.takeInterrupts(3) == 0)
    return (host, queue, ring)
  }

  /// One interrupt for all that one look at the doorbell found.
  @Test(arguments: Host.DoorbellPath.allCases, [1, 2, 32, 63]) func oneForABatch(
    _ path: Host.DoorbellPath, count: Int
  ) throws {
    let (host, queue, ring) = try InterruptVectorsTests.host(path)
    for _ in 0..<5 {
      host.submit((0..<count).map { _ in .flush() }, on: queue)
      try host.settle()
      #expect(ring.reap() == count && host.takeInterrupts(3) == 1)
      host.consume(ring)
    }
    try host.settle()
    #expect(host.takeInterrupts(3) == 0)
  }

  /// Queues that share a vector.
  @Test func sharedVector() throws {
    let host = try Host([try .memory()], path: .slots)
    let queues = try (1...3).map { try host.createQueuePair(UInt16($0), vector: 2) }
    try host.settle()
    _ = host.takeInterrupts(2)
    for queue in queues { queue.put(.flush()) }
    // The doorbells of all are there before the event is.
    for queue in queues.dropFirst() {
      host.controller.slots.submissionQueueTail(queue.identifier)?.store(UInt32(queue.tail))
    }
    host.ring(queues[0])
    try host.settle()
    #expect(host.completions.values.allSatisfy { $0.entries.count == 1 })
    #expect(host.takeInterrupts(2) == 1)
    for vector in [1, 3] { #expect(host.takeInterrupts(vector) == 0) }
  }

  /// The I/O queue has the vector of the admin queue: firmware and drivers with one vector.
  @Test func vectorOfTheAdminQueue() throws {
    let host = try Host([try .memory()])
    let queue = try host.createQueuePair(vector: 0)
    try host.settle()
    _ = host.takeInterrupts(0)
    host.submit(.flush(), on: queue)
    try host.settle()
    #expect(host.takeInterrupts(0) == 1)
    try host.admin(.getFeatures(1))
    try host.settle()
    #expect(host.takeInterrupts(0) == 1)
  }

  // MARK: Eventfds that come and go

  @Test(arguments: Host.DoorbellPath.allCases) func installedLate(_ path: Host.DoorbellPath) throws {
    let (host, queue, ring) = try InterruptVectorsTests.host(path)
    try host.removeVectors(3..<4)
    try host.renewVector(3)
    host.submit((0..<5).map { _ in .flush() }, on: queue)
    try host.settle()
    #expect(ring.reap() == 5 && host.takeInterrupts(3) == 0)
    // Also where the host has consumed them meanwhile: an interrupt too many is harmless.
    host.consume(ring)
    try host.installVectors(3..<4)
    try host.settle()
    #expect(host.takeInterrupts(3) == 1)
    try host.replaceVector(3)
    try host.settle()
    #expect(host.takeInterrupts(3) == 0, "nothing is pending any more")
  }

  /// The guest moves an interrupt to another CPU: whatever it has not consumed is announced again.
  @Test(arguments: Host.DoorbellPath.allCases) func replaced(_ path: Host.DoorbellPath) throws {
    let (host, queue, ring) = try InterruptVectorsTests.host(path)
    host.submit(.flush(), on: queue)
    try host.settle()
    #expect(host.takeInterrupts(3) == 1)
    try host.replaceVector(3)
    try host.settle()
    #expect(host.takeInterrupts(3) == 1)
    #expect(ring.reap() == 1)
    host.consume(ring)
    try host.replaceVector(3)
    try host.settle()
    #expect(host.takeInterrupts(3) == 0)
    host.submit(.flush(), on: queue)
    try host.settle()
    #expect(host.takeInterrupts(3) == 1)
  }

  /// After the acknowledgement nobody uses an eventfd that was taken out.
  @Test func removed() throws {
    let (host, queue, ring) = try InterruptVectorsTests.host()
    try host.removeVectors(3..<4)
    for _ in 0..<10 {
      host.submit(.flush(), on: queue)
      try host.settle()
      #expect(ring.reap() == 1)
      host.consume(ring)
    }
    #expect(host.takeInterrupts(3) == 0)
    // The very same again.
    try host.installVectors(3..<4)
    try host.settle()
    #expect(host.takeInterrupts(3) == 1)
  }

  /// Vectors that are not there.
  @Test func vectorsOutOfRange() throws {
    let (host, queue, _) = try InterruptVectorsTests.host()
    try host.perform("vectors") {
      host.controller.setVectors([(9, 1_000_000), (-1, 1_000_000), (Int.max, -1)], then: $0)
    }
    host.submit(.flush(), on: queue)
    try host.settle()
    #expect(host.takeInterrupts(3) == 1)
  }

  @Test func noVectors() throws {
    let (host, _, _) = try InterruptVectorsTests.host()
    try host.perform("no vectors") { host.controller.setVectors([], then: $0) }
  }

  /// Commands all the time, and the eventfd changes all the time: each batch is announced.
  @Test(arguments: Host.DoorbellPath.allCases) func nothingIsLost(_ path: Host.DoorbellPath) throws {
    let image = try TestImage(size: 1 << 20)
    let host = try Host([Namespace(try image.backend())], path: path)
    let queue = try host.createQueuePair(vector: 3)
    let ring = try #require(host.completions[1])
    ring.consumes = false
    let data = host.ram.allocate()
    for round in 0..<300 {
      _ = host.takeInterrupts(3)
      let count = round % 3 + 1
      host.submit((0..<count).map { .transfer(.read, slba: UInt64($0), blocks: 1, data) }, on: queue)
      if round % 2 == 0 {
        try host.replaceVector(3)
      } else {
        try host.removeVectors(3..<4)
        try host.installVectors(3..<4)
      }
      // The host looks at its queue when it is interrupted, and only then.
      var found = 0
      var interrupts = host.takeInterrupts(3)
      while found < count {
        if interrupts == 0 {
          try host.wait("an interrupt") {
            interrupts = host.takeInterrupts(3)
            return interrupts > 0
          }
        }
        interrupts = 0
        found += ring.reap()
        host.consume(ring)
      }
    }
  }

  /// Interrupts of queues that a reset has ended are not pending for the next.
  @Test func resetForgets() throws {
    let (host, queue, _) = try InterruptVectorsTests.host()
    try host.removeVectors(0..<9)
    host.submit(.flush(), on: queue)
    try host.settle()
    try host.disable()
    for vector in 0..<9 { _ = host.takeInterrupts(vector) }
    try host.installVectors()
    try host.settle()
    for vector in 0..<9 { #expect(host.takeInterrupts(vector) == 0, "vector \(vector)") }
  }
}
