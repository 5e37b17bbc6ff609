import Glibc
import NVMeHost

/// Data that tells where it belongs and when it was written, so that no block can be taken for another.
enum BlockPattern {
  /// Fills a buffer with the blocks from `slba` on, each as of `version`; not 0, which is a block that nobody wrote.
  static func fill(_ buffer: HostBuffer, slba: UInt64, version: UInt64, blockByteCount: Int) {
    for (index, start) in stride(from: 0, to: buffer.count, by: blockByteCount).enumerated() {
      fill(
        buffer.base + start, min(blockByteCount, buffer.count - start), lba: slba + UInt64(index), version: version)
    }
  }

  /// The first block in a buffer that is not as of `version`; nil: all are.
  static func firstDifference(_ buffer: HostBuffer, slba: UInt64, version: UInt64, blockByteCount: Int) -> UInt64? {
    let expected = UnsafeMutableRawPointer.allocate(byteCount: blockByteCount, alignment: 16)
    defer { expected.deallocate() }
    for (index, start) in stride(from: 0, to: buffer.count, by: blockByteCount).enumerated() {
      fill(expected, blockByteCount, lba: slba + UInt64(index), version: version)
      if memcmp(buffer.base + start, expected, min(blockByteCount, buffer.count - start)) != 0 {
        return slba + UInt64(index)
      }
    }
    return nil
  }

  /// The bytes of so many blocks.
  static func bytes(slba: UInt64, blocks: Int, version: UInt64, blockByteCount: Int) -> [UInt8] {
    let block = UnsafeMutableRawPointer.allocate(byteCount: blockByteCount, alignment: 16)
    defer { block.deallocate() }
    var bytes: [UInt8] = []
    for index in 0..<blocks {
      fill(block, blockByteCount, lba: slba + UInt64(index), version: version)
      bytes += UnsafeRawBufferPointer(start: block, count: blockByteCount)
    }
    return bytes
  }

  private static func fill(_ block: UnsafeMutableRawPointer, _ count: Int, lba: UInt64, version: UInt64) {
    guard version != 0 else {
      memset(block, 0, count)
      return
    }
    // The first 64 bytes are computed, the rest are copies of them: quick without an optimiser.
    var word = lba &* 0x9E37_79B9_7F4A_7C15 ^ version &* 0xC2B2_AE3D_27D4_EB4F
    var position = 0
    while position < min(64, count) {
      (block + position).storeBytes(of: word, as: UInt64.self)
      word = word &* 0x5851_F42D_4C95_7F2D &+ 0x1405_7B7E_F767_814F
      position += 8
    }
    while position < count {
      let copied = min(position, count - position)
      memcpy(block + position, block, copied)
      position += copied
    }
    // Neither half nor end of one block fits another's.
    (block + count - 8).storeBytes(of: ~word, as: UInt64.self)
  }
}

extension HostBuffer {
  /// Whether every byte is `byte`; quicker than a look at each.
  func isFilled(with byte: UInt8) -> Bool {
    load(UInt8.self, at: 0) == byte && (count == 1 || memcmp(base, base + 1, count - 1) == 0)
  }
}
