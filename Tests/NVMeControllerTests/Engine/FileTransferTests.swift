import NVMeController
import NVMeSpec
import Storage
import Testing

/// What files make different: bounce buffers, images that change underneath, errors: `ControllerPort+Complete.swift`.
@Suite struct FileTransferTests {
  /// Direct I/O wants aligned memory; a guest need not have it.
  @Test(arguments: LogicalBlockSize.allCases, [4, 8, 256, 508, 2044, 4092] as [UInt64])
  func misalignedPRP(_ blockSize: LogicalBlockSize, offset: UInt64) throws {
    try FileTransferTests.roundTrip(blockSize, offset)
  }

  @Test(arguments: LogicalBlockSize.allCases, [1, 2, 3, 5, 257, 4095] as [UInt64])
  func misalignedSGL(_ blockSize: LogicalBlockSize, offset: UInt64) throws {
    try FileTransferTests.roundTrip(blockSize, offset, isSGL: true)
  }

  private static func roundTrip(_ blockSize: LogicalBlockSize, _ offset: UInt64, isSGL: Bool = false) throws {
    let image = try TestImage(size: 1 << 20)
    let host = try Host([Namespace(try image.backend(blockSize: blockSize))])
    try host.createQueuePair()
    let size = blockSize.rawValue
    let count = 5 * size
    let data = host.ram.allocate(bytes: count + 2 * 4096) + offset
    let command = { (opcode: NVMOpcode) -> SubmissionQueueEntry in
      if isSGL {
        let sgl = SGLDescriptor(type: .dataBlock, address: data, length: UInt32(count))
        return .transfer(opcode, slba: 3, blocks: 5, sgl: sgl)
      }
      let (prp1, prp2) = host.ram.prps(for: data, count: count)
      return .transfer(opcode, slba: 3, blocks: 5, prp1, prp2)
    }
    var generator = SeededGenerator(seed: offset)
    let content = generator.bytes(count)
    host.ram.write(content, at: data)
    #expect(try host.io(command(.write)).status == .success)
    #expect(image.bytes(3 * size, count) == content)
    #expect(image.bytes(0, 3 * size).allSatisfy { $0 == 0 } && image.bytes(8 * size, size).allSatisfy { $0 == 0 })
    #expect(try host.io(command(.compare)).status == .success)
    host.ram.fill(data, count, 0x55)
    #expect(try host.io(command(.compare)).status == .compareFailure)
    #expect(try host.io(command(.read)).status == .success)
    #expect(host.ram.bytes(data, count) == content)
    #expect(host.ram.bytes(data + UInt64(count), 64).allSatisfy { $0 == 0 })
  }

