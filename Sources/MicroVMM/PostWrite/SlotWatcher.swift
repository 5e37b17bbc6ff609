import LinuxIO
import Synchronization

/// A thread that looks at a slot all the time, for values that nobody has written: halves of two of them.
@safe final class SlotWatcher: @unchecked Sendable {
  /// What it saw.
  struct Sighting: Equatable, Sendable {
    /// How often it has looked.
    var looks: UInt64 = 0
    /// How often it saw each of the values that may be there.
    var seen: [UInt64]
    /// How often it saw another value.
    var torn: UInt64 = 0
    /// The first of these.
    var example: UInt64?
  }

  private let slot: UnsafeMutableRawPointer
  private let width: Int
  private let stopping = Atomic(false)
  private let sighting: Locked<Sighting>
  private let values: [UInt64]

  /// Describes a slot of 2, 4 or 8 bytes, aligned to them, that outlives the thread.
  init(slot: UnsafeMutableRawPointer, width: Int, values: [UInt64]) {
    unsafe self.slot = slot
    self.width = width
    self.values = values
    sighting = Locked(Sighting(seen: values.map { _ in 0 }))
  }

  /// Looks once, by one load.
  private func load() -> UInt64 {
    switch width {
    case 2: UInt64(unsafe slot.assumingMemoryBound(to: Atomic<UInt16>.self).pointee.load(ordering: .acquiring))
    case 4: UInt64(unsafe slot.assumingMemoryBound(to: Atomic<UInt32>.self).pointee.load(ordering: .acquiring))
    default: unsafe slot.assumingMemoryBound(to: Atomic<UInt64>.self).pointee.load(ordering: .acquiring)
    }
  }

  /// Looks until `stop()`, at least once; runs on the thread.
  func watch() {
    var sighting = Sighting(seen: values.map { _ in 0 })
    repeat {
      for _ in 0..<64 {
        let value = load()
        sighting.looks += 1
        if let index = values.firstIndex(of: value) {
          sighting.seen[index] += 1
        } else {
          sighting.torn += 1
          sighting.example = sighting.example ?? value
        }
      }
    } while !stopping.load(ordering: .relaxed)
    self.sighting.withLock { $0 = sighting }
  }

  /// Lets `watch()` end.
  func stop() { stopping.store(true, ordering: .relaxed) }

  /// What was seen, once `watch()` has ended.
  var result: Sighting { sighting.withLock { $0 } }
}
