import NVMeHost

/// Cuts the power of a recorded disk at every point of what it was asked for, and looks at what is left.
///
/// All that was answered before the last sync came is there, and every forced write that was answered. Of the rest
/// anything may be: nothing, all, some of the writes, some blocks of each write. A block, which is what the disk writes
/// at once, is there or not.
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
    var range: Range<Int> { first..<first + sectors.count }
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
  private var unsettled = UnsettledRequests()
  /// Of each request that is not settled, by the index of its event.
  private var changes: [Int: Change] = [:]

  /// Cuts a disk of zeros at each of its events, `samples` times for each kind of choice by chance.
  init(
    _ events: [RecordedDisk.Event], _ history: CrashHistory, blockByteCount: Int, samples: Int = 3, seed: UInt64 = 1
  ) {
    sectorsPerBlock = blockByteCount / NumberedBlocks.sectorByteCount
    random = XorShift(seed: seed)
    requirements = BlockRequirements(history)
    promiseCount = requirements.promiseCount
    settled = Array(repeating: .version(0), count: history.blockCount * sectorsPerBlock)
    left = settled
    for (index, event) in events.enumerated() {
      take(event, at: index)
      let asked = requirements.advance(to: index + 1)
      for subset in Subset.allCases {
        for _ in 0..<(subset == .nothing || subset == .all ? 1 : samples) {
          cut(subset, position: index + 1, alsoBlocks: subset == .nothing ? asked : [])
        }
      }
      guard violations.count < 5 else { return }
    }
  }

  private mutating func take(_ event: RecordedDisk.Event, at index: Int) {
    switch event {
    case .write(let offset, let bytes, let isForced):
      let first = offset / NumberedBlocks.sectorByteCount
      let sectors = NumberedBlocks.sectors(bytes, first: first, sectorsPerBlock: sectorsPerBlock)
      changes[index] = Change(first: first, sectors: sectors, isForced: isForced)
    case .clear(let range):
      let first = range.lowerBound / NumberedBlocks.sectorByteCount
      let count = range.count / NumberedBlocks.sectorByteCount
      changes[index] = Change(first: first, sectors: Array(repeating: .version(0), count: count), isForced: false)
    case .answer, .sync: break
    }
    for request in unsettled.take(event, at: index) {
      guard let change = changes.removeValue(forKey: request) else { continue }
      settled.replaceSubrange(change.range, with: change.sectors)
      left.replaceSubrange(change.range, with: change.sectors)
    }
  }

  /// Looks at what is left of the disk: at the blocks that something may be lost of, as the others are the same whatever
  /// the choice, and at some more.
  private mutating func cut(_ subset: Subset, position: Int, alsoBlocks: Set<Int>) {
    count += 1
    var blocks = alsoBlocks
    for request in unsettled.answered { put(request, subset, isAnswered: true, &blocks) }
    for request in unsettled.inFlight { put(request, subset, isAnswered: false, &blocks) }
    for block in blocks {
      let sectors = block * sectorsPerBlock..<(block + 1) * sectorsPerBlock
      if violations.count < 5, let violation = requirements.violation(block: block, left[sectors]) {
        violations.append("power cut after event \(position), \(subset) of what was not synced: \(violation)")
      }
      left.replaceSubrange(sectors, with: settled[sectors])
    }
  }

  /// Puts what is chosen of a request on what is left.
  private mutating func put(_ request: Int, _ subset: Subset, isAnswered: Bool, _ blocks: inout Set<Int>) {
    guard let change = changes[request], !change.sectors.isEmpty else { return }
    blocks.formUnion(change.range.lowerBound / sectorsPerBlock...(change.range.upperBound - 1) / sectorsPerBlock)
    if change.isForced && isAnswered || subset == .all || subset == .writes && random.next() & 1 == 0 {
      left.replaceSubrange(change.range, with: change.sectors)
    } else if subset == .blocks {
      var sector = change.first
      while sector < change.range.upperBound {
        let next = min((sector / sectorsPerBlock + 1) * sectorsPerBlock, change.range.upperBound)
        if random.next() & 1 == 0 {
          left.replaceSubrange(sector..<next, with: change.sectors[sector - change.first..<next - change.first])
        }
        sector = next
      }
    }
  }
}
