/// What `nvmed-bench storm` prints.
struct StormReport: CustomStringConvertible {
  /// What a thread did.
  struct Part: Sendable {
    let counts: StormQueue.Counts
    let recreations: Int
  }

  let bench: StormBench
  private var counts = StormQueue.Counts()
  private var recreations = 0
  /// How often BAR0 got another address.
  var moves = 0
  /// Signals sent, stops included, but not what continues a stopped process.
  var signals = 0
  var stops = 0
  /// How often all threads but one stood still, and the commands that were each the only one in flight then.
  var lulls = 0
  var alone = 0
  /// What the controller has counted.
  var executed = (reads: 0, writes: 0)
  /// In ns.
  var duration: UInt64 = 0

  init(bench: StormBench) { self.bench = bench }

  mutating func add(_ part: Part) {
    counts.add(part.counts)
    recreations += part.recreations
  }

  /// Whether as many commands completed and were executed as were sent.
  var isRight: Bool {
    counts.completed == counts.submitted && executed.reads == counts.reads && executed.writes == counts.writes
  }

  var description: String {
    let seconds = Double(duration) / 1e9
    let rings = counts.doorbells.rings
    return """
      commands     \(counts.submitted) submitted (\(counts.reads) reads, \(counts.writes) writes), \
      \(counts.completed) completed
      executed     \(executed.reads) reads, \(executed.writes) writes, as the controller counted them
      data         \(bench.queues * StormQueue.blockCount) blocks read back
      doorbells    \(rings[0]) by slot, \(rings[1]) by message, \(rings[2]) by posted message, \
      \(counts.doorbells.unannounced) kept in memory; \
      \(counts.doorbells.changes) changes between them
      queues       \(bench.queues) pairs, \(recreations) times deleted and created anew
      disturbed    BAR0 moved \(moves) times; \(signals) signals, \(stops) of them stops; \(lulls) lulls with \
      \(alone) commands one by one
      time         \(tenths(seconds)) s, \(Int(Double(counts.submitted) / max(seconds, 0.001))) commands/s, \
      \(bench.threads) threads, seed \(bench.seed)
      """
  }

  private func tenths(_ figure: Double) -> String { "\((figure * 10).rounded() / 10)" }
}
