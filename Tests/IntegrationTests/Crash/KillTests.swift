import Glibc
import LinuxIO
import NVMeHost
import Synchronization
import Testing

/// The daemon is killed at random points of a load on several queues: what was acknowledged is there, as the kernel
/// outlives the daemon, and no block is torn.
///
/// `NVMED_CRASH_KILLS` is how often, for each setting; scripts/crash-test sets it.
@Suite struct KillTests {
  static let kills = environment("NVMED_CRASH_KILLS").flatMap { Int($0) } ?? 5
  /// A new image after so many.
  static let killsPerImage = 10

  @Test(arguments: [512, 4096], [[], ["--buffered"]])
  func keepsWhatItAcknowledged(_ block: Int, _ options: [String]) throws {
    var random = XorShift(seed: UInt64(block + options.count))
    var acknowledged = 0
    for first in stride(from: 0, to: Self.kills, by: Self.killsPerImage) {
      let count = min(Self.killsPerImage, Self.kills - first)
      acknowledged += try kill(count, block, options, &random)
    }
    print("\(block) \(options): \(Self.kills) kills, \(acknowledged) acknowledged commands")
  }

  /// Kills it so many times over one image. Gives how many commands were acknowledged.
  private func kill(_ count: Int, _ block: Int, _ options: [String], _ random: inout XorShift) throws -> Int {
    let load = CrashLoad.Options(depth: 12, usesFreshMemory: true)
    let queueCount = 3
    let blockCount = CrashLoad.blockCount(depth: load.depth) * queueCount
    let folder = try TestFolder()
    let image = try folder.image("disk", byteCount: blockCount * block)
    let history = CrashHistory(blockCount: blockCount)
    // All that has completed is to be there.
    history.turnCacheOff(position: 0)
    for _ in 0..<count {
      let served = try ServedController(
        folder, images: [image], blockByteCount: block, options: ["--io-threads", "2"] + options)
      let host = try served.host(
        HostOptions(doorbells: .slots, vectors: queueCount + 1), memory: try HostMemory(byteCount: 64 << 20),
        queues: queueCount)
      let stops = StopFlag()
      let counter = try Counter(target: Int(random.next() % 400) + 1)
      let loads = try CrashLoads(
        host, queueCount: queueCount, history: history, blockByteCount: block, options: load, seed: random.next()
      ) { counter.increment() }

      let wait = try loads.start(commands: .max / 2, shouldStop: { stops.isSet })
      defer { stops.set() }
      try counter.await()
      for _ in 0..<random.next() % 200 { sched_yield() }
      try served.daemon.kill()
      stops.set()
      _ = try wait()
      host.disconnect()

      var requirements = BlockRequirements(history)
      requirements.advance(to: 0)
      let bytes = try image.read(at: 0, count: blockCount * block)
      let perBlock = block / NumberedBlocks.sectorByteCount
      let sectors = NumberedBlocks.sectors(bytes, first: 0, sectorsPerBlock: perBlock)
      for number in 0..<blockCount {
        let violation = requirements.violation(block: number, sectors[number * perBlock..<(number + 1) * perBlock])
        if let violation { throw TestFailure("after a kill: \(violation)") }
      }
    }
    return history.operations.count { $0.completion != nil }
  }

  /// Counts what has completed.
  private final class Counter: Sendable {
    private let target: Int
    private let count = Atomic(0)
    private let reached: EventFD

    init(target: Int) throws {
      self.target = target
      reached = try EventFD()
    }

    /// Always at position 0.
    func increment() -> Int {
      if count.add(1, ordering: .relaxed).newValue == target { reached.signal() }
      return 0
    }

    /// Waits for so many.
    func await() throws {
      let deadline = deadline()
      while count.load(ordering: .relaxed) < target {
        guard !isOver(deadline) else { throw TestFailure("the load does not go on") }
        reached.wait(timeout: 100)
      }
    }
  }
}
