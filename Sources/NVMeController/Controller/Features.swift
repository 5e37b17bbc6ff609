import NVMeSpec

/// The values of the controller's features: NVMe base specification 2.0, section 5.27. Plain data.
struct Features: Sendable {
  /// Kelvin: the default over temperature threshold, and WCTEMP.
  static let warningTemperature: UInt16 = 343
  /// Kelvin: there is no sensor; what a drive at rest reports.
  static let temperature: UInt16 = 303

  let queueCount: Int
  let vectorCount: Int
  var arbitration: UInt32 = 0
  var powerManagement: UInt32 = 0
  var overTemperature = Features.warningTemperature
  var underTemperature: UInt16 = 0
  var errorRecovery: UInt32 = 0
  var volatileWriteCache = true
  var grantedQueues: Int
  var interruptCoalescing: UInt32 = 0
  /// Interrupt vectors with Coalescing Disable.
  var coalescingDisabled: Set<UInt16> = []
  var writeAtomicity: UInt32 = 0
  var asynchronousEvents: AsynchronousEventConfiguration = []
  var hostBehavior = HostBehaviorSupport()
  /// What the host set, in ms, and when: CLOCK_MONOTONIC in ns. Kept across resets of the controller.
  var timestamp: (milliseconds: UInt64, setAt: UInt64)?

  /// The defaults.
  init(queueCount: Int, vectorCount: Int) {
    self.queueCount = queueCount
    self.vectorCount = vectorCount
    grantedQueues = queueCount
    // Arbitration Burst 6: 64 commands of one queue before the next.
    arbitration = 6
  }

  /// A controller level reset: everything but the timestamp is at its default again.
  mutating func reset() {
    let timestamp = self.timestamp
    self = Features(queueCount: queueCount, vectorCount: vectorCount)
    self.timestamp = timestamp
  }
}
