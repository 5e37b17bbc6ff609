import LinuxIO
import NVMeSpec
import Testing

@testable import GuestMemory

@Suite struct SGLWalkTests {
  private let top = UInt64.max - 4095

  /// A guest of 32 pages: pages 0 to 15 at 10000h, and then every second one at 100000h, which do not join.
  private func guest(capacity: Int = 1024) throws -> Guest {
    let guest = try Guest(pages: 32, capacity: capacity)
    guest.map(0x1_0000, page: 0, count: 16)
    for index in 0..<8 { guest.map(0x10_0000 + UInt64(index) << 12, page: 16 + 2 * index) }
    return guest
  }

  private func block(_ address: UInt64, _ length: UInt32) -> SGLDescriptor {
    SGLDescriptor(type: .dataBlock, address: address, length: length)
  }

  private func bucket(_ length: UInt32) -> SGLDescriptor {
    SGLDescriptor(type: .bitBucket, address: 0xdead_dead_dead_dead, length: length)
  }

  private func segment(_ address: UInt64, _ count: Int) -> SGLDescriptor {
    SGLDescriptor(type: .segment, address: address, length: UInt32(count * 16))
  }

  private func last(_ address: UInt64, _ count: Int) -> SGLDescriptor {
    SGLDescriptor(type: .lastSegment, address: address, length: UInt32(count * 16))
  }

  /// Walks a last segment of these descriptors.
  private func walk(
    _ guest: Guest, _ descriptors: [SGLDescriptor], _ length: Int, access: MemoryRegion.Access = .write
  ) -> Walked {
    guest.store(descriptors, at: 0)
    return guest.sgl(last(0x1_0000, descriptors.count), length, access: access)
  }

  // MARK: Data blocks

  @Test(arguments: [(0, 512), (1, 1), (3, 4093), (0xfff, 1), (0, 0x1_0000), (0x123, 0x4567)])
  func oneBlockOfAnyAlignment(offset: Int, length: Int) throws {
    let walked = try guest().sgl(block(0x1_0000 + UInt64(offset), UInt32(length)), length)
    #expect(walked == Walked(.success, [Piece(offset, length)]))
  }

