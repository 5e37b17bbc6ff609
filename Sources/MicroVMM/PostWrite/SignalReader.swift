import LinuxIO
import Synchronization

/// A thread that waits for an eventfd and reads the slot, as a server does, while a guest writes 1, 2, 3 and so on: after
/// n signals the slot must hold n or more.
final class SignalReader: Sendable {
  /// What it read.
  struct Sighting: Equatable, Sendable {
    /// Wake-ups that read signals.
    var wakeups: UInt64 = 0
    /// The signals.
    var signals: UInt64 = 0
    /// Wake-ups with more signals than the slot's value.
    var early: UInt64 = 0
  }

  /// ms until it looks whether it is to stop.
  private static let interval: Int32 = 10

  private let event: EventFD
  private let slot: SharedWord
  private let stopping = Atomic(false)
  private let sighting = Locked(Sighting())

  /// Describes an eventfd and a slot that outlives the thread.
  init(_ event: consuming EventFD, _ slot: SharedWord) {
    self.event = event
    self.slot = slot
  }

  /// Reads until `stop()`, and then what is left; runs on the thread.
  func read() {
    var sighting = Sighting()
    while true {
      let isLast = stopping.load(ordering: .acquiring)
      if !isLast { _ = event.wait(timeout: SignalReader.interval) }
      let signals = event.drain()
      if signals > 0 {
        sighting.wakeups += 1
        sighting.signals += signals
        if UInt64(slot.load()) < sighting.signals { sighting.early += 1 }
      }
      if isLast { break }
    }
    self.sighting.withLock { $0 = sighting }
  }

  /// Lets `read()` end.
  func stop() { stopping.store(true, ordering: .releasing) }

  /// What was read, once `read()` has ended.
  var result: Sighting { sighting.withLock { $0 } }
}
