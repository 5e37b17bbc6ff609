import NVMeHost
import NVMeSpec
import Testing

/// Commands that are more than data: what they do to the image, and what they are refused for.
@Suite struct CommandTests {
  /// Deallocated blocks are holes in the image; the rest is untouched; they read as zeros.
  @Test(arguments: [512, 4096])
  func punchesHolesWhereBlocksAreDeallocated(_ size: Int) throws {
    let served = try ServedController(megabytes: [8], blockByteCount: size)
    let host = try served.host()
    var queue = try host.createQueue(1, depth: 16)
    let image = served.images[0]
    let perMegabyte = (1 << 20) / size
    try writeMegabytes(0..<4, &queue, host, size)
    let full = try image.allocatedByteCount()
    #expect(full >= 4 << 20)

    // Megabytes 0 and 2, and a few blocks of megabyte 3.
    let ranges = [
      DatasetManagementRange(length: UInt32(perMegabyte), slba: 0),
      DatasetManagementRange(length: UInt32(perMegabyte), slba: UInt64(2 * perMegabyte)),
      DatasetManagementRange(length: 16, slba: UInt64(3 * perMegabyte)), DatasetManagementRange(length: 0, slba: 0),
    ]
    let status = try queue.deallocate(ranges).status
    #expect(status == .success)
    let punched = try image.allocatedByteCount()
    #expect(punched <= full - (2 << 20), "\(full) bytes were allocated before, \(punched) after")
    let data = try host.memory.allocate(1 << 18)
    for (megabyte, version) in [(0, 0), (1, 1), (2, 0)] {
      for quarter in 0..<4 {
        let slba = UInt64(megabyte * perMegabyte + quarter * perMegabyte / 4)
        try queue.readPattern(data, slba: slba, version: UInt64(version), blockByteCount: size)
      }
    }
    try queue.readPattern(data[0..<16 * size], slba: UInt64(3 * perMegabyte), version: 0, blockByteCount: size)
    try queue.readPattern(data, slba: UInt64(3 * perMegabyte + 16), version: 1, blockByteCount: size)
    // One range that is out of range refuses all of them.
    let beyond = [
      DatasetManagementRange(length: 8, slba: UInt64(perMegabyte)),
      DatasetManagementRange(length: 2, slba: UInt64(8 * perMegabyte - 1)),
    ]
    let refused = try queue.deallocate(beyond).status
    #expect(refused == .lbaOutOfRange)
    host.disconnect()
    try served.daemon.terminate()
  }

  /// Write Zeroes with DEAC gives the blocks back, without it keeps them; both read as zeros.
  @Test func writesZeroesWithAndWithoutDeallocating() throws {
    let served = try ServedController(megabytes: [8])
    let host = try served.host()
    var queue = try host.createQueue(1, depth: 16)
    let image = served.images[0]
    try writeMegabytes(0..<4, &queue, host, 512)
    let full = try image.allocatedByteCount()
    let keeping = try queue.writeZeroes(slba: 0, blocks: 2048).status
    #expect(keeping == .success)
    #expect(try image.allocatedByteCount() >= full)
    #expect(try image.read(at: 0, count: 1 << 20).allSatisfy { $0 == 0 })
    let giving = try queue.writeZeroes(slba: 4096, blocks: 2048, deallocate: true).status
    #expect(giving == .success)
    let punched = try image.allocatedByteCount()
    #expect(punched <= full - (1 << 20), "\(full) bytes were allocated before, \(punched) after")
    #expect(try image.read(at: 2 << 20, count: 1 << 20).allSatisfy { $0 == 0 })
    // A few blocks, not a page; the neighbours stay. And the most that a command can: 65,536 blocks.
    let few = try queue.writeZeroes(slba: 2051, blocks: 3, deallocate: true).status
    #expect(few == .success)
    let data = try host.memory.allocate(16 * 512)
    try queue.readPattern(data[0..<3 * 512], slba: 2048, version: 1, blockByteCount: 512)
    try queue.readPattern(data[0..<3 * 512], slba: 2051, version: 0, blockByteCount: 512)
    try queue.readPattern(data[0..<10 * 512], slba: 2054, version: 1, blockByteCount: 512)
    let most = try queue.writeZeroes(slba: 0, blocks: 65_536, deallocate: true).status
    #expect(most == .lbaOutOfRange)
    let all = try queue.writeZeroes(slba: 0, blocks: 16_384, deallocate: true).status
    #expect(all == .success)
    #expect(try image.read(at: 0, count: 8 << 20).allSatisfy { $0 == 0 })
    host.disconnect()
    try served.daemon.terminate()
  }

