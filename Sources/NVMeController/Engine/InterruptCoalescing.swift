import NVMeSpec

/// Whether the interrupts of I/O completion queues wait for more entries, and for how long: Interrupt Coalescing (08h)
/// and Interrupt Vector Configuration (09h), NVMe base specification 2.0, section 5.27.1.
///
/// It is of no concern to the admin queue, whose interrupts never wait.
struct InterruptCoalescing: Sendable, Equatable {
  /// Entries of a vector's queues that its interrupt waits for. (The field is 0's based.)
  let threshold: Int
  /// ns that an interrupt waits at most.
  let time: UInt64
  /// Vectors with Coalescing Disable.
  let exemptVectors: Set<UInt16>

  /// No interrupt waits: as after a reset.
  static let off = InterruptCoalescing(InterruptCoalescingFeature(), exemptVectors: [])

  /// What the features say.
  init(_ feature: InterruptCoalescingFeature, exemptVectors: Set<UInt16>) {
    threshold = Int(feature.aggregationThreshold) + 1
    time = UInt64(feature.aggregationTime) * 100_000
    self.exemptVectors = exemptVectors
  }

  /// Whether interrupts wait at all: either field with 0h means that they do not.
  var isOn: Bool { threshold > 1 && time > 0 }
}
