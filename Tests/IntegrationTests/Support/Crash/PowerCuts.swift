import NVMeHost

/// Cuts the power of a recorded disk at every point of what it was asked for, and looks at what is left.
///
/// All before the last sync is there, and every forced write. Of the rest anything may be: nothing, all, some of the
/// writes, some blocks of each write. A block, which is what the disk writes at once, is there or not.
struct PowerCuts {
  /// How many cuts were looked at.
  private(set) var count = 0
  /// How many promises there were.
  private(set) var promiseCount = 0
  /// What was not as it should be: the first few.
  private(set) var violations: [String] = []

  private struct Change {
    /// Sectors that are next to each other.
    let first: Int
    let sectors: [NumberedBlocks.Sector]
    let isForced: Bool
  }

  private enum Subset: CaseIterable {
    case nothing, all, writes, blocks
  }

  private let sectorsPerBlock: Int
  private var random: XorShift
  private var requirements: BlockRequirements
  /// What is on the disk for certain.
  private var settled: [NumberedBlocks.Sector]
  /// The same between two cuts.
  private var left: [NumberedBlocks.Sector]
  /// What came since the last sync.
  private var pending: [Change] = []

  /// Cuts it at each of its events, `samples` times for each kind of choice by chance.
  init(
    _ disk: RecordedDisk, _ history: CrashHistory, blockByteCount: Int, samples: Int = 3, seed: UInt64 = 1
  ) {
    sectorsPerBlock = blockByteCount / NumberedBlocks.sectorByteCount
    random = XorShift(seed: seed)
    requirements = BlockRequirements(history)
    promiseCount = requirements.promiseCount
    settled = Array(repeating: .version(0), count: disk.byteCount / NumberedBlocks.sectorByteCount)
    left = settled
    for (index, event) in disk.events.enumerated() {
      take(event)
      let asked = requirements.advance(to: index + 1)
      for subset in Subset.allCases {
        for _ in 0..<(subset == .nothing || subset == .all ? 1 : samples) {
          cut(subset, position: index + 1, alsoBlocks: subset == .nothing ? asked : [])
        }
      }
      guard violations.count < 5 else { return }
    }
  }

  private mutating func take(_ event: RecordedDisk.Event) {
    switch event {
    case .write(let offset, let bytes, let isForced):
      let first = offset / NumberedBlocks.sectorByteCount
      let sectors = NumberedBlocks.sectors(bytes, first: first, sectorsPerBlock: sectorsPerBlock)
      pending.append(Change(first: first, sectors: sectors, isForced: isForced))
    case .clear(let range):
      let first = range.lowerBound / NumberedBlocks.sectorByteCount
      let count = range.count / NumberedBlocks.sectorByteCount
      pending.append(
        Change(first: first, sectors: Array(repeating: .version(0), count: count), isForced: false))
    case .sync:
      for change in pending {
        settled.replaceSubrange(change.first..<change.first + change.sectors.count, with: change.sectors)
        left.replaceSubrange(change.first..<change.first + change.sectors.count, with: change.sectors)
      }
      pending = []
    }
  }

  /// Looks at what is left of the disk: at the blocks that something is pending for, as the others are the same whatever
  /// the choice, and at some more.
  private mutating func cut(_ subset: Subset, position: Int, alsoBlocks: Set<Int>) {
    count += 1
    var blocks = alsoBlocks
    for change in pending {
      let sectors = change.first..<change.first + change.sectors.count
      blocks.formUnion(sectors.lowerBound / sectorsPerBlock...(sectors.upperBound - 1) / sectorsPerBlock)
      if change.isForced || subset == .all || subset == .writes && random.next() & 1 == 0 {
        left.replaceSubrange(sectors, with: change.sectors)
      } else if subset == .blocks {
        var sector = sectors.lowerBound
        while sector < sectors.upperBound {
          let next = min((sector / sectorsPerBlock + 1) * sectorsPerBlock, sectors.upperBound)
          if random.next() & 1 == 0 {
            left.replaceSubrange(
              sector..<next, with: change.sectors[sector - change.first..<next - change.first])
          }
          sector = next
        }
      }
    }
    for block in blocks {
      let sectors = block * sectorsPerBlock..<(block + 1) * sectorsPerBlock
      if violations.count < 5, let violation = requirements.violation(block: block, left[sectors]) {
        violations.append("power cut after event \(position), \(subset) of what was not synced: \(violation)")
      }
      left.replaceSubrange(sectors, with: settled[sectors])
    }
  }
}
