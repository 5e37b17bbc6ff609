import LinuxIO
import NVMeSpec

/// What one I/O thread counts for one controller: memory that the thread writes and any thread reads.
final class PortCounters: Sendable {
  /// Where what is counted.
  private enum Layout {
    /// Kinds of commands: words of a latency bucket.
    static let kinds = 8
    /// Bytes transferred, by kind.
    static let bytes = 0
    static let mediaErrors = 8
    static let interrupts = 9
    static let wakeUps = 10
    static let inFlight = 11
    static let polledDoorbells = 12
    static let shadowDoorbells = 13
    /// Signals of the completion queue heads' eventfd that the thread has read.
    static let headSignals = 14
    static let batchedCommands = 15
    static let batches = 16
    /// Commands by latency bucket, and there by kind: a bucket is a cache line.
    static let latencies = 32
    /// Failed commands by SCT and SC.
    static let failures = latencies + LatencyBuckets.count * kinds
    static let count = failures + 1 << 11
  }

  /// A latency bucket, as a place in the memory.
  struct Latency {
    fileprivate let word: Int

    /// That of commands that end in the round in which they began.
    static let none = Latency(0)

    /// That of a latency in ns.
    init(_ latency: UInt64) { word = Layout.latencies &+ LatencyBuckets.index(of: latency) &* Layout.kinds }
  }

  private let memory: MemoryMapping
  private let words: CounterWords

  /// Nothing counted.
  ///
  /// - Throws: `ENOMEM` where there is no memory.
  init() throws(Errno) {
    memory = try MemoryMapping(anonymous: Layout.count * 8)
    words = CounterWords(memory)
  }

  /// The thread's own access; the counters outlive it.
  @unsafe var writer: Writer { Writer(words: words) }

  /// Writes the counters: the I/O thread alone.
  @safe struct Writer {
    fileprivate let words: CounterWords

    /// For a place without a controller: whatever is counted is lost.
    static let none = Writer(words: CounterWords(count: Layout.count))

    /// Counts a command that has succeeded.
    @inline(__always)
    func count(_ operation: Request.Operation, _ length: UInt64, _ latency: Latency) {
      let kind = Int(operation.rawValue)
      unsafe words.add(length, at: Layout.bytes &+ kind)
      unsafe words.add(1, at: latency.word &+ kind)
    }

    /// Counts a command that has failed.
    @inline(never)
    func countFailure(_ kind: CommandKind, _ status: Status, _ latency: Latency) {
      unsafe words.add(1, at: latency.word &+ PortCounters.index(kind))
      unsafe words.add(1, at: Layout.failures &+ Int(status.rawValue & 0x7ff))
    }

    /// Counts a command whose failure is the media's or the file's.
    func countMediaError() { unsafe words.add(1, at: Layout.mediaErrors) }

    /// Counts an interrupt.
    func countInterrupt() { unsafe words.add(1, at: Layout.interrupts) }

    /// Counts an event of a doorbell.
    func countWakeUp() { unsafe words.add(1, at: Layout.wakeUps) }

    /// Counts completions that one queue got in one round.
    func countBatch(_ size: Int) {
      let size = UInt64(truncatingIfNeeded: size)
      unsafe words.add(1, at: Layout.batches &+ BatchHistogram.index(of: size))
      unsafe words.add(size, at: Layout.batchedCommands)
    }

    /// Counts new values of doorbells that nothing announces.
    func countDoorbells(_ count: Int, isShadow: Bool) {
      unsafe words.add(
        UInt64(truncatingIfNeeded: count), at: isShadow ? Layout.shadowDoorbells : Layout.polledDoorbells)
    }

    /// Counts signals for completion queue heads that were read from their eventfd.
    func countHeadSignals(_ count: UInt64) { unsafe words.add(count, at: Layout.headSignals) }

    /// Says how many commands are in flight.
    @inline(__always)
    func setInFlight(_ count: Int) { unsafe words.set(UInt64(truncatingIfNeeded: count), at: Layout.inFlight) }
  }

  /// The place of a kind: for most of them that of its operation.
  private static func index(_ kind: CommandKind) -> Int {
    switch kind {
    case .read: Int(Request.Operation.read.rawValue)
    case .write: Int(Request.Operation.write.rawValue)
    case .flush: Int(Request.Operation.flush.rawValue)
    case .compare: Int(Request.Operation.compare.rawValue)
    case .verify: Int(Request.Operation.verify.rawValue)
    case .writeZeroes: Int(Request.Operation.zero.rawValue)
    case .deallocate: Int(Request.Operation.deallocate.rawValue)
    case .other: Layout.kinds - 1
    }
  }

  // MARK: Reading

  /// Signals of the completion queue heads' eventfd that are not in it any more.
  var headSignals: UInt64 { unsafe words.load(Layout.headSignals) }

  /// All that is counted here. Any thread.
  var statistics: ControllerStatistics {
    var statistics = ControllerStatistics()
    for kind in CommandKind.allCases {
      let index = PortCounters.index(kind)
      var commands = ControllerStatistics.Commands()
      commands.bytes = unsafe words.load(Layout.bytes + index)
      for bucket in 0..<LatencyBuckets.count {
        let count = unsafe words.load(Layout.latencies + bucket * Layout.kinds + index)
        commands.latency.add(count, bucket: bucket)
      }
      if commands.latency.count > 0 { statistics.commands[kind] = commands }
    }
    for code in 0..<UInt16(1 << 11) {
      let count = unsafe words.load(Layout.failures + Int(code))
      if count > 0 { statistics.failures.append(ControllerStatistics.Failures(Status(rawValue: code), count: count)) }
    }
    statistics.mediaErrors = unsafe words.load(Layout.mediaErrors)
    let doorbells: [(DoorbellPath, Int)] = [(.polled, Layout.polledDoorbells), (.shadow, Layout.shadowDoorbells)]
    for (path, index) in doorbells {
      let count = unsafe words.load(index)
      if count > 0 { statistics.doorbells[path] = count }
    }
    statistics.interrupts = unsafe words.load(Layout.interrupts)
    statistics.wakeUps = unsafe words.load(Layout.wakeUps)
    for index in 0..<BatchHistogram.bucketCount {
      statistics.completionBatches.counts[index] = unsafe words.load(Layout.batches + index)
    }
    statistics.completionBatches.sum = unsafe words.load(Layout.batchedCommands)
    statistics.inFlight = unsafe words.load(Layout.inFlight)
    return statistics
  }
}
