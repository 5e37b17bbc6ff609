import NVMeHost

/// What the guest of one controller knows of one queue whatever becomes of connections and controllers: its blocks.
struct SoakLane: Sendable {
  /// Commands in flight at most, each with a range of blocks.
  static let depth = 16
  /// Namespaces of a controller.
  static let namespaces: UInt32 = 3
  /// Bytes that a namespace needs.
  static func neededBytes(lanes: Int) -> Int { lanes * depth * SoakRange.blockCount * StormBlock.byteCount }

  /// By command identifier.
  var ranges: [SoakRange]

  /// The lane of the queue at `index`, of zeros.
  init(controller: Int, index: Int) {
    ranges = (0..<SoakLane.depth).map { identifier in
      SoakRange(
        controller: controller, nsid: UInt32(identifier) % SoakLane.namespaces + 1,
        firstBlock: UInt64((index * SoakLane.depth + identifier) * SoakRange.blockCount))
    }
  }

  /// A command ends without a completion: it was executed, in part or not at all.
  mutating func lose(_ command: SoakCommand, _ identifier: Int) {
    switch command.kind {
    case .write: ranges[identifier].doubt(command.blocks, command.version)
    case .zero, .deallocate: ranges[identifier].doubt(command.blocks, 0)
    default: break
    }
  }
}

/// What became of the commands.
struct SoakCounts: Sendable {
  var commands = 0
  /// Bytes that were read and found right.
  var verified = 0
  /// Commands that were not executed, for a reason that the soak knows.
  var refused = 0
  /// Commands that were in flight at the end of their queue.
  var lost = 0
  var doorbells = StormDoorbell.Counts()
  /// How often the guest did what disturbs, by name.
  var events: [String: Int] = [:]

  mutating func add(_ other: SoakCounts) {
    commands += other.commands
    verified += other.verified
    refused += other.refused
    lost += other.lost
    doorbells.add(other.doorbells)
    events.merge(other.events, uniquingKeysWith: +)
  }
}
