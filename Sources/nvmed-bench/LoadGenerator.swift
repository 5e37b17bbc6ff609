import LinuxIO
import NVMeHost
import NVMeSpec

/// Keeps a number of commands in flight on one queue. One thread at a time.
///
/// A command is prepared once for each identifier, with its data pointer; only the block address changes.
struct LoadGenerator: ~Copyable, Sendable {
  private var queue: HostQueue
  private let plan: LoadPlan
  private let depth: Int
  private var entries: FixedTable<SubmissionQueueEntry>
  private var started: FixedTable<UInt64>
  private var random: XorShift
  private var nextPlace: UInt64 = 0

  init(
    _ queue: consuming HostQueue, plan: LoadPlan, depth: Int, memory: HostMemory, seed: UInt64
  ) throws(HostError) {
    self.queue = queue
    self.plan = plan
    self.depth = depth
    random = XorShift(seed: seed)
    started = FixedTable(count: depth) { _ in 0 }
    var prepared: [SubmissionQueueEntry] = []
    for identifier in 0..<depth {
      let data = try memory.allocate(plan.byteCount)
      // Data that neither compression nor a search for zeros can do anything with.
      if plan.pattern.opcode == .write {
        for offset in stride(from: 0, to: plan.byteCount - 7, by: 8) { data.store(random.next(), at: offset) }
      }
      var entry = SubmissionQueueEntry.io(
        plan.pattern.opcode, nsid: plan.nsid, slba: 0, blocks: plan.blocks)
      try PRPBuilder.pointer(to: [data]).apply(to: &entry)
      entry.commandIdentifier = UInt16(truncatingIfNeeded: identifier)
      prepared.append(entry)
    }
    entries = FixedTable(count: depth) { prepared[$0] }
  }

  /// Runs from now on, for as long as the plan says.
  mutating func run() throws(HostError) -> Load {
    var load = Load()
    let begin = Clock.monotonic
    let measuredFrom = begin + plan.warmup
    let end = measuredFrom + plan.duration
    var cpuAtBegin: UInt64 = 0
    var isMeasuring = false
    var last = begin
    for _ in 0..<depth { issue(at: begin) }
    queue.ring()
    while queue.submissionQueues[0].inFlight > 0 {
      if !queue.completionQueue.hasEntry {
        try sleep(since: last)
        continue
      }
      let now = Clock.monotonic
      last = now
      if !isMeasuring, now >= measuredFrom {
        isMeasuring = true
        cpuAtBegin = Clock.threadCPU
        load.duration = now
      }
      if isMeasuring, now >= end, load.cpuTime == 0 {
        load.cpuTime = Clock.threadCPU - cpuAtBegin
        load.duration = now - load.duration
      }
      while let completion = queue.nextCompletion() {
        load.commands &+= 1
        guard completion.status.isSuccess else { throw .failed(completion.status) }
        if now < end {
          if isMeasuring { load.latencies.record(now &- started[Int(completion.commandIdentifier)]) }
          issue(at: now)
        }
      }
      queue.ring()
      queue.acknowledge()
      guard queue.violations == 0 else { throw .missing("sense in a completion") }
    }
    return load
  }

  private mutating func issue(at now: UInt64) {
    guard let identifier = queue.submissionQueues[0].reserve() else { return }
    let place: UInt64
    if plan.pattern.isRandom {
      place = UInt64(truncatingIfNeeded: (UInt128(random.next()) * UInt128(plan.places)) >> 64)
    } else {
      place = nextPlace
      nextPlace = nextPlace + 1 == plan.places ? 0 : nextPlace + 1
    }
    let index = Int(identifier)
    entries[index].slba = place &* UInt64(plan.blocks)
    queue.submissionQueues[0].write(entries[index])
    started[index] = now
  }

  private mutating func sleep(since last: UInt64) throws(HostError) {
    let timeout: UInt64 = 120_000_000_000
    queue.completionQueue.waitForInterrupt(milliseconds: 10_000)
    guard queue.completionQueue.hasEntry || Clock.monotonic - last < timeout else {
      throw .timedOut("a completion on queue \(queue.identifier)")
    }
  }
}

/// Hands a generator to the thread that runs it.
final class Handover: Sendable {
  private let generator: Locked<LoadGenerator?>

  init(_ generator: consuming LoadGenerator) { self.generator = Locked(generator) }

  /// Takes the generator out and runs it. Once.
  func run() -> Result<Load, HostError> {
    guard var generator = generator.withLock({ $0.take() }) else { return .failure(.missing("load")) }
    do throws(HostError) { return .success(try generator.run()) } catch { return .failure(error) }
  }
}
