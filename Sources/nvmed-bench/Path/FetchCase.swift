import NVMeSpec

/// A command with what it has in guest memory besides itself.
struct FetchCase {
  let name: String
  let command: SubmissionQueueEntry
  /// The words of its lists: the device reads each of them.
  var words: [(iova: UInt64, words: [UInt64])] = []
  var status = Status.success

  /// Commands of every kind, each with lists of its own.
  static var all: [FetchCase] {
    var cases: [FetchCase] = []
    var page = FetchMemory.lists
    func list() -> UInt64 {
      defer { page += 4096 }
      return page
    }
    let data = FetchMemory.data
    let alternate = (0..<31).map { data + UInt64($0 % 2 * 2) * 4096 }
    cases.append(FetchCase(name: "read-prp", command: transfer(.read, blocks: 8, data)))
    cases.append(FetchCase(name: "write-two-prps", command: transfer(.write, blocks: 8, data + 512, data + 8192)))
    let plain = list()
    cases.append(
      FetchCase(
        name: "read-prp-list", command: transfer(.read, blocks: 256, data, plain), words: [(plain, alternate)]))
    // Two entries and the pointer to the next page; it begins at its start.
    let chained = list() + 4096 - 24
    let next = list()
    cases.append(
      FetchCase(
        name: "write-prp-chain", command: transfer(.write, blocks: 256, data, chained),
        words: [(chained, Array(alternate[..<2]) + [next]), (next, Array(alternate[2...]))]))
    let block = SGLDescriptor(type: .dataBlock, address: data + 4, length: 4096)
    cases.append(FetchCase(name: "read-sgl-block", command: transfer(.read, blocks: 8, sgl: block)))
    let segment = list()
    let last = list() + 128
    let parts = [
      SGLDescriptor(type: .dataBlock, address: data, length: 1024),
      SGLDescriptor(type: .bitBucket, address: 0, length: 512),
      SGLDescriptor(type: .lastSegment, address: last, length: 32),
    ]
    let rest = [
      SGLDescriptor(type: .dataBlock, address: data + 8192, length: 2048),
      SGLDescriptor(type: .dataBlock, address: data + 512, length: 512),
    ]
    cases.append(
      FetchCase(
        name: "read-sgl-segments",
        command: transfer(.read, blocks: 8, sgl: SGLDescriptor(type: .segment, address: segment, length: 48)),
        words: [(segment, parts.flatMap { [$0.address, $0.word1] }), (last, rest.flatMap { [$0.address, $0.word1] })]))
    cases.append(FetchCase(name: "compare", command: transfer(.compare, blocks: 1, data)))
    cases.append(FetchCase(name: "verify", command: transfer(.verify, blocks: 1)))
    cases.append(FetchCase(name: "flush", command: transfer(.flush, blocks: 1)))
    var ranges = DatasetManagementCommand(transfer(.datasetManagement, blocks: 1, data))
    ranges.numberOfRanges = 4
    ranges.deallocate = false
    ranges.entry.cdw12 = 0
    cases.append(FetchCase(name: "dataset-management", command: ranges.entry))
    // What is wrong is found by the first look, and told of by the same copy.
    var unknown = transfer(.read, blocks: 1, data)
    unknown.opcode = 0x7f
    cases.append(FetchCase(name: "invalid-opcode", command: unknown, status: .invalidOpcode))
    var elsewhere = transfer(.write, blocks: 1, data)
    elsewhere.namespaceIdentifier = 2
    cases.append(FetchCase(name: "invalid-namespace", command: elsewhere, status: .invalidNamespace))
    var outside = transfer(.read, blocks: 8, data)
    outside.slba = FetchRun.blockCount
    cases.append(FetchCase(name: "lba-out-of-range", command: outside, status: .lbaOutOfRange))
    let unmapped = list()
    cases.append(
      FetchCase(
        name: "unmapped-prp", command: transfer(.write, blocks: 24, data, unmapped),
        words: [(unmapped, [data, 0x7000_0000])], status: .dataTransferError))
    return cases
  }

  private static func transfer(
    _ opcode: NVMOpcode, blocks: UInt32, _ prp1: UInt64 = 0, _ prp2: UInt64 = 0
  ) -> SubmissionQueueEntry {
    var command = SubmissionQueueEntry(namespaceIdentifier: 1, dataPointer0: prp1, dataPointer1: prp2)
    command.opcode = opcode.rawValue
    command.slba = 8
    command.numberOfLogicalBlocks = blocks
    return command
  }

  private static func transfer(_ opcode: NVMOpcode, blocks: UInt32, sgl: SGLDescriptor) -> SubmissionQueueEntry {
    var command = transfer(opcode, blocks: blocks)
    command.dataTransferType = 1
    command.sgl = sgl
    return command
  }
}
