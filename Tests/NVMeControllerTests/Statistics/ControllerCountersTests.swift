import LinuxIO
import NVMeController
import NVMeSpec
import Testing

/// What controllers and threads count while they work.
@Suite struct ControllerCountersTests {
  private static func host(
    _ image: TestImage, _ path: Host.DoorbellPath = .socket, threads: IOThreads? = nil
  ) throws -> Host {
    let host = try Host([Namespace(try image.backend())], threads: threads, path: path)
    try host.createQueuePair()
    return host
  }

  @Test func commandsAreCountedByKind() throws {
    let image = try TestImage(size: 1 << 20)
    let host = try Self.host(image)
    let data = host.ram.allocate(pages: 2)
    for _ in 0..<3 { #expect(try host.io(.transfer(.write, slba: 0, blocks: 8, data)).status == .success) }
    for _ in 0..<2 { #expect(try host.io(.transfer(.read, slba: 0, blocks: 4, data)).status == .success) }
    #expect(try host.io(.transfer(.compare, slba: 0, blocks: 2, data)).status == .success)
    host.ram.write([UInt64.max], at: data)
    #expect(try host.io(.transfer(.compare, slba: 0, blocks: 2, data)).status == .compareFailure)
    #expect(try host.io(.transfer(.verify, slba: 0, blocks: 1)).status == .success)
    #expect(try host.io(.flush()).status == .success)
    #expect(try host.io(.writeZeroes(slba: 0, blocks: 1)).status == .success)
    #expect(try host.io(.transfer(.read, slba: 1 << 40, blocks: 1, data)).status == .lbaOutOfRange)
    var unknown = SubmissionQueueEntry()
    unknown.opcode = 0xff
    #expect(try host.io(unknown).status == .invalidOpcode)
    try host.settle()
    let statistics = host.controller.counters.statistics
    let counts = statistics.commands.mapValues(\.latency.count)
    #expect(counts == [.write: 3, .read: 3, .compare: 2, .verify: 1, .flush: 1, .writeZeroes: 1, .other: 1])
    #expect(statistics[.write].bytes == 3 * 4096)
    #expect(statistics[.read].bytes == 2 * 2048)
    #expect(statistics[.compare].bytes == 1024, "of the one that succeeded")
    #expect(statistics[.verify].bytes == 512)
    #expect(statistics.failures.map(\.status) == [0x001, 0x080, 0x285])
    #expect(statistics.failures.map(\.count) == [1, 1, 1])
    #expect(statistics.mediaErrors == 0)
    #expect(statistics.inFlight == 0)
    // A command that the disk has taken part in takes longer than nothing.
    #expect(statistics[.flush].latency.percentile(50) > LatencyBuckets.middle(of: 0))
  }

  /// Register writes are counted one by one, by the way that they came.
  @Test(arguments: [(Host.DoorbellPath.socket, DoorbellPath.message), (.slots, .slot)])
  func doorbellsAreCountedByPath(_ path: Host.DoorbellPath, _ counted: DoorbellPath) throws {
    let image = try TestImage(size: 1 << 20)
    let host = try Self.host(image, path)
    let data = host.ram.allocate()
    for _ in 0..<10 { #expect(try host.io(.transfer(.read, slba: 0, blocks: 8, data)).status == .success) }
    try host.settle()
    let statistics = host.controller.counters.statistics
    #expect(Array(statistics.doorbells.keys) == [counted])
    // One tail and one head for each, as the host takes each completion before its next command.
    #expect(statistics.doorbells[counted] == 20)
    #expect(statistics.wakeUps >= 1 && statistics.wakeUps <= 10)
    #expect(host.controller.counters.statistics == statistics, "looking changes nothing")
    #expect(statistics.interrupts >= 1 && statistics.interrupts <= 10)
    #expect(statistics.completionBatches.sum == 10)
    #expect(statistics.completionBatches.count == statistics.interrupts)
  }

  @Test func threadsCountWhatTheySubmit() throws {
    let image = try TestImage(size: 1 << 20)
    let threads = try IOThreads()
    let host = try Self.host(image, threads: threads)
    let data = host.ram.allocate()
    for _ in 0..<5 { #expect(try host.io(.transfer(.read, slba: 0, blocks: 8, data)).status == .success) }
    try host.settle()
    let statistics = threads.handles[0].statistics
    #expect(statistics.submissions.sum == 5)
    #expect(statistics.submissions.count == 5)
    #expect(statistics.rounds >= 5)
    #expect(statistics.wakeUps >= 5)
    #expect(statistics.aioCapacity == 256)
    #expect(statistics.aioInFlight == 0)
    #expect(statistics.voluntaryContextSwitches + statistics.involuntaryContextSwitches > 0)
  }
}
