import LinuxIO
import Synchronization

/// Counters that one thread writes and any thread reads: 64-bit words in memory of their own, which stays zero, and
/// costs nothing, where nothing is counted.
///
/// There is one writer, so that adding needs neither a lock nor a locked instruction. The memory belongs to whoever made
/// the mapping, and outlives this.
@safe struct CounterWords: @unchecked Sendable {
  private let base: UnsafeMutablePointer<Atomic<UInt64>>

  /// The words of a mapping.
  init(_ memory: borrowing MemoryMapping) {
    unsafe base = memory.base.bindMemory(to: Atomic<UInt64>.self, capacity: memory.count / 8)
  }

  /// Words that stay for ever.
  init(count: Int) {
    let words = UnsafeMutablePointer<UInt64>.allocate(capacity: count)
    unsafe words.initialize(repeating: 0, count: count)
    unsafe base = UnsafeMutableRawPointer(words).bindMemory(to: Atomic<UInt64>.self, capacity: count)
  }

  /// Adds to a word, by the thread that writes. The caller knows that it is inside the mapping.
  @unsafe @inline(__always)
  func add(_ value: UInt64, at index: Int) {
    let word = unsafe base + index
    unsafe word.pointee.store(word.pointee.load(ordering: .relaxed) &+ value, ordering: .relaxed)
  }

  /// Stores a word, by the thread that writes. The caller knows that it is inside the mapping.
  @unsafe @inline(__always)
  func set(_ value: UInt64, at index: Int) { unsafe base[index].store(value, ordering: .relaxed) }

  /// A word, read by any thread. The caller knows that it is inside the mapping.
  @unsafe @inline(__always)
  func load(_ index: Int) -> UInt64 { unsafe base[index].load(ordering: .relaxed) }
}
