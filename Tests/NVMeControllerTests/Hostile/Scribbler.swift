import LinuxIO
import Synchronization

/// A thread that writes to guest memory and to doorbell slots until it is stopped: a round for each write.
enum Scribbler {
  /// Starts it.
  ///
  /// - Parameters:
  ///   - words: what may be written to: words of 8 bytes.
  ///   - values: what is written to them, but for random values now and then.
  ///   - slots: doorbells that get any value.
  static func start(words: [UInt], values: [UInt64], slots: [SharedWord], seed: UInt64) throws -> StoppableThread {
    try StoppableThread(name: "scribbler", SeededGenerator(seed: seed)) { random in
      let word = words[Int(random.next() % UInt64(words.count))]
      let value = random.next() % 8 == 0 ? random.next() : values[Int(random.next() % UInt64(values.count))]
      UnsafePointer<Atomic<UInt64>>(bitPattern: word)?.pointee.store(value, ordering: .relaxed)
      guard random.next() % 16 == 0 else { return }
      let slot = slots[Int(random.next() % UInt64(slots.count))]
      slot.store(random.next() % 4 == 0 ? UInt32(truncatingIfNeeded: random.next()) : UInt32(random.next() % 64))
    }
  }
}
