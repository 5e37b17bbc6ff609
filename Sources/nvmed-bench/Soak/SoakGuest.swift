import LinuxIO
import NVMeHost

/// A guest of one controller with its monitor: what it knows of its disk over all connections. One thread at a time.
struct SoakGuest: ~Copyable, Sendable {
  /// Queues of a guest.
  static let lanes = 4

  let socket: String
  /// Whether the controller takes doorbells in memory.
  let hasShadowDoorbells: Bool
  let presence: SoakPresence
  var lanes: [SoakLane]
  var random: XorShift
  var counts = SoakCounts()

  init(controller: Int, socket: String, hasShadowDoorbells: Bool, presence: SoakPresence, seed: UInt64) {
    self.socket = socket
    self.hasShadowDoorbells = hasShadowDoorbells
    self.presence = presence
    lanes = (0..<SoakGuest.lanes).map { SoakLane(controller: controller, index: $0) }
    random = XorShift(seed: seed)
  }

  /// Uses the disk over connection after connection, until the spell is over; then reads all of it, and goes.
  mutating func run(_ spell: SoakSpell) throws {
    while !spell.stops {
      var life = try SoakLife.connect(&self)
      try life.run(&self, spell)
    }
    var life = try SoakLife.connect(&self)
    try life.readAll(&self)
    try life.leave()
    spell.counts.withLock { $0 = counts }
  }

  /// Notes that it did something that disturbs.
  mutating func note(_ event: String) { counts.events[event, default: 0] += 1 }
}
