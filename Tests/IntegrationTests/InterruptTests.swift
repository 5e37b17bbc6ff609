import Glibc
import LinuxIO
import NVMeHost
import NVMeSpec
import Synchronization
import Testing

/// Eventfds of interrupt vectors that are replaced while completions come in.
@Suite struct InterruptTests {
  /// One command at a time, each of which needs its interrupt: one that goes astray stops the load.
  @Test func losesNoInterruptWhenEventFDsAreSwapped() throws {
    let served = try ServedController()
    let host = try served.host(HostOptions(doorbells: .slots, vectors: 3))
    // Polled by the queue, awaited by this test on either of two eventfds.
    let memory = try host.allocateQueueMemory(8, [8])
    try host.requireSuccess(
      host.admin(.createCompletionQueue(1, size: 8, iova: memory.completionQueue.iova, vector: 1)))
    try host.requireSuccess(
      host.admin(.createSubmissionQueue(1, size: 8, iova: memory.submissionQueues[0].iova, completionQueue: 1)))
    let queue = try host.makeQueue(
      completionQueue: 1, completionQueueSize: 8, submissionQueues: [1], submissionQueueSize: 8, commands: 7,
      memory: memory)
    let shared = Shared(queue)
    let vectors = [host.vectors[1], host.vectors[2]]
    let thread = try Thread(name: "commands") {
      guard var queue = shared.queue.withLock({ $0.take() }) else { return }
      while !shared.stops.load(ordering: .relaxed) {
        guard queue.submit(.flush(nsid: 1)) != nil else { return shared.fail("the queue is full") }
        queue.ring()
        while true {
          if let entry = queue.nextCompletion() {
            guard entry.status.isSuccess else { return shared.fail("\(entry.status)") }
            queue.acknowledge()
            break
          }
          var events = vectors.map { pollfd(fd: $0.event.rawValue, events: Int16(POLLIN), revents: 0) }
          guard poll(&events, 2, Int32(patience * 1000)) > 0 else {
            return shared.fail(
              queue.completionQueue.hasEntry ? "a completion without an interrupt" : "no completion")
          }
          for vector in vectors { vector.event.drain() }
        }
        shared.count.add(1, ordering: .relaxed)
      }
    }
    defer { thread.join() }
    defer { shared.stops.store(true, ordering: .relaxed) }
    for round in 0..<500 {
      // Each swap finds the load under way: one more command at least has completed since the last.
      let seen = shared.count.load(ordering: .relaxed)
      try host.setInterrupts(from: 1, [vectors[round % 2]])
      let deadline = deadline()
      while shared.count.load(ordering: .relaxed) == seen {
        if let failure = shared.failure.withLock({ $0 }) { throw TestFailure("round \(round): \(failure)") }
        guard !isOver(deadline) else { throw TestFailure("round \(round): no command completes") }
        sched_yield()
      }
    }
    #expect(shared.failure.withLock { $0 } == nil)
  }

  /// A vector without an eventfd, as QEMU has it while the guest masks it: the interrupt is there when it is back.
  @Test func signalsWhatCameWhileAVectorHadNoEventFD() throws {
    let served = try ServedController()
    let host = try served.host(HostOptions(doorbells: .slots, vectors: 3))
    var queue = try host.createQueue(1, depth: 8, vector: 1)
    for _ in 0..<50 {
      try host.unsetInterrupts(from: 1, count: 1)
      host.vectors[1].event.drain()
      let identifier = queue.submit(.flush(nsid: 1)) ?? .max
      queue.ring()
      // It completes without being noticed.
      let deadline = deadline()
      while !queue.completionQueue.hasEntry {
        guard !isOver(deadline) else { throw TestFailure("no completion") }
      }
      let early = host.vectors[1].event.drain()
      #expect(early == 0)
      try host.setInterrupts(from: 1, [host.vectors[1]])
      let came = host.vectors[1].event.wait(timeout: Int32(patience * 1000))
      guard came else { throw TestFailure("the interrupt was lost") }
      let completion = try queue.awaitCompletion(of: identifier)
      #expect(completion.status == .success)
    }
    host.disconnect()
    try served.daemon.terminate()
  }

  /// Interrupt Coalescing (08h) and Interrupt Vector Configuration (09h): eight completions for an interrupt, or 25.5 ms.
  @Test func coalescesInterrupts() throws {
    let served = try ServedController()
    let host = try served.host(HostOptions(doorbells: .slots, vectors: 3))
    var queue = try host.createQueue(1, depth: 8, vector: 1)
    let event = host.vectors[1]
    let time: UInt64 = 25_500_000
    /// One command after the other, each noticed without its interrupt.
    func run(_ count: Int) throws {
      for _ in 0..<count {
        guard queue.submit(.flush(nsid: 1)) != nil else { throw TestFailure("the queue is full") }
        queue.ring()
        let deadline = deadline()
        while queue.nextCompletion() == nil {
          guard !isOver(deadline) else { throw TestFailure("no completion") }
          sched_yield()
        }
        queue.acknowledge()
      }
    }
    func set(_ feature: FeatureIdentifier, _ value: UInt32) throws {
      try host.requireSuccess(host.admin(.setFeatures(feature.rawValue, value)))
      event.event.drain()
    }

    try set(.interruptCoalescing, 0xff07)
    var start = Clock.monotonic
    try run(800)
    let interrupts = event.event.drain()
    // On a machine that is slow enough, the time is over before there are eight.
    let late = (Clock.monotonic - start) / time
    #expect((1...100 + late).contains(interrupts), "\(interrupts) interrupts for 800 commands")

    // One that others do not follow is announced when its time is over, and not before.
    try set(.interruptCoalescing, 0xff07)
    start = Clock.monotonic
    try run(1)
    let came = event.event.wait(timeout: Int32(patience * 1000))
    #expect(came && Clock.monotonic - start >= time)

    // What waits when it is turned off is there when the command is done.
    try set(.interruptCoalescing, 0xff07)
    try run(3)
    try host.requireSuccess(host.admin(.setFeatures(FeatureIdentifier.interruptCoalescing.rawValue, 0)))
    let released = event.event.drain()
    #expect(released >= 1)

    // A vector that is exempt.
    try set(.interruptCoalescing, 0xffff)
    try set(.interruptVectorConfiguration, 1 << 16 | 1)
    for _ in 0..<100 {
      try run(1)
      let came = event.event.wait(timeout: Int32(patience * 1000))
      let count = event.event.drain()
      #expect(came && count == 1)
    }
    host.disconnect()
    try served.daemon.terminate()
  }

  private final class Shared: Sendable {
    let queue: Locked<HostQueue?>
    let stops = Atomic<Bool>(false)
    let count = Atomic<Int>(0)
    let failure = Locked<String?>(nil)

    init(_ queue: consuming HostQueue) { self.queue = Locked(queue) }

    func fail(_ text: String) { failure.withLock { $0 = text } }
  }
}
