import Glibc
import NVMeHost

/// Blocks that say where they belong and when they were written, and the poison of buffers that belong to no command.
enum StormBlock {
  /// Bytes of a block.
  static let byteCount = 512
  private static let poison: UInt8 = 0xEE

  private static func key(_ lba: UInt64, _ version: UInt64) -> UInt64 {
    lba &* 0x9E37_79B9_7F4A_7C15 ^ version &* 0xC2B2_AE3D_27D4_EB4F
  }

  /// Fills a block as of `version` of the block address `lba`.
  static func fill(_ block: HostBuffer, lba: UInt64, version: UInt64) {
    precondition(block.count == byteCount)
    var word = key(lba, version)
    for position in stride(from: 0, to: byteCount, by: 8) {
      unsafe (block.base + position).storeBytes(of: word, as: UInt64.self)
      word = word &* 0x5851_F42D_4C95_7F2D &+ 0x1405_7B7E_F767_814F
    }
  }

  /// Whether a block is as of `version` of the block address `lba`.
  static func isBlock(_ block: HostBuffer, lba: UInt64, version: UInt64) -> Bool {
    precondition(block.count == byteCount)
    var word = key(lba, version)
    var difference: UInt64 = 0
    for position in stride(from: 0, to: byteCount, by: 8) {
      difference |= unsafe (block.base + position).loadUnaligned(as: UInt64.self) ^ word
      word = word &* 0x5851_F42D_4C95_7F2D &+ 0x1405_7B7E_F767_814F
    }
    return difference == 0
  }

  /// Whether a block is zeros.
  static func isZero(_ block: HostBuffer) -> Bool {
    guard block.load(UInt8.self, at: 0) == 0 else { return false }
    return unsafe memcmp(block.base, block.base + 1, block.count - 1) == 0
  }

  /// Makes a buffer one that belongs to no command.
  static func poison(_ buffer: HostBuffer) { unsafe memset(buffer.base, Int32(poison), buffer.count) }

  /// Whether nobody has written to a buffer since `poison`.
  static func isPoisoned(_ buffer: HostBuffer) -> Bool {
    guard buffer.load(UInt8.self, at: 0) == poison else { return false }
    return unsafe memcmp(buffer.base, buffer.base + 1, buffer.count - 1) == 0
  }
}
