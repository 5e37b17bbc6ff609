import LinuxIO
import Synchronization

/// A thread that writes to guest memory and to doorbell slots until it is stopped.
final class Scribbler: Sendable {
  private final class Shared: Sendable {
    let stops = Atomic<Bool>(false)
    let writes = Atomic<Int>(0)
  }

  private let shared = Shared()
  private let thread: LinuxIO.Thread

  /// - Parameters:
  ///   - words: what may be written to: words of 8 bytes.
  ///   - values: what is written to them, but for random values now and then.
  ///   - slots: doorbells that get any value.
  init(words: [UInt], values: [UInt64], slots: [SharedWord], seed: UInt64) throws {
    let shared = shared
    thread = try LinuxIO.Thread(name: "scribbler") {
      var random = SeededGenerator(seed: seed)
      while !shared.stops.load(ordering: .relaxed) {
        let word = words[Int(random.next() % UInt64(words.count))]
        let value = random.next() % 8 == 0 ? random.next() : values[Int(random.next() % UInt64(values.count))]
        UnsafePointer<Atomic<UInt64>>(bitPattern: word)?.pointee.store(value, ordering: .relaxed)
        if random.next() % 16 == 0 {
          let slot = slots[Int(random.next() % UInt64(slots.count))]
          slot.store(
            random.next() % 4 == 0 ? UInt32(truncatingIfNeeded: random.next()) : UInt32(random.next() % 64))
        }
        shared.writes.add(1, ordering: .relaxed)
      }
    }
  }

  /// How often it wrote so far.
  var writes: Int { shared.writes.load(ordering: .relaxed) }

  func stop() {
    shared.stops.store(true, ordering: .relaxed)
    thread.join()
  }
}
