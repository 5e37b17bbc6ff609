import LinuxIO

/// The interrupt vectors of a controller as one thread uses them: the numbers of their eventfds.
///
/// The control thread owns the eventfds, and closes one only after every thread has said that it took the number out.
struct InterruptVectors: ~Copyable {
  /// One vector.
  struct Vector {
    var descriptor: Int32 = -1
    /// An interrupt could not be delivered: signalled when an eventfd is installed.
    var isPending = false
  }

  private var vectors: FixedTable<Vector>

  init(count: Int) { vectors = FixedTable(count: count) { _ in Vector() } }

  /// How many there are.
  var count: Int { vectors.count }

  /// Signals a vector, or remembers it where it has no eventfd.
  ///
  /// - Returns: whether it was signalled.
  @inline(__always) @discardableResult
  mutating func signal(_ vector: Int) -> Bool {
    guard vector < vectors.count else { return false }
    let descriptor = vectors[vector].descriptor
    guard descriptor >= 0 else {
      vectors[vector].isPending = true
      return false
    }
    EventFD.signal(rawValue: descriptor)
    return true
  }

  /// Installs an eventfd (-1: none); signals at once where an interrupt waited or `hasEntries` says that the host may
  /// have missed one. An interrupt too many is harmless to NVMe drivers.
  mutating func install(_ descriptor: Int32, vector: Int, hasEntries: Bool) {
    guard vector >= 0, vector < vectors.count else { return }
    vectors[vector].descriptor = descriptor
    guard descriptor >= 0 else { return }
    if vectors[vector].isPending || hasEntries { EventFD.signal(rawValue: descriptor) }
    vectors[vector].isPending = false
  }

  /// Forgets interrupts that wait: the queues they belong to are gone.
  mutating func forgetPending() {
    for index in 0..<vectors.count { vectors[index].isPending = false }
  }
}
