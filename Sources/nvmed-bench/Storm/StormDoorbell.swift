import LinuxIO
import NVMeHost
import NVMeSpec

/// A doorbell that is rung by another way every now and then, as the rules for guests and VMMs allow it.
///
/// A value that is stored in the slot is there at once; a message with a reply is there when the reply is. A posted
/// message may come late: before the next ring by another way, a read of a register makes sure that it has come.
struct StormDoorbell: Sendable {
  enum Way: Int, CaseIterable, Sendable { case slot, message, postedMessage }

  /// How often doorbells were rung, by way, and how often a doorbell got another way.
  struct Counts: Sendable {
    var rings = [Int](repeating: 0, count: Way.allCases.count)
    var changes = 0
    /// Doorbells that were kept in memory and needed no ring.
    var unannounced = 0

    mutating func add(_ other: Counts) {
      unannounced += other.unannounced
      for index in rings.indices { rings[index] += other.rings[index] }
      changes += other.changes
    }
  }

  private let doorbell: HostDoorbell
  private let connection: HostConnection
  private var way = Way.slot
  /// Rings until the next way.
  private var left = 0
  /// Whether a posted message may be under way.
  private var isUnderWay = false

  init(_ doorbell: HostDoorbell, connection: HostConnection) {
    self.doorbell = doorbell
    self.connection = connection
  }

  /// Rings.
  ///
  /// - Parameter hasSlot: whether KVM would know the doorbell.
  mutating func ring(
    _ value: Int, hasSlot: Bool, random: inout XorShift, counts: inout Counts
  ) throws(HostError) {
    let before = way
    if left == 0 {
      // Slots most of the time, so that the messages do not become the measure of everything.
      way = random.next() % 2 == 0 ? .slot : Way(rawValue: Int(random.next() % 3)) ?? .slot
      left = Int(random.next() % 24) + 1
    }
    if way == .slot, !hasSlot {
      way = random.next() % 2 == 0 ? .message : .postedMessage
      left = 1
    }
    left -= 1
    if way != before { counts.changes += 1 }
    let value = UInt32(truncatingIfNeeded: value)
    guard doorbell.announces(value) else {
      counts.unannounced += 1
      return
    }
    counts.rings[way.rawValue] += 1
    if way != .postedMessage { try settle() }
    switch way {
    case .slot: doorbell.writeRegister(value)
    case .message: try doorbell.send(value, posted: false)
    case .postedMessage:
      try doorbell.send(value, posted: true)
      isUnderWay = true
    }
  }

  /// Returns when every message of the doorbell has come.
  mutating func settle() throws(HostError) {
    guard isUnderWay else { return }
    isUnderWay = false
    _ = try connection.withClient { (client) throws(Errno) in
      try client.regionRead(.bar0, offset: ControllerRegister.status, count: 4)
    }
  }
}
