import LinuxIO
import NVMeHost

/// Loads on several queues of one controller, each on a thread of its own.
final class CrashLoads: Sendable {
  private final class Shared: Sendable {
    let load: Locked<CrashLoad?>
    let failure = Locked<String?>(nil)

    init(_ load: consuming CrashLoad) { self.load = Locked(load) }
  }

  private let loads: [Shared]

  /// A load for each of the queues 1 to `queueCount`, which are made here with interrupts.
  init(
    _ host: HostController, queueCount: Int, history: CrashHistory, blockByteCount: Int,
    options: CrashLoad.Options = CrashLoad.Options(), seed: UInt64, position: @escaping @Sendable () -> Int
  ) throws {
    var loads: [Shared] = []
    for index in 0..<queueCount {
      let load = CrashLoad(
        try host.createQueue(UInt16(index + 1), depth: options.depth + 1, vector: UInt16(index + 1)),
        memory: host.memory, history: history,
        firstBlock: index * CrashLoad.blockCount(depth: options.depth), blockByteCount: blockByteCount,
        options: options, seed: seed &* 31 &+ UInt64(index) &+ 1, position: position)
      loads.append(Shared(load))
    }
    self.loads = loads
  }

  /// Starts them, see `CrashLoad.run`; gives back what waits for their end and throws what was not right.
  func start(
    commands: Int, asks: Bool = true, leavesInFlight: Bool = false,
    shouldStop: @escaping @Sendable () -> Bool = { false },
    goesOn: @escaping @Sendable () -> Bool = { false }, drains: @escaping @Sendable () -> Void = {}
  ) throws -> () throws -> Int {
    let threads = try loads.map { shared in
      try Thread(name: "crash load") {
        guard var load = shared.load.withLock({ $0.take() }) else { return }
        do {
          try load.run(
            commands: commands, asks: asks, leavesInFlight: leavesInFlight, shouldStop: shouldStop, goesOn: goesOn,
            drains: drains)
        } catch {
          shared.failure.withLock { $0 = "\(error)" }
          drains()
        }
        var kept: CrashLoad? = consume load
        shared.load.withLock { $0 = kept.take() }
      }
    }
    return { [loads] in
      threads.forEach { $0.join() }
      for shared in loads {
        if let failure = shared.failure.withLock({ $0 }) { throw TestFailure(failure) }
      }
      return loads.reduce(0) { sum, shared in sum + shared.load.withLock { $0?.completed ?? 0 } }
    }
  }
}
