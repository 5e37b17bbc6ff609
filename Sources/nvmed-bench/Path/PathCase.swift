import NVMeSpec

/// What a command of the path bench asks for.
enum PathCase: String, CaseIterable {
  /// 4 KiB in one page.
  case read4K = "read-4k"
  /// 4 KiB across a page boundary: PRP1 with an offset, and PRP2.
  case read4KTwoPRPs = "read-4k-2-prps"
  /// 128 KiB in pages that lie apart: a PRP list.
  case read128K = "read-128k"

  /// Bytes of a command.
  var length: Int {
    switch self {
    case .read4K, .read4KTwoPRPs: 4096
    case .read128K: 128 << 10
    }
  }

  /// Pages of memory that a command has to itself, one for the list among them.
  static var pagesPerCommand: Int { 40 }

  /// The command at a place of the queue.
  ///
  /// - Parameters:
  ///   - pages: the first of its `pagesPerCommand` pages: I/O virtual address.
  ///   - store: stores a PRP list entry at an address.
  func command(_ place: Int, pages: UInt64, store: (_ value: UInt64, _ address: UInt64) -> Void) -> SubmissionQueueEntry
  {
    var command = SubmissionQueueEntry()
    command.opcode = NVMOpcode.read.rawValue
    command.commandIdentifier = UInt16(truncatingIfNeeded: place)
    command.namespaceIdentifier = 1
    command.slba = UInt64(place) * UInt64(length / PathMemory.blockSize)
    command.numberOfLogicalBlocks = UInt32(length / PathMemory.blockSize)
    switch self {
    case .read4K:
      command.prp1 = pages
    case .read4KTwoPRPs:
      command.prp1 = pages + 512
      command.prp2 = pages + 8 * 4096
    case .read128K:
      let list = pages + 39 * 4096
      command.prp1 = pages + 32 * 4096
      command.prp2 = list
      // Backwards, so that no page follows the one before it.
      for entry in 0..<31 { store(pages + UInt64(31 - entry) * 4096, list + UInt64(entry * 8)) }
    }
    return command
  }
}
