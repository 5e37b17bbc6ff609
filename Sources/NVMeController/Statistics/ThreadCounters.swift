import Glibc
import LinuxIO

/// What one I/O thread counts of itself: memory that the thread writes and any thread reads.
final class ThreadCounters: Sendable {
  /// Where what is counted.
  private enum Layout {
    static let rounds = 0
    static let wakeUps = 1
    static let aioInFlight = 2
    static let aioCapacity = 3
    static let submittedRequests = 4
    static let submissions = 8
    static let count = submissions + BatchHistogram.bucketCount
  }

  private let memory: MemoryMapping
  private let words: CounterWords
  /// The thread's `/proc/thread-self/status`, opened early: a sandbox may forbid it later.
  private let status = Locked<FileDescriptor?>(nil)

  /// Nothing counted.
  ///
  /// - Throws: `ENOMEM` where there is no memory.
  init() throws(Errno) {
    memory = try MemoryMapping(anonymous: Layout.count * 8)
    words = CounterWords(memory)
  }

  // MARK: Writing, by the I/O thread

  /// The calling thread is the one that is counted.
  func begin() {
    let descriptor = unsafe open("/proc/thread-self/status", O_RDONLY | O_CLOEXEC)
    status.withLock { $0 = descriptor >= 0 ? FileDescriptor(owning: descriptor) : nil }
  }

  /// The calling thread ends.
  func end() { status.withLock { $0 = nil } }

  /// The thread's own access; the counters outlive it.
  @unsafe var writer: Writer { Writer(words: words) }

  /// Writes the counters: the I/O thread alone.
  @safe struct Writer {
    fileprivate let words: CounterWords

    /// Says how many requests the aio context takes.
    func setCapacity(_ count: Int) { unsafe words.set(UInt64(truncatingIfNeeded: count), at: Layout.aioCapacity) }

    /// Counts a round that did something.
    func countRound(aioInFlight: Int) {
      unsafe words.add(1, at: Layout.rounds)
      unsafe words.set(UInt64(truncatingIfNeeded: aioInFlight), at: Layout.aioInFlight)
    }

    /// Counts a return from a sleep.
    func countWakeUp() { unsafe words.add(1, at: Layout.wakeUps) }

    /// Counts requests that were handed to the kernel together.
    func countSubmission(_ size: Int) {
      let size = UInt64(truncatingIfNeeded: size)
      unsafe words.add(1, at: Layout.submissions &+ BatchHistogram.index(of: size))
      unsafe words.add(size, at: Layout.submittedRequests)
    }
  }

  // MARK: Reading

  /// All that is counted, and what the kernel says of the thread. Any thread.
  var statistics: IOThreadStatistics {
    var statistics = IOThreadStatistics()
    statistics.rounds = unsafe words.load(Layout.rounds)
    statistics.wakeUps = unsafe words.load(Layout.wakeUps)
    for index in 0..<BatchHistogram.bucketCount {
      statistics.submissions.counts[index] = unsafe words.load(Layout.submissions + index)
    }
    statistics.submissions.sum = unsafe words.load(Layout.submittedRequests)
    statistics.aioInFlight = unsafe words.load(Layout.aioInFlight)
    statistics.aioCapacity = unsafe words.load(Layout.aioCapacity)
    let text = status.withLock { descriptor in
      if let number = descriptor?.rawValue { ThreadCounters.read(number) } else { "" }
    }
    statistics.voluntaryContextSwitches = ThreadCounters.number("voluntary_ctxt_switches:", in: text)
    statistics.involuntaryContextSwitches = ThreadCounters.number("nonvoluntary_ctxt_switches:", in: text)
    return statistics
  }

  private static func read(_ descriptor: Int32) -> String {
    var bytes = [UInt8](repeating: 0, count: 8192)
    let count = unsafe pread(descriptor, &bytes, bytes.count, 0)
    return String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self)
  }

  /// The number of a line that begins with `name`; 0 where there is none.
  private static func number(_ name: String, in text: String) -> UInt64 {
    for line in text.split(separator: "\n") where line.hasPrefix(name) {
      return UInt64(line.dropFirst(name.count).drop { $0 == " " || $0 == "\t" }) ?? 0
    }
    return 0
  }
}
