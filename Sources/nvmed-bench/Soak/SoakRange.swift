import NVMeHost

/// The blocks that one command identifier of one queue has for itself, and what they hold: one version each; after a
/// command whose end nobody saw, one of several until they are read.
struct SoakRange: Sendable {
  /// Blocks of a range.
  static let blockCount = 256

  /// The namespace.
  let nsid: UInt32
  /// The first block.
  let firstBlock: UInt64
  /// Tells the blocks of this controller and namespace from those of others.
  private let owner: UInt64
  /// By block; 0 for zeros.
  private var versions = [UInt64](repeating: 0, count: blockCount)
  /// What a block may hold beside its version.
  private var doubts: [Int: [UInt64]] = [:]
  private var lastVersion: UInt64 = 0

  /// A range of zeros.
  init(controller: Int, nsid: UInt32, firstBlock: UInt64) {
    self.nsid = nsid
    self.firstBlock = firstBlock
    owner = UInt64(controller) << 48 | UInt64(nsid) << 40
  }

  /// A version that no block has had.
  mutating func nextVersion() -> UInt64 {
    lastVersion += 1
    return lastVersion
  }

  /// Blocks that have to be read before it is known what they hold; nil: none.
  var doubtful: Range<Int>? {
    guard let first = doubts.keys.min(), let last = doubts.keys.max() else { return nil }
    return first..<last + 1
  }

  /// A command has written blocks.
  mutating func write(_ blocks: Range<Int>, _ version: UInt64) {
    for block in blocks {
      versions[block] = version
      doubts[block] = nil
    }
  }

  /// A command may have written blocks, each of them or not.
  mutating func doubt(_ blocks: Range<Int>, _ version: UInt64) {
    for block in blocks where versions[block] != version { doubts[block, default: []].append(version) }
  }

  // MARK: Data

  /// Makes the data of blocks as of `version`.
  func fill(_ buffer: HostBuffer, _ blocks: Range<Int>, _ version: UInt64) {
    for (position, block) in blocks.enumerated() { fill(part(buffer, position), block, version) }
  }

  /// Makes the data that blocks hold.
  func fill(_ buffer: HostBuffer, _ blocks: Range<Int>) {
    for (position, block) in blocks.enumerated() { fill(part(buffer, position), block, versions[block]) }
  }

  /// Checks data that was read, and learns from it where there were doubts.
  ///
  /// - Throws: what a block holds that it cannot.
  mutating func check(_ buffer: HostBuffer, _ blocks: Range<Int>) throws(StormFailure) {
    for (position, block) in blocks.enumerated() {
      let data = part(buffer, position)
      if matches(data, block, versions[block]) {
        doubts[block] = nil
      } else if let version = doubts[block]?.first(where: { matches(data, block, $0) }) {
        write(block..<block + 1, version)
      } else {
        throw StormFailure(
          "namespace \(nsid): block \(firstBlock + UInt64(block)) is not version \(versions[block])"
            + (doubts[block].map { " nor one of \($0)" } ?? "")
            + (StormBlock.isPoisoned(data) ? ": it was not read" : "") + "; it begins with \(data.bytes.prefix(16))")
      }
    }
  }

  private func fill(_ data: HostBuffer, _ block: Int, _ version: UInt64) {
    if version == 0 { data.fill(0) } else { StormBlock.fill(data, lba: address(block), version: version) }
  }

  private func matches(_ data: HostBuffer, _ block: Int, _ version: UInt64) -> Bool {
    version == 0 ? StormBlock.isZero(data) : StormBlock.isBlock(data, lba: address(block), version: version)
  }

  private func address(_ block: Int) -> UInt64 { owner | firstBlock + UInt64(block) }

  private func part(_ buffer: HostBuffer, _ position: Int) -> HostBuffer {
    buffer[position * StormBlock.byteCount..<(position + 1) * StormBlock.byteCount]
  }
}
