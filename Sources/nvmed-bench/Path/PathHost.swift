import CPathReference
import LinuxIO
import NVMeSpec

/// The host's part of the path bench: the same, and as little as can be, for both sides.
struct PathHost {
  private let tail: SharedWord
  private let head: SharedWord
  private var index = 0

  /// The host of a new queue pair with these doorbells.
  init(tail: SharedWord, head: SharedWord) {
    self.tail = tail
    self.head = head
  }

  /// Submits commands in bursts, and has each done by `round`. A profiler is told where it begins and ends.
  ///
  /// - Returns: ns of CPU time that it took.
  mutating func run(bursts: Int, of burst: Int, _ round: () -> Void) -> UInt64 {
    path_measurement_begin()
    let start = Clock.threadCPU
    for _ in 0..<bursts { submit(burst, round) }
    let time = Clock.threadCPU - start
    path_measurement_end()
    return time
  }

  private mutating func submit(_ burst: Int, _ round: () -> Void) {
    index = (index + burst) % PathMemory.queueSize
    tail.store(UInt32(truncatingIfNeeded: index))
    round()
    // All of them are taken as consumed.
    head.store(UInt32(truncatingIfNeeded: index))
  }

  /// Whether all commands of a new queue complete with success, in order, at two turns around it.
  mutating func check(_ memory: borrowing PathMemory, burst: Int, _ round: () -> Void) -> Bool {
    for phaseTag in [true, false] {
      for first in stride(from: 0, to: PathMemory.queueSize, by: burst) {
        submit(burst, round)
        for place in first..<(first + burst) {
          let entry = memory.completion(place)
          guard entry.status == .success, entry.phaseTag == phaseTag, entry.sqIdentifier == 1,
            Int(entry.commandIdentifier) == place
          else { return false }
        }
      }
    }
    return true
  }
}