  /// More commands than bounce buffers (32): the rest waits its turn, and each gets its own data.
  @Test(arguments: Host.DoorbellPath.allCases) func moreThanThereAreBounceBuffers(_ path: Host.DoorbellPath) throws {
    let image = try TestImage(size: 4 << 20)
    let host = try Host([Namespace(try image.backend())], path: path)
    let queue = try host.createQueuePair(size: 256)
    let buffers = (0..<200).map { _ in host.ram.allocate(pages: 2) + 4 }
    let slba = { (index: Int) in UInt64(index * 16) }
    for (index, buffer) in buffers.enumerated() {
      host.ram.write((0..<1024).map { _ in UInt32(index) &* 2_654_435_761 }.flatMap(\.bytes), at: buffer)
    }
    for opcode: NVMOpcode in [.write, .compare, .read] {
      if opcode == .read { for buffer in buffers { host.ram.fill(buffer, 4096, 0) } }
      let commands = host.submit(
        buffers.enumerated().map { index, buffer in
          .transfer(opcode, slba: slba(index), blocks: 8, buffer, buffer - 4 + 4096)
        }, on: queue)
      for command in commands { #expect(try host.completion(of: command, on: queue).status == .success) }
    }
    for (index, buffer) in buffers.enumerated() {
      let content = (0..<1024).map { _ in UInt32(index) &* 2_654_435_761 }.flatMap(\.bytes)
      #expect(host.ram.bytes(buffer, 4096) == content && image.bytes(index * 8192, 4096) == content, "\(index)")
    }
  }

  /// Aligned and misaligned commands of several queues at a time.
  @Test func mixture() throws {
    let image = try TestImage(size: 4 << 20)
    let host = try Host([Namespace(try image.backend())])
    let queues = try (1...4).map { try host.createQueuePair(UInt16($0), size: 128) }
    var generator = SeededGenerator(seed: 5)
    let content = generator.bytes(4 << 20)
    try image.write(content, at: 0)
    for _ in 0..<4 {
      var expected: [(queue: SubmissionRing, command: UInt16, slba: Int, blocks: Int, buffer: UInt64)] = []
      host.ram.fill(host.ram.base + (4 << 20), 4 << 20, 0)
      for (number, queue) in queues.enumerated() {
        for index in 0..<60 {
          let buffer = host.ram.base + (4 << 20) + UInt64((number * 60 + index) * 3 * 4096)
          let isAligned = generator.next() % 2 == 0
          let (slba, blocks) = (Int(generator.next() % 8000), Int(generator.next() % 16) + 1)
          let address = buffer + (isAligned ? 512 : 12)
          let sgl = SGLDescriptor(type: .dataBlock, address: address, length: UInt32(blocks * 512))
          let command = queue.put(.transfer(.read, slba: UInt64(slba), blocks: blocks, sgl: sgl))
          expected.append((queue, command, slba, blocks, address))
        }
        host.ring(queue)
      }
      for entry in expected {
        #expect(try host.completion(of: entry.command, on: entry.queue).status == .success)
        let bytes = host.ram.bytes(entry.buffer, entry.blocks * 512)
        #expect(bytes == Array(content[(entry.slba * 512)..<((entry.slba + entry.blocks) * 512)]))
      }
    }
  }

  // MARK: Images that change underneath

  /// Somebody has cut the image off: what is behind its end cannot be read, and the guest is told so.
  @Test(arguments: [0, 4096, 4096 + 512, 4096 + 100, 1 << 19]) func truncatedImage(_ size: Int) throws {
    let image = try TestImage(size: 1 << 20)
    let host = try Host([Namespace(try image.backend())])
    try host.createQueuePair()
    let data = host.ram.allocate(pages: 9)
    let (prp1, prp2) = host.ram.prps(for: data, count: 8 * 4096)
    let (prp3, prp4) = host.ram.prps(for: data + 4, count: 8 * 4096)
    try image.resize(size)
    var failures: UInt64 = 0
    for slba in [0, 7, 8, 9, 10, 1000, 1984] {
      let isInside = slba * 512 + 8 * 4096 <= size
      for command: SubmissionQueueEntry in [
        .transfer(.read, slba: UInt64(slba), blocks: 64, prp1, prp2),
        .transfer(.read, slba: UInt64(slba), blocks: 64, prp3, prp4),
        .transfer(.verify, slba: UInt64(slba), blocks: 64),
        .transfer(.compare, slba: UInt64(slba), blocks: 64, prp1, prp2),
      ] {
        let status = try host.io(command).status
        if isInside {
          #expect(status == .success || status == .compareFailure, "\(slba)")
        } else {
          #expect(status == .unrecoveredReadError, "\(slba)")
          failures += 1
        }
      }
    }
    try host.settle()
    #expect(host.controller.counters.statistics.mediaErrors == failures)
    // Within what is left everything goes on.
    if size >= 4096 { #expect(try host.io(.transfer(.read, slba: 0, blocks: 8, prp1)).status == .success) }
    #expect(try host.io(.flush()).status == .success)
  }

  /// Writing behind the end makes the image longer again.
  @Test func writeToATruncatedImage() throws {
    let image = try TestImage(size: 1 << 20)
    let host = try Host([Namespace(try image.backend())])
    try host.createQueuePair()
    let data = host.ram.allocate()
    host.ram.fill(data, 4096, 0x66)
    try image.resize(4096)
    #expect(try host.io(.transfer(.write, slba: 1024, blocks: 8, data)).status == .success)
    host.ram.fill(data, 4096, 0)
    #expect(try host.io(.transfer(.read, slba: 1024, blocks: 8, data)).status == .success)
    #expect(host.ram.bytes(data, 4096).allSatisfy { $0 == 0x66 })
    #expect(try host.io(.transfer(.read, slba: 512, blocks: 8, data)).status == .success)
  }

  /// A rest of the image that is no whole block is not used.
  @Test func imageOfNoWholeBlocks() throws {
    let image = try TestImage(size: 10 * 4096 + 1234)
    let host = try Host([Namespace(try image.backend(blockSize: .bytes4096))])
    try host.createQueuePair()
    let data = host.ram.allocate()
    try host.admin(.identify(0, nsid: 1, to: data))
    #expect(host.ram.bytes(data, 8) == [10, 0, 0, 0, 0, 0, 0, 0])
    #expect(try host.io(.transfer(.read, slba: 9, blocks: 1, data)).status == .success)
    #expect(try host.io(.transfer(.read, slba: 10, blocks: 1, data)).status == .lbaOutOfRange)
  }

  // MARK: Errors

  /// After a sync that failed nothing that the cache held is safe: every later flush says so.
  @Test func failedSync() throws {
    let image = try TestImage(size: 1 << 20)
    let backend = try image.backend()
    let other = try TestImage(size: 1 << 20)
    let host = try Host([Namespace(backend), Namespace(try other.backend())])
    try host.createQueuePair()
    #expect(try host.io(.flush()).status == .success)
    backend.image?.noteFailedSync(.inputOutput)
    for _ in 0..<2 { #expect(try host.io(.flush()).status == .writeFault) }
    #expect(try host.io(.flush(nsid: 2)).status == .success)
    #expect(try host.io(.flush(nsid: UInt32.max)).status == .writeFault)
    // Also where the cache is off already.
    for _ in 0..<2 {
      let entry = try host.admin(.setFeatures(FeatureIdentifier.volatileWriteCache.rawValue, 0))
      #expect(entry.status == .writeFault)
    }
  }
}

extension UInt32 {
  /// Its bytes in memory.
  var bytes: [UInt8] { withUnsafeBytes(of: self) { Array($0) } }
}