  @Test func aBlockMayLieInSeveralRanges() throws {
    let walked = try guest().sgl(block(0x10_0800, 0x2000), 0x2000)
    #expect(
      walked == Walked(.success, [Piece(0x1_0800, 0x800), Piece(0x1_2000, 0x1000), Piece(0x1_4000, 0x800)]))
  }

  @Test func blocksThatFollowEachOtherInHostMemoryAreOnePiece() throws {
    let guest = try guest()
    let walked = walk(guest, [block(0x1_8000, 512), block(0x1_8200, 512), block(0x1_8000, 512)], 1536)
    #expect(walked == Walked(.success, [Piece(0x8000, 1024), Piece(0x8000, 512)]))
  }

  @Test(arguments: [511, 513, 0, 4096, UInt32.max] as [UInt32])
  func lengthsMustBeThatOfTheTransfer(length: UInt32) throws {
    let guest = try guest()
    #expect(guest.sgl(block(0x1_0000, length), 512) == Walked(.dataSGLLengthInvalid))
    #expect(walk(guest, [block(0x1_8000, length)], 512) == Walked(.dataSGLLengthInvalid))
    #expect(walk(guest, [block(0x1_8000, 256), block(0x1_8000, length)], 768) == Walked(.dataSGLLengthInvalid))
    #expect(walk(guest, [block(0x1_8000, length), block(0x1_8000, 1)], 513).status == .dataSGLLengthInvalid)
  }

  @Test func emptyBlocksAreIgnoredWhereverTheyPoint() throws {
    let guest = try guest()
    let empty = block(UInt64.max, 0)
    #expect(
      walk(guest, [empty, block(0x1_8000, 512), empty, empty, block(0x10_0000, 512), empty], 1024)
        == Walked(.success, [Piece(0x8000, 512), Piece(0x1_0000, 512)]))
  }

  @Test func dataBehindTheEndOfTheTransferIsTooMuch() throws {
    let guest = try guest()
    #expect(walk(guest, [block(0x1_8000, 512), block(0x1_8000, 4)], 512) == Walked(.dataSGLLengthInvalid))
  }

  // MARK: Bit buckets

  @Test func aReadLeavesTheDataOfABucketOut() throws {
    let guest = try guest()
    #expect(guest.sgl(bucket(512), 512) == Walked(.success, [Piece(guest.bitBucket, 512)]))
    #expect(
      walk(guest, [block(0x1_8000, 512), bucket(1024), block(0x1_9000, 512)], 2048)
        == Walked(.success, [Piece(0x8000, 512), Piece(guest.bitBucket, 1024), Piece(0x9000, 512)]))
    #expect(
      walk(guest, [bucket(512), bucket(512), bucket(0)], 1024)
        == Walked(.success, [Piece(guest.bitBucket, 512), Piece(guest.bitBucket, 512)]))
  }

  @Test func aBucketIsNotLargerThanTheTransfer() throws {
    let guest = try guest()
    #expect(guest.sgl(bucket(513), 512) == Walked(.dataSGLLengthInvalid))
    #expect(guest.sgl(bucket(UInt32.max), 512) == Walked(.dataSGLLengthInvalid))
    #expect(guest.sgl(bucket(511), 512) == Walked(.dataSGLLengthInvalid))
    #expect(walk(guest, [bucket(512), bucket(1)], 512) == Walked(.dataSGLLengthInvalid))
  }

  @Test func aWriteTakesNothingFromABucket() throws {
    let guest = try guest()
    #expect(guest.sgl(bucket(512), 512, access: .read) == Walked(.dataSGLLengthInvalid))
    #expect(
      walk(guest, [bucket(4096), block(0x1_8000, 512), bucket(UInt32.max)], 512, access: .read)
        == Walked(.success, [Piece(0x8000, 512)]))
  }

  // MARK: Segments

  @Test func aLastSegmentHoldsBlocks() throws {
    let guest = try guest()
    for count in [1, 2, 7, 256] {
      let blocks = (0..<count).map { block(0x1_8000 + UInt64($0 % 2) * 0x2000, 512) }
      let expected = (0..<count).map { Piece(0x8000 + $0 % 2 * 0x2000, 512) }
      #expect(walk(guest, blocks, count * 512) == Walked(.success, expected))
    }
  }

  @Test func segmentsFormAChain() throws {
    let guest = try guest()
    // In the order 3, 1, 2, with one, two and three blocks.
    guest.store([block(0x10_0000, 512), segment(0x1_1000, 3)], at: 0x3000)
    guest.store([block(0x10_1000, 512), block(0x10_2000, 512), last(0x1_2010, 3)], at: 0x1000)
    guest.store([block(0x10_3000, 512), block(0x10_4000, 512), block(0x10_5000, 512)], at: 0x2010)
    #expect(
      guest.sgl(segment(0x1_3000, 2), 6 * 512)
        == Walked(.success, (0..<6).map { Piece(0x1_0000 + $0 * 0x2000, 512) }))
  }

  @Test func aSegmentThatHoldsOnlyAPointerIsASegment() throws {
    let guest = try guest()
    guest.store([segment(0x1_1000, 1)], at: 0)
    guest.store([last(0x1_2000, 1)], at: 0x1000)
    guest.store([block(0x1_8000, 512)], at: 0x2000)
    #expect(guest.sgl(segment(0x1_0000, 1), 512) == Walked(.success, [Piece(0x8000, 512)]))
  }

  @Test func aSegmentMayLieInSeveralRangesAndAtAnyAddress() throws {
    let guest = try guest()
    // A descriptor across two pages that are not adjacent in host memory.
    let blocks = [block(0x1_8000, 512), block(0x1_a000, 512), block(0x1_c000, 512)]
    var bytes: [UInt8] = []
    for half in blocks.flatMap({ [$0.address, $0.word1] }) {
      for index in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: half >> UInt64(8 * index))) }
    }
    #expect(guest.write(0x10_0fe9, bytes))
    #expect(
      guest.sgl(last(0x10_0fe9, 3), 1536)
        == Walked(.success, [Piece(0x8000, 512), Piece(0xa000, 512), Piece(0xc000, 512)]))
  }

  @Test(arguments: [0, 1, 8, 15, 17, 24, 0xfff8, UInt32.max] as [UInt32])
  func aSegmentIsWholeDescriptorsAndNotEmpty(length: UInt32) throws {
    let guest = try guest()
    guest.store([block(0x1_8000, 512), block(0x1_8000, 512)], at: 0)
    for type in [.segment, .lastSegment] as [SGLDescriptorType] {
      let bad = SGLDescriptor(type: type, address: 0x1_0000, length: length)
      #expect(guest.sgl(bad, 512) == Walked(.invalidSGLSegmentDescriptor))
      guest.store([block(0x1_8000, 512), bad], at: 0x3000)
      #expect(guest.sgl(segment(0x1_3000, 2), 512) == Walked(.invalidSGLSegmentDescriptor))
    }
  }

  @Test func aPointerToASegmentIsTheLastOfItsOwn() throws {
    let guest = try guest()
    guest.store([block(0x1_8000, 512)], at: 0x5000)
    for pointer in [segment(0x1_5000, 1), last(0x1_5000, 1)] {
      // In the middle of a segment, and anywhere in the last.
      guest.store([pointer, block(0x1_8000, 512)], at: 0)
      #expect(guest.sgl(segment(0x1_0000, 2), 512) == Walked(.invalidSGLSegmentDescriptor))
      #expect(guest.sgl(last(0x1_0000, 2), 512) == Walked(.invalidSGLSegmentDescriptor))
      guest.store([block(0x1_8000, 512), pointer], at: 0)
      #expect(guest.sgl(last(0x1_0000, 2), 512) == Walked(.invalidSGLSegmentDescriptor))
    }
  }

  @Test func aSegmentThatIsNotTheLastEndsInAPointer() throws {
    let guest = try guest()
    guest.store([block(0x1_8000, 256), block(0x1_8000, 256)], at: 0)
    #expect(guest.sgl(segment(0x1_0000, 2), 512) == Walked(.invalidSGLSegmentDescriptor))
    guest.store([block(0x1_8000, 512), bucket(0)], at: 0)
    #expect(guest.sgl(segment(0x1_0000, 2), 512) == Walked(.invalidSGLSegmentDescriptor))
  }

  // MARK: Types

  @Test(arguments: [4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15] as [UInt64])
  func otherTypesAreNotSupported(type: UInt64) throws {
    let guest = try guest()
    let other = SGLDescriptor(0x1_8000, 512 | type << 60)
    #expect(guest.sgl(other, 512) == Walked(.sglDescriptorTypeInvalid))
    #expect(walk(guest, [other], 512) == Walked(.sglDescriptorTypeInvalid))
    #expect(walk(guest, [block(0x1_8000, 512), other], 1024) == Walked(.sglDescriptorTypeInvalid))
    #expect(walk(guest, [SGLDescriptor(0x1_8000, type << 60)], 512) == Walked(.sglDescriptorTypeInvalid))
  }

  @Test(arguments: [0, 1, 2, 3] as [UInt8], [1, 2, 10, 15] as [UInt8])
  func subtypesOtherThanAnAddressAreNotSupported(type: UInt8, subtype: UInt8) throws {
    let guest = try guest()
    guest.store([block(0x1_8000, 512)], at: 0x5000)
    let kind = try #require(SGLDescriptorType(rawValue: type))
    let isPointer = kind == .segment || kind == .lastSegment
    let other = SGLDescriptor(
      type: kind, subtype: subtype, address: isPointer ? 0x1_5000 : 0x1_8000, length: isPointer ? 16 : 512)
    #expect(guest.sgl(other, 512) == Walked(.sglDescriptorTypeInvalid))
    guest.store([block(0x1_8000, 512), other], at: 0)
    let first = isPointer ? segment(0x1_0000, 2) : last(0x1_0000, 2)
    #expect(guest.sgl(first, 1024) == Walked(.sglDescriptorTypeInvalid))
  }

  // MARK: Chains without an end

  @Test(arguments: [1, 2, 16, 64, 256]) func aSegmentThatPointsToItselfEnds(count: Int) throws {
    let guest = try guest()
    let empties = [SGLDescriptor](repeating: block(0, 0), count: count - 1)
    guest.store(empties + [segment(0x1_0000, count)], at: 0)
    #expect(guest.sgl(segment(0x1_0000, count), 512) == Walked(.invalidNumberOfSGLDescriptors))
    // Two that point to each other.
    guest.store(empties + [segment(0x1_4000, count)], at: 0)
    guest.store(empties + [segment(0x1_0000, count)], at: 0x4000)
    #expect(guest.sgl(segment(0x1_0000, count), 512) == Walked(.invalidNumberOfSGLDescriptors))
  }

  @Test func aSegmentOfFourGigabytesIsNotWalked() throws {
    let guest = try guest()
    for type in [.segment, .lastSegment] as [SGLDescriptorType] {
      let giant = SGLDescriptor(type: type, address: 0x1_0000, length: UInt32.max & ~15)
      #expect(guest.sgl(giant, 512) == Walked(.invalidNumberOfSGLDescriptors))
    }
    #expect(guest.sgl(last(0x1_0000, 2049), 512) == Walked(.invalidNumberOfSGLDescriptors))
  }

  @Test func theMostThatIsAllowedIsWalked() throws {
    let guest = try guest()
    // 2048 descriptors: empty ones and one block.
    let empties = [SGLDescriptor](repeating: block(0, 0), count: 2047)
    #expect(walk(guest, empties + [block(0x1_e000, 512)], 512) == Walked(.success, [Piece(0xe000, 512)]))
    // 64 segments.
    for index in 0..<63 {
      let address = 0x1_0000 + UInt64(index + 1) * 32
      guest.store([block(0, 0), index == 62 ? last(address, 1) : segment(address, 2)], at: index * 32)
    }
    guest.store([block(0x1_e000, 512)], at: 63 * 32)
    #expect(guest.sgl(segment(0x1_0000, 2), 512) == Walked(.success, [Piece(0xe000, 512)]))
  }

  @Test func morePiecesThanTheArrayHoldsAreAnErrorAndWrittenNowhere() throws {
    let guest = try guest(capacity: 4)
    let blocks = (0..<5).map { block(0x1_8000 + UInt64($0 % 2) * 0x2000, 512) }
    #expect(walk(guest, Array(blocks.prefix(4)), 2048).status == .success)
    #expect(walk(guest, blocks, 2560) == Walked(.invalidNumberOfSGLDescriptors))
    let buckets = [SGLDescriptor](repeating: bucket(512), count: 5)
    #expect(walk(guest, buckets, 2560) == Walked(.invalidNumberOfSGLDescriptors))
  }

  // MARK: Memory that is not there

  @Test func memoryThatIsNotMappedIsATransferError() throws {
    let guest = try guest()
    let nowhere: UInt64 = 0x4000_0000
    #expect(guest.sgl(block(nowhere, 512), 512) == Walked(.dataTransferError))
    #expect(guest.sgl(block(0x1_ff00, 512), 512) == Walked(.dataTransferError), "its second half")
    #expect(guest.sgl(segment(nowhere, 2), 512) == Walked(.dataTransferError))
    #expect(guest.sgl(last(nowhere, 2), 512) == Walked(.dataTransferError))
    #expect(walk(guest, [block(0x1_8000, 256), block(nowhere, 256)], 512) == Walked(.dataTransferError))
    guest.store([block(0x1_8000, 512), last(nowhere, 1)], at: 0)
    #expect(guest.sgl(segment(0x1_0000, 2), 512) == Walked(.dataTransferError))
    guest.store([block(0x1_8000, 256)], at: 0xfff0)
    #expect(guest.sgl(last(0x1_fff0, 2), 512) == Walked(.dataTransferError), "the second half of a segment")
    guest.mapUnreachable(nowhere)
    #expect(guest.sgl(block(nowhere, 512), 512) == Walked(.dataTransferError))
    #expect(guest.sgl(last(nowhere, 1), 512) == Walked(.dataTransferError))
  }

  @Test func addressesNearTheEndOfTheAddressSpaceDoNotWrap() throws {
    let guest = try guest()
    // Both ends of the address space are mapped: what wraps would be found.
    guest.map(0, page: 20)
    guest.map(top, page: 22)
    #expect(guest.sgl(block(UInt64.max - 511, 512), 512) == Walked(.success, [Piece(23 * 4096 - 512, 512)]))
    #expect(guest.sgl(block(UInt64.max - 511, 513), 513) == Walked(.dataTransferError))
    #expect(guest.sgl(block(UInt64.max, 8192), 8192) == Walked(.dataTransferError))
    #expect(walk(guest, [block(UInt64.max - 511, 1024)], 1024) == Walked(.dataTransferError))
    guest.store([block(0x1_8000, 512)], at: 23 * 4096 - 16)
    guest.store([block(0x1_8000, 512)], at: 20 * 4096)
    #expect(guest.sgl(last(UInt64.max - 15, 1), 512) == Walked(.success, [Piece(0x8000, 512)]))
    #expect(guest.sgl(last(UInt64.max - 15, 2), 1024) == Walked(.dataTransferError))
    #expect(guest.sgl(last(UInt64.max - 7, 1), 512) == Walked(.dataTransferError))
    #expect(guest.sgl(segment(UInt64.max, 2), 512) == Walked(.dataTransferError))
  }

  @Test func permissionsAreAskedForWhatIsDone() throws {
    let guest = try Guest(pages: 8)
    guest.map(0x1000, page: 0, access: .read)
    guest.map(0x2000, page: 2, access: .write)
    #expect(guest.sgl(block(0x1000, 512), 512, access: .read) == Walked(.success, [Piece(0, 512)]))
    #expect(guest.sgl(block(0x1000, 512), 512, access: .write) == Walked(.dataTransferError))
    #expect(guest.sgl(block(0x2000, 512), 512, access: .read) == Walked(.dataTransferError))
    #expect(guest.sgl(block(0x2000, 512), 512, access: .write) == Walked(.success, [Piece(0x2000, 512)]))
    // A segment is read, whichever way the data goes.
    guest.store([block(0x2000, 512)], at: 0x100)
    #expect(guest.sgl(last(0x1100, 1), 512, access: .write) == Walked(.success, [Piece(0x2000, 512)]))
    guest.store([block(0x2000, 512)], at: 0x2100)
    #expect(guest.sgl(last(0x2100, 1), 512, access: .write) == Walked(.dataTransferError))
  }
}
