import Glibc

/// What a namespace's blocks must hold, as far as it is known.
///
/// A block is full of one number, which tells what wrote it and where: so the model of a block is that number.
struct BlockModel {
  /// nil: what it holds is not known. Zero at first.
  private(set) var marks = [UInt64?](repeating: 0, count: FuzzDisk.blockCount)
  /// Whether what a block holds survives a loss of power.
  private var isDurable = [Bool](repeating: true, count: FuzzDisk.blockCount)

  /// What a write with `mark` puts into a block.
  static func word(_ mark: UInt64, block: Int) -> UInt64 { mark &* 0x9e37_79b9_7f4a_7c15 ^ UInt64(block) }

  /// Puts what a write is to carry into memory.
  static func fill(_ memory: UnsafeMutableRawPointer, _ blocks: Range<Int>, mark: UInt64) {
    for (index, block) in blocks.enumerated() {
      let word = word(mark, block: block)
      let words = (memory + (index << 9)).assumingMemoryBound(to: UInt64.self)
      for place in 0..<64 { words[place] = word }
    }
  }

  /// A write has ended well.
  mutating func write(_ blocks: Range<Int>, mark: UInt64, isDurable: Bool) {
    for block in blocks {
      marks[block] = BlockModel.word(mark, block: block)
      self.isDurable[block] = isDurable
    }
  }

  /// A flush has ended well that began when the blocks held `flushed`.
  mutating func flush(_ flushed: [UInt64?]) {
    // Each write has a number of its own.
    for block in marks.indices where marks[block] == flushed[block] { isDurable[block] = true }
  }

  /// What was not flushed is lost, or not.
  mutating func losePower() { for block in marks.indices where !isDurable[block] { marks[block] = nil } }

  /// What these blocks hold is not known any more.
  mutating func forget(_ blocks: Range<Int> = 0..<FuzzDisk.blockCount) {
    for block in blocks { marks[block] = nil }
  }

  /// Whether anything was written to one of these blocks, and is known.
  func knows(_ blocks: Range<Int>) -> Bool { blocks.contains { marks[$0].map { $0 != 0 } ?? false } }

  /// What was read is what must be there.
  func check(_ memory: UnsafeMutableRawPointer, _ blocks: Range<Int>) {
    for (index, block) in blocks.enumerated() {
      guard let mark = marks[block] else { continue }
      let words = (memory + (index << 9)).assumingMemoryBound(to: UInt64.self)
      // Each word is the one before it, and the first is right.
      require(
        words[0] == mark && memcmp(words, words + 1, 504) == 0, "block \(block) does not hold what was written to it")
    }
  }
}
