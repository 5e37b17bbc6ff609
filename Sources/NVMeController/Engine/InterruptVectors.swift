import CLinux
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
    /// Whether its interrupts never wait for more entries.
    var isExempt = false
    /// Entries whose interrupt waits for more.
    var held = 0
    /// When it has waited long enough, while it waits: CLOCK_MONOTONIC in ns.
    var due: UInt64 = 0
  }

  private var vectors: FixedTable<Vector>
  private var threshold = 1
  /// ns.
  private var time: UInt64 = 0
  /// Vectors whose interrupt waits for more entries.
  private var heldVectors = 0
  /// Whether the write to an eventfd waited: a hostile client's. None of its eventfds is written to again.
  private var isStalled = false
  /// Whether nobody was told of that yet.
  private(set) var hasStalled = false

  /// Whether interrupts may have to wait for more entries: `hold` has to be told of each.
  private(set) var coalesces = false
  /// When the first interrupt that waits has waited long enough, or earlier: CLOCK_MONOTONIC in ns; `UInt64.max` where
  /// none waits.
  private(set) var deadline = UInt64.max

  init(count: Int) { vectors = FixedTable(count: count) { _ in Vector() } }

  /// How many there are.
  var count: Int { vectors.count }

  /// Signals a vector, or remembers it where it has no eventfd.
  ///
  /// - Returns: whether it was signalled.
  @inline(__always) @discardableResult
  mutating func signal(_ vector: Int) -> Bool {
    guard vectors.has(vector) else { return false }
    let descriptor = vectors[vector].descriptor
    guard descriptor >= 0 else {
      vectors[vector].isPending = true
      return false
    }
    guard EventFD.signalPeer(rawValue: descriptor) else { return stall(vector) }
    clinux_trace_interrupt(UInt64(truncatingIfNeeded: vector))
    return true
  }

  /// The client has made an eventfd wait for it. It could do so with each of the others, one after the other, and is
  /// about to be sent away.
  @inline(never)
  private mutating func stall(_ vector: Int) -> Bool {
    for index in 0..<vectors.count { vectors[index].descriptor = -1 }
    vectors[vector].isPending = true
    isStalled = true
    hasStalled = true
    return false
  }

  /// Whether the write to an eventfd has waited since the last call.
  mutating func takeStall() -> Bool {
    let stalled = hasStalled
    hasStalled = false
    return stalled
  }

  /// Installs an eventfd (-1: none); signals at once where an interrupt waited or `hasEntries` says that the host may
  /// have missed one. An interrupt too many is harmless to NVMe drivers.
  mutating func install(_ descriptor: Int32, vector: Int, hasEntries: Bool) {
    guard vectors.has(vector) else { return }
    // An interrupt that waits for more entries is not announced by the new eventfd: it must not wait with it either.
    if vectors[vector].held > 0 { vectors[vector].isPending = true }
    endHold(vector)
    vectors[vector].descriptor = isStalled ? -1 : descriptor
    guard vectors[vector].descriptor >= 0 else { return }
    let isDue = vectors[vector].isPending || hasEntries
    vectors[vector].isPending = false
    if isDue, !EventFD.signalPeer(rawValue: descriptor) { _ = stall(vector) }
  }

  /// Forgets interrupts that wait: the queues they belong to are gone. None waits for more entries from now on.
  mutating func reset() {
    for index in 0..<vectors.count {
      vectors[index].isPending = false
      endHold(index)
    }
    setCoalescing(.off)
  }

  // MARK: Coalescing

  /// Has interrupts wait for more entries from now on, or not. Those that wait by now are delivered.
  mutating func setCoalescing(_ coalescing: InterruptCoalescing) {
    release(until: UInt64.max)
    coalesces = coalescing.isOn
    threshold = coalescing.threshold
    time = coalescing.time
    for index in 0..<vectors.count {
      vectors[index].isExempt = coalescing.exemptVectors.contains(UInt16(truncatingIfNeeded: index))
    }
  }

  /// A vector's queues got entries: signals it when there are enough, and else has them wait for more.
  ///
  /// - Parameter now: CLOCK_MONOTONIC in ns.
  /// - Returns: whether it was signalled.
  @discardableResult
  mutating func hold(_ vector: Int, entries: Int, now: UInt64) -> Bool {
    guard vectors.has(vector) else { return false }
    let held = vectors[vector].held &+ entries
    // Without an eventfd it waits anyway: for one to be installed.
    guard coalesces, !vectors[vector].isExempt, vectors[vector].descriptor >= 0, held < threshold else {
      endHold(vector)
      return signal(vector)
    }
    if vectors[vector].held == 0 {
      vectors[vector].due = now &+ time
      heldVectors += 1
      deadline = min(deadline, vectors[vector].due)
    }
    vectors[vector].held = held
    return false
  }

  /// Signals the vectors whose interrupts have waited long enough.
  ///
  /// - Parameter now: CLOCK_MONOTONIC in ns; `UInt64.max` for all that wait.
  /// - Returns: how many were signalled.
  @discardableResult
  mutating func release(until now: UInt64) -> Int {
    guard heldVectors > 0, now >= deadline else { return 0 }
    var count = 0
    var next = UInt64.max
    for index in 0..<vectors.count where vectors[index].held > 0 {
      if vectors[index].due <= now {
        endHold(index)
        if signal(index) { count += 1 }
      } else {
        next = min(next, vectors[index].due)
      }
    }
    deadline = next
    return count
  }

  private mutating func endHold(_ vector: Int) {
    guard vectors[vector].held > 0 else { return }
    vectors[vector].held = 0
    heldVectors -= 1
    if heldVectors == 0 { deadline = UInt64.max }
  }
}
