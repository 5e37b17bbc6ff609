import NVMeSpec
import Testing

/// A read with its list, and what must come of it: one of the two that a guest flips between.
struct Alternative: Sendable {
  /// The pages that a command has to itself.
  struct Slot {
    /// Four pages for data.
    let pages: [UInt64]
    let list: UInt64
  }

  /// A namespace identifier, LBA and address that are not there.
  static let otherNamespace: UInt32 = 2
  static let blockCount: UInt64 = 4096
  static let unmapped: UInt64 = 0x7000_0000

  var command: SubmissionQueueEntry
  var list: [UInt64] = []
  var status = Status.success
  /// Where which blocks are found afterwards.
  var extents: [(iova: UInt64, lba: UInt64, blocks: Int)] = []

  /// The words that a guest can change: 8 of the command, then those of the list.
  var words: [UInt64] {
    withUnsafeBytes(of: command) { Array($0.bindMemory(to: UInt64.self)) } + list
  }

  private static func read(
    _ slot: Slot, lba: UInt64 = 8, blocks: Int = 8, prp1: UInt64? = nil, prp2: UInt64 = 0
  ) -> Alternative {
    let first = prp1 ?? slot.pages[0]
    return Alternative(
      command: .transfer(.read, slba: lba, blocks: blocks, first, prp2), extents: [(first, lba, min(blocks, 8))])
  }

  private func refused(_ status: Status, _ change: (inout Alternative) -> Void = { _ in }) -> Alternative {
    var copy = self
    change(&copy)
    copy.status = status
    copy.extents = []
    return copy
  }

  private func with(_ change: (inout Alternative) -> Void) -> Alternative {
    var copy = self
    change(&copy)
    return copy
  }

  /// 3 pages by a list of 2 entries.
  private static func listed(_ slot: Slot) -> Alternative {
    read(slot, blocks: 24, prp2: slot.list).with {
      $0.list = [slot.pages[1], slot.pages[2]]
      $0.extents = (0..<3).map { (slot.pages[$0], 8 + UInt64($0) * 8, 8) }
    }
  }

  /// 2 KiB each in two pages, by a segment of 2 descriptors.
  private static func segmented(_ slot: Slot) -> Alternative {
    let parts = slot.pages.prefix(2).map { SGLDescriptor(type: .dataBlock, address: $0, length: 2048) }
    return Alternative(
      command: .transfer(
        .read, slba: 8, blocks: 8, sgl: SGLDescriptor(type: .lastSegment, address: slot.list, length: 32)),
      list: parts.flatMap { [$0.address, $0.word1] },
      extents: [(slot.pages[0], 8, 4), (slot.pages[1], 12, 4)])
  }

  /// Two commands that differ in one word.
  struct Pair: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let make: @Sendable (Slot) -> (Alternative, Alternative)

    init(_ description: String, _ make: @escaping @Sendable (Slot) -> (Alternative, Alternative)) {
      testDescription = description
      self.make = make
    }
  }

  static let pairs = [
    Pair("length: 1 or 8 blocks") { (read($0, blocks: 1), read($0, blocks: 8)) },
    Pair("length: 1 block or too many") { slot in
      (
        read(slot, blocks: 1),
        read(slot, blocks: 1).refused(.invalidField) { $0.command.numberOfLogicalBlocks = 65_536 }
      )
    },
    Pair("LBA: 8 or 16") { (read($0, lba: 8), read($0, lba: 16)) },
    Pair("LBA: 8 or behind the end") { slot in
      (read(slot), read(slot).refused(.lbaOutOfRange) { $0.command.slba = blockCount - 7 })
    },
    Pair("opcode: read or none") { slot in (read(slot), read(slot).refused(.invalidOpcode) { $0.command.opcode = 0x7f })
    },
    Pair("opcode: read or write, which is forbidden") { slot in
      (read(slot), read(slot).refused(.namespaceWriteProtected) { $0.command.opcode = NVMOpcode.write.rawValue })
    },
    Pair("namespace: 1 or none") { slot in
      (read(slot), read(slot).refused(.invalidNamespace) { $0.command.namespaceIdentifier = otherNamespace })
    },
    Pair("PRP1: one page or another") { (read($0), read($0, prp1: $0.pages[1])) },
    Pair("PRP1: a page or nowhere") { slot in
      (read(slot), read(slot).refused(.dataTransferError) { $0.command.prp1 = unmapped })
    },
    Pair("PRP1: a page or not aligned") { slot in
      (read(slot), read(slot).refused(.invalidPRPOffset) { $0.command.prp1 += 2 })
    },
    Pair("PRP2: a page or nowhere") { slot in
      let both = read(slot, blocks: 16, prp2: slot.pages[1]).with { $0.extents.append((slot.pages[1], 16, 8)) }
      return (both, both.refused(.dataTransferError) { $0.command.prp2 = unmapped })
    },
    Pair("list: one page or another") { slot in
      (
        listed(slot),
        listed(slot).with {
          $0.list[1] = slot.pages[3]
          $0.extents[2].iova = slot.pages[3]
        }
      )
    },
    Pair("list: a page or nowhere") { slot in
      (listed(slot), listed(slot).refused(.dataTransferError) { $0.list[1] = unmapped })
    },
    Pair("list: a page or an offset in it") { slot in
      (listed(slot), listed(slot).refused(.invalidPRPOffset) { $0.list[0] += 8 })
    },
    Pair("SGL: a segment or too long") { slot in
      (segmented(slot), segmented(slot).refused(.dataSGLLengthInvalid) { $0.list[3] += 2048 })
    },
    Pair("SGL: one page or nowhere") { slot in
      (segmented(slot), segmented(slot).refused(.dataTransferError) { $0.list[2] = unmapped })
    },
    Pair("SGL: data or a reserved type") { slot in
      (segmented(slot), segmented(slot).refused(.sglDescriptorTypeInvalid) { $0.list[1] |= 7 << 60 })
    },
  ]
}
