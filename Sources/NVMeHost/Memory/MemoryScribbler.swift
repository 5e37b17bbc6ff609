import LinuxIO
import Synchronization

/// A thread that keeps writing to guest memory: a hostile guest changes queues, lists and data while they are used.
public final class MemoryScribbler: Sendable {
  private let shared: Shared
  private let thread: Thread

  private final class Shared: Sendable {
    let stops = Atomic<Bool>(false)
    let rounds = Atomic<UInt64>(0)
  }

  /// Starts writing.
  ///
  /// - Parameters:
  ///   - buffer: the memory; 8 bytes at least.
  ///   - seed: of the random values and places, so that a run can be repeated as far as threads can.
  ///   - values: what is written, one of them at a time, to a random multiple of 8; empty: random values.
  /// - Throws: `system`.
  public init(_ buffer: HostBuffer, seed: UInt64, values: [UInt64] = []) throws(HostError) {
    precondition(buffer.count >= 8)
    let shared = Shared()
    self.shared = shared
    thread = try system { () throws(Errno) in
      try Thread(name: "scribbler") {
        var random = XorShift(seed: seed)
        let words = UInt64(buffer.count / 8)
        while !shared.stops.load(ordering: .relaxed) {
          let place = Int(truncatingIfNeeded: random.next() % words) * 8
          let value = random.next()
          buffer.store(
            values.isEmpty ? value : values[Int(truncatingIfNeeded: value % UInt64(values.count))], at: place)
          shared.rounds.add(1, ordering: .relaxed)
        }
      }
    }
  }

  /// How many writes were done.
  public var writeCount: UInt64 { shared.rounds.load(ordering: .relaxed) }

  /// Stops, and waits until the thread has ended. Once.
  public func stop() {
    shared.stops.store(true, ordering: .relaxed)
    thread.join()
  }
}
