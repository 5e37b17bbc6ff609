import Glibc
import NVMeHost

/// Blocks whose every sector of 512 bytes says which block it belongs to and which version it is of.
enum NumberedBlocks {
  static let sectorByteCount = 512

  /// What a sector says.
  enum Sector: Equatable {
    /// 0: zeros, as of a block that nobody wrote.
    case version(Int)
    /// Of another place, of two versions, or of none.
    case wrong
  }

  /// Fills memory with a version, not 0, of the blocks from `first` on.
  static func fill(_ memory: UnsafeMutableRawPointer, first: Int, count: Int, blockByteCount: Int, version: Int) {
    for index in 0..<count {
      let block = memory + index * blockByteCount
      var word = UInt64(first + index + 1) << 32 | UInt64(version)
      memcpy(block, &word, 8)
      // The rest are copies, quick without an optimiser.
      var position = 8
      while position < blockByteCount {
        let copied = min(position, blockByteCount - position)
        memcpy(block + position, block, copied)
        position += copied
      }
    }
  }

  /// What the sectors in bytes say, from sector `first` of a disk on.
  static func sectors(_ bytes: [UInt8], first: Int, sectorsPerBlock: Int) -> [Sector] {
    bytes.withUnsafeBytes { memory in
      guard let base = memory.baseAddress else { return [] }
      return (0..<memory.count / sectorByteCount).map {
        sector(base + $0 * sectorByteCount, block: (first + $0) / sectorsPerBlock)
      }
    }
  }

  /// What the sector at `memory`, one of the block's, says.
  static func sector(_ memory: UnsafeRawPointer, block: Int) -> Sector {
    guard memcmp(memory, memory + 8, sectorByteCount - 8) == 0 else { return .wrong }
    let word = memory.loadUnaligned(as: UInt64.self)
    if word == 0 { return .version(0) }
    guard word >> 32 == UInt64(block + 1) else { return .wrong }
    return .version(Int(word & 0xffff_ffff))
  }
}