  @Test func comparesAndVerifies() throws {
    let served = try ServedController()
    let host = try served.host()
    var queue = try host.createQueue(1, depth: 16)
    let data = try host.memory.allocate(64 << 10)
    try queue.writePattern(data, slba: 64, version: 5, blockByteCount: 512)
    let before = data.bytes
    let equal = try queue.compare(slba: 64, blocks: 128, with: data).status
    #expect(equal == .success)
    let list = try queue.compare(slba: 64, blocks: 128, with: data, .sgl(limit: 2048)).status
    #expect(list == .success)
    // The last byte alone.
    data.store(data.load(UInt8.self, at: data.count - 1) ^ 1, at: data.count - 1)
    let different = try queue.compare(slba: 64, blocks: 128, with: data).status
    #expect(different == .compareFailure)
    let without = try queue.compare(slba: 64, blocks: 127, with: data[0..<127 * 512]).status
    #expect(without == .success)
    #expect(try served.images[0].read(at: 64 * 512, count: before.count) == before)
    let verify = try queue.execute(.io(.verify, nsid: 1, slba: 64, blocks: 128)).status
    #expect(verify == .success)
    host.disconnect()
    try served.daemon.terminate()
  }

  /// Each of them gets its status, and the next command is served as if nothing had been.
  @Test func refusesWhatItCannotDo() throws {
    let served = try ServedController()
    let host = try served.host()
    var queue = try host.createQueue(1, depth: 16)
    let limit = try #require(host.maximumTransferByteCount)
    let count = try host.namespace(1).blockCount
    let data = try host.memory.allocate(limit + 512)
    try queue.writePattern(data[0..<limit], slba: 0, version: 1, blockByteCount: 512)

    func status(_ entry: SubmissionQueueEntry, prp1: UInt64? = nil, prp2: UInt64 = 0) throws -> Status {
      var entry = entry
      entry.prp1 = prp1 ?? data.iova
      entry.prp2 = prp2
      return try queue.execute(entry).status
    }
    #expect(try status(.io(.read, nsid: 1, slba: count, blocks: 1)) == .lbaOutOfRange)
    #expect(try status(.io(.write, nsid: 1, slba: count - 1, blocks: 2)) == .lbaOutOfRange)
    #expect(try status(.io(.read, nsid: 1, slba: .max, blocks: 8)) == .lbaOutOfRange)
    #expect(try status(.io(.write, nsid: 1, slba: .max - 3, blocks: 8)) == .lbaOutOfRange)
    // One that could be there, two that never can.
    #expect(try status(.io(.read, nsid: 2, slba: 0, blocks: 1)) == .invalidField)
    #expect(try status(.io(.read, nsid: 0, slba: 0, blocks: 1)) == .invalidNamespace)
    #expect(try status(.io(.read, nsid: .max, slba: 0, blocks: 1)) == .invalidNamespace)
    #expect(try status(SubmissionQueueEntry(cdw0: 0x7F, namespaceIdentifier: 1)) == .invalidOpcode)
    // Not a multiple of four; not a page; no memory of the guest.
    #expect(try status(.io(.read, nsid: 1, slba: 0, blocks: 1), prp1: data.iova + 2) == .invalidPRPOffset)
    #expect(
      try status(.io(.read, nsid: 1, slba: 0, blocks: 16), prp1: data.iova, prp2: data.iova + 4096 + 8)
        == .invalidPRPOffset)
    #expect(try status(.io(.read, nsid: 1, slba: 0, blocks: 1), prp1: 0) == .dataTransferError)
    #expect(try status(.io(.read, nsid: 1, slba: 0, blocks: 1), prp1: 0xFFFF_FFFF_FFFF_F000) == .dataTransferError)
    #expect(
      try status(.io(.write, nsid: 1, slba: 0, blocks: 16), prp1: data.iova, prp2: 0x10_0000_0000)
        == .dataTransferError)
    // One block more than MDTS.
    let tooMuch = try queue.read(slba: 0, blocks: data.count / 512, into: data).status
    #expect(tooMuch == .invalidField)

    try queue.readPattern(data[0..<limit], slba: 0, version: 1, blockByteCount: 512)
    let violations = queue.violations
    #expect(violations == 0)
    host.disconnect()
    try served.daemon.terminate()
  }

  private func writeMegabytes(
    _ range: Range<Int>, _ queue: inout HostQueue, _ host: HostController, _ size: Int
  ) throws {
    let data = try host.memory.allocate(1 << 18)
    for start in stride(from: range.lowerBound << 20, to: range.upperBound << 20, by: data.count) {
      try queue.writePattern(data, slba: UInt64(start / size), version: 1, blockByteCount: size)
    }
    // What is not yet allocated does not count.
    let status = try queue.flush().status
    #expect(status == .success)
    host.memory.free(data)
  }
}
