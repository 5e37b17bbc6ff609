import NVMeHost
import NVMeSpec
import Testing

/// Namespaces: several of one controller, read-only ones, and images of odd sizes.
@Suite struct NamespaceTests {
  @Test func keepsNamespacesApart() throws {
    let served = try ServedController(megabytes: [4, 8, 2])
    let host = try served.host()
    let sizes = try host.namespaces().map(\.blockCount)
    #expect(sizes == [4, 8, 2].map { $0 << 20 / 512 })
    var queue = try host.createQueue(1, depth: 16)
    let data = try host.memory.allocate(8192)
    for nsid in 1...3 as ClosedRange<UInt32> {
      try queue.writePattern(data, slba: 100, version: UInt64(nsid), blockByteCount: 512, nsid: nsid)
    }
    for nsid in 1...3 as ClosedRange<UInt32> {
      try queue.readPattern(data, slba: 100, version: UInt64(nsid), blockByteCount: 512, nsid: nsid)
      #expect(try served.images[Int(nsid) - 1].read(at: 51_200, count: 8192) == data.bytes, "namespace \(nsid)")
    }
    // The last block of the largest lies beyond the end of the others.
    let last = UInt64(8 << 20 / 512 - 1)
    let block = data[0..<512]
    for (nsid, expected) in [(1, Status.lbaOutOfRange), (2, .success), (3, .lbaOutOfRange), (4, .invalidField)] {
      let status = try queue.read(nsid: UInt32(nsid), slba: last, blocks: 1, into: block).status
      #expect(status == expected, "namespace \(nsid)")
    }
    host.disconnect()
    try served.daemon.terminate()
  }

  @Test func refusesToWriteToAReadOnlyNamespace() throws {
    let folder = try TestFolder()
    let image = try folder.image("disk", byteCount: 1 << 20)
    let content = BlockPattern.bytes(slba: 0, blocks: 2048, version: 3, blockByteCount: 512)
    try image.write(content, at: 0)
    let served = try ServedController(folder, images: [image], options: ["--read-only"])
    let host = try served.host()
    let namespace = try #require(IdentifyNamespace(decoding: try host.identify(cns: 0, nsid: 1)))
    #expect(namespace.attributes.contains(.writeProtected))
    var queue = try host.createQueue(1, depth: 16)
    let data = try host.memory.allocate(4096)
    try queue.readPattern(data, slba: 2040, version: 3, blockByteCount: 512)
    data.fill(0xFF)
    let statuses = [
      try queue.write(slba: 0, blocks: 8, from: data).status, try queue.writeZeroes(slba: 0, blocks: 8).status,
      try queue.deallocate([DatasetManagementRange(length: 8, slba: 0)]).status,
    ]
    #expect(statuses == [Status](repeating: .namespaceWriteProtected, count: 3))
    let flush = try queue.flush().status
    #expect(flush == .success)
    host.disconnect()
    try served.daemon.terminate()
    #expect(try image.read(at: 0, count: content.count) == content)
  }

  /// Bytes behind the last whole block are not used, and stay.
  @Test(arguments: [(512, 1_000_001), (512, 513), (4096, 1 << 20 | 512), (4096, 8191)])
  func leavesThePartOfABlockAtTheEnd(_ blockByteCount: Int, _ byteCount: Int) throws {
    let folder = try TestFolder()
    let image = try folder.image("disk", byteCount: byteCount)
    let used = byteCount / blockByteCount * blockByteCount
    let tail = [UInt8](repeating: 0xA5, count: byteCount - used)
    try image.write(tail, at: used)
    let served = try ServedController(folder, images: [image], blockByteCount: blockByteCount)
    #expect(served.daemon.log.text.contains("the last \(tail.count) bytes are no whole block and are not used"))
    let host = try served.host()
    #expect(try host.namespace(1).blockCount == UInt64(used / blockByteCount))
    var queue = try host.createQueue(1, depth: 16)
    let data = try host.memory.allocate(blockByteCount)
    let last = UInt64(used / blockByteCount - 1)
    try queue.writePattern(data, slba: last, version: 1, blockByteCount: blockByteCount, forceUnitAccess: true)
    try queue.readPattern(data, slba: last, version: 1, blockByteCount: blockByteCount)
    let beyond = try queue.write(slba: last + 1, blocks: 1, from: data).status
    #expect(beyond == .lbaOutOfRange)
    let zeroes = try queue.writeZeroes(slba: last, blocks: 2, deallocate: true).status
    #expect(zeroes == .lbaOutOfRange)
    host.disconnect()
    try served.daemon.terminate()
    #expect(try image.read(at: used, count: tail.count) == tail)
    #expect(try image.read(at: used - blockByteCount, count: blockByteCount) == data.bytes)
  }
}
