import NVMeSpec
import Testing

@testable import NVMeHost

@Suite struct SGLBuilderTests {
  private static let page = HostMemory.pageSize
  private static let base: UInt64 = 0x7_0000_0000

  private static func block(_ address: UInt64, _ length: UInt32) -> SGLDescriptor {
    SGLDescriptor(type: .dataBlock, address: address, length: length)
  }

  @Test func contiguousMemoryIsOneBlock() throws {
    let memory = try HostMemory(byteCount: 8 * Self.page, iova: Self.base)
    let buffer = try memory.allocate(5 * Self.page)
    #expect(SGLBuilder.dataBlocks(of: buffer) == [Self.block(Self.base, 5 * 4096)])
    #expect(SGLBuilder.dataBlocks(of: buffer[100..<101]) == [Self.block(Self.base + 100, 1)])
    #expect(SGLBuilder.dataBlocks(of: buffer[100..<20000]) == [Self.block(Self.base + 100, 19900)])
    #expect(SGLBuilder.dataBlocks(of: buffer[0..<0]) == [])
  }

  @Test func blocksEndWithTheirRange() throws {
    let memory = try HostMemory(parts: [(0x9000, 2 * Self.page), (0x2000, Self.page), (0x3000, Self.page)])
    let buffer = try memory.allocate(4 * Self.page, contiguous: false)
    #expect(
      SGLBuilder.dataBlocks(of: buffer[4000..<16000]) == [Self.block(0x9FA0, 4192), Self.block(0x2000, 7808)])
  }

  @Test func blocksKeepToALimit() throws {
    let memory = try HostMemory(byteCount: 2 * Self.page, iova: Self.base)
    let buffer = try memory.allocate(2 * Self.page)
    #expect(
      SGLBuilder.dataBlocks(of: buffer[0..<5000], limit: 2000) == [
        Self.block(Self.base, 2000), Self.block(Self.base + 2000, 2000), Self.block(Self.base + 4000, 1000),
      ])
  }

  @Test func oneBlockGoesIntoTheCommand() throws {
    let memory = try HostMemory(byteCount: 2 * Self.page, iova: Self.base)
    let pointer = try SGLBuilder.pointer(to: try memory.allocate(4096))
    #expect(pointer.segments.isEmpty)
    var entry = SubmissionQueueEntry(cdw0: 2)
    pointer.apply(to: &entry)
    #expect(entry.cdw0 == 0x4002)
    #expect(entry.dataPointer0 == Self.base)
    #expect(entry.dataPointer1 == 0x0000_0000_0000_1000)
  }

  @Test func severalBlocksMakeALastSegment() throws {
    let memory = try HostMemory(byteCount: 4 * Self.page, iova: Self.base)
    let segment = try memory.allocate(64)
    let pointer = try SGLBuilder.pointer(
      to: [Self.block(0x1_2345_6780, 512), SGLBuilder.bitBucket(1024), Self.block(0x8000, 1)], segments: [segment])
    #expect(pointer.descriptor.address == Self.base)
    #expect(pointer.descriptor.word1 == 0x3000_0000_0000_0030)
    #expect(
      segment.bytes == [
        0x80, 0x67, 0x45, 0x23, 1, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0x00,  // Data block.
        0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0x10,  // Bit bucket.
        0, 0x80, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0x00,  // Data block.
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
      ])
  }

  @Test func oneDescriptorMayLieInASegment() throws {
    let memory = try HostMemory(byteCount: Self.page, iova: Self.base)
    let pointer = try SGLBuilder.pointer(to: [Self.block(0x8000, 16)], segments: [try memory.allocate(16)])
    #expect(pointer.descriptor == SGLDescriptor(Self.base, 0x3000_0000_0000_0010))
    #expect(pointer.segments.count == 1)
  }

  @Test func segmentsAreChained() throws {
    let memory = try HostMemory(byteCount: 4 * Self.page, iova: Self.base)
    let segments = try (0..<3).map { _ in try memory.allocate(48) }
    let blocks = (1...6).map { Self.block(UInt64($0) << 12, UInt32($0)) }
    let pointer = try SGLBuilder.pointer(to: blocks, segments: segments)
    func contents(_ segment: HostBuffer) -> [SGLDescriptor] {
      [0, 16, 32].map { SGLDescriptor(segment.load(at: $0), segment.load(at: $0 + 8)) }
    }
    // Two blocks and a pointer, two and a pointer to the last, two.
    #expect(pointer.descriptor == SGLDescriptor(Self.base, 0x2000_0000_0000_0030))
    #expect(contents(segments[0]) == [blocks[0], blocks[1], SGLDescriptor(Self.base + 4096, 0x2000_0000_0000_0030)])
    #expect(contents(segments[1]) == [blocks[2], blocks[3], SGLDescriptor(Self.base + 8192, 0x3000_0000_0000_0020)])
    #expect(contents(segments[2]) == [blocks[4], blocks[5], SGLDescriptor(0, 0)])
    #expect(pointer.segments.count == 3)
  }

  @Test func aSegmentIsFilledBeforeTheNextBegins() throws {
    let memory = try HostMemory(byteCount: 4 * Self.page, iova: Self.base)
    let segments = try (0..<2).map { _ in try memory.allocate(48) }
    let blocks = (1...3).map { Self.block(UInt64($0) << 12, 1) }
    let pointer = try SGLBuilder.pointer(to: blocks, segments: segments)
    #expect(pointer.descriptor == SGLDescriptor(Self.base, 0x3000_0000_0000_0030))
    #expect(pointer.segments.count == 1)
  }

  @Test func refusesSegmentsWithoutRoom() throws {
    let memory = try HostMemory(byteCount: 4 * Self.page)
    let blocks = (1...5).map { Self.block(UInt64($0) << 12, 1) }
    let segments = try (0..<2).map { _ in try memory.allocate(48) }
    #expect(throws: HostError.invalidArgument("the SGL segments have no room")) {
      try SGLBuilder.pointer(to: blocks + blocks, segments: segments)
    }
    #expect(throws: HostError.invalidArgument("an SGL segment has room for two descriptors at least")) {
      try SGLBuilder.pointer(to: blocks, segments: [segments[0][0..<16], segments[1]])
    }
    #expect(throws: HostError.invalidArgument("the SGL segments have no room")) {
      try SGLBuilder.pointer(to: [], segments: segments)
    }
  }

  @Test(arguments: [(4096, 0, 256, 0), (8192, 4096, 256, 1), (40960, 4096, 4, 3), (40960, 4096, 2, 9)])
  func takesItsSegmentsFromTheSameMemory(count: Int, limit: Int, perSegment: Int, segments: Int) throws {
    let memory = try HostMemory(byteCount: 32 * Self.page, iova: Self.base)
    let data = try memory.allocate(count)
    let pointer = try SGLBuilder.pointer(to: data, limit: limit, perSegment: perSegment)
    #expect(pointer.segments.count == segments)
    pointer.free()
    memory.free(data)
    #expect(memory.freeByteCount == 32 * Self.page)
  }
}
