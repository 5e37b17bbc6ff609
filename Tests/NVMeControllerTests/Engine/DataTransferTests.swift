import GuestMemory
import NVMeController
import NVMeSpec
import Storage
import Testing

/// Where the data of I/O commands lies: PRPs and SGLs through the controller, on memory and on a file.
@Suite struct DataTransferTests {
  private static let media = [Medium(kind: .memory, blockSize: .bytes512), Medium(kind: .file, blockSize: .bytes512)]

  /// Writes from one buffer and reads into another; what arrives is what was sent.
  private static func roundTrip(
    _ medium: Medium, _ ram: GuestRAM? = nil, blocks: Int,
    _ buffers: (Host) -> (write: SubmissionQueueEntry, read: SubmissionQueueEntry, from: UInt64, to: UInt64)
  ) throws {
    let (namespace, image) = try medium.namespace(blocks: 1024)
    defer { withExtendedLifetime(image) {} }
    let host = try Host([namespace], ram: ram)
    try host.createQueuePair()
    let (write, read, from, to) = buffers(host)
    let count = blocks * 512
    let content = {
      var generator = SeededGenerator(seed: 3); return generator.bytes(count)
    }()
    host.ram.write(content, at: from)
    #expect(try host.io(write).status == .success)
    if let image { #expect(image.bytes(16 * 512, count) == content) }
    host.ram.fill(to - 64, count + 128, 0x55)
    #expect(try host.io(read).status == .success)
    #expect(host.ram.bytes(to, count) == content)
    #expect((host.ram.bytes(to - 64, 64) + host.ram.bytes(to + UInt64(count), 64)).allSatisfy { $0 == 0x55 })
  }

  // MARK: PRPs

  /// Offset of the buffer in its page, blocks, offset of the list in its page.
  @Test(
    arguments: media,
    [
      (0, 8, 0), (0, 9, 0), (0, 16, 0), (0, 17, 0), (0, 256, 0), (512, 7, 0), (512, 8, 0), (2048, 255, 0), (4, 7, 0),
      (4, 8, 0), (4, 255, 0), (4092, 1, 0), (4092, 255, 0), (3584, 1, 0), (3584, 2, 0), (1028, 100, 0),
      (0, 256, 8), (0, 256, 4096 - 8 * 31), (0, 256, 4096 - 8 * 30), (0, 256, 4096 - 16), (0, 256, 4096 - 8),
      (2048, 256, 4096 - 8 * 32), (2048, 256, 4096 - 8 * 31), (4, 255, 4096 - 8),
    ] as [(Int, Int, Int)])
  func prps(_ medium: Medium, _ place: (offset: Int, blocks: Int, list: Int)) throws {
    try DataTransferTests.roundTrip(medium, blocks: place.blocks) { host in
      let count = place.blocks * 512
      // A guard page on each side.
      let from = host.ram.allocate(bytes: count + 3 * 4096) + 4096 + UInt64(place.offset)
      let to = host.ram.allocate(bytes: count + 3 * 4096) + 4096 + UInt64(place.offset)
      let (prp1, prp2) = host.ram.prps(for: from, count: count, listOffset: place.list)
      let (prp3, prp4) = host.ram.prps(for: to, count: count, listOffset: place.list)
      return (
        .transfer(.write, slba: 16, blocks: place.blocks, prp1, prp2),
        .transfer(.read, slba: 16, blocks: place.blocks, prp3, prp4), from, to
      )
    }
  }

  /// Every page of guest memory lies somewhere else in this process, PRP lists included.
  @Test(arguments: media, [0, 4]) func prpsInScatteredMemory(_ medium: Medium, offset: UInt64) throws {
    let ram = try GuestRAM(isScattered: true)
    try DataTransferTests.roundTrip(medium, ram, blocks: 200) { host in
      let from = host.ram.allocate(bytes: 200 * 512 + 3 * 4096) + 4096 + offset
      let to = host.ram.allocate(bytes: 200 * 512 + 3 * 4096) + 4096 + offset
      let (prp1, prp2) = host.ram.prps(for: from, count: 200 * 512, listOffset: 4096 - 64)
      let (prp3, prp4) = host.ram.prps(for: to, count: 200 * 512)
      return (
        .transfer(.write, slba: 16, blocks: 200, prp1, prp2), .transfer(.read, slba: 16, blocks: 200, prp3, prp4),
        from, to
      )
    }
  }

  /// Addresses in the 8 MiB of guest memory, which begins at 4 GiB; the page at 7 MiB holds a list.
  private static let page: UInt64 = 0x1_0070_0000
  private static let list: UInt64 = 0x1_0071_0000

  struct BadPointers: Sendable, CustomTestStringConvertible {
    let testDescription: String
    var blocks = 24
    var prp1 = page
    var prp2 = list
    var entries = [page, page + 4096]
    let status: Status

    init(_ name: String, _ status: Status, _ change: (inout BadPointers) -> Void = { _ in }) {
      testDescription = name
      self.status = status
      change(&self)
    }
  }

  static let badPointers: [BadPointers] = [
    BadPointers("a good list", .success),
    BadPointers("PRP1 misaligned by 1", .invalidPRPOffset) { $0.prp1 |= 1 },
    BadPointers("PRP1 misaligned by 2", .invalidPRPOffset) { $0.prp1 |= 2 },
    BadPointers("PRP1 not mapped", .dataTransferError) { $0.prp1 = 0x1000 },
    BadPointers("PRP1 0", .dataTransferError) { $0.prp1 = 0 },
    BadPointers("PRP1 in the last page of the address space", .dataTransferError) { $0.prp1 = UInt64.max & ~0xfff },
    BadPointers("PRP1 in its last dword", .dataTransferError) { $0.prp1 = UInt64.max & ~3 },
    BadPointers("PRP2 is a page, misaligned", .invalidPRPOffset) { ($0.blocks, $0.prp2) = (16, page | 8) },
    BadPointers("PRP2 is a page, not mapped", .dataTransferError) { ($0.blocks, $0.prp2) = (16, 0x1000) },
    BadPointers("PRP2 is a page, at the end", .dataTransferError) { ($0.blocks, $0.prp2) = (16, UInt64.max & ~0xfff) },
    BadPointers("PRP2 is not used", .success) { ($0.blocks, $0.prp2) = (8, 0x1001) },
    BadPointers("list misaligned by 4", .invalidPRPOffset) { $0.prp2 |= 4 },
    BadPointers("list misaligned by 1", .invalidPRPOffset) { $0.prp2 |= 1 },
    BadPointers("list not mapped", .dataTransferError) { $0.prp2 = 0x1000 },
    BadPointers("list 0", .dataTransferError) { $0.prp2 = 0 },
    BadPointers("list in the last page of the address space", .dataTransferError) { $0.prp2 = UInt64.max & ~0xfff },
    BadPointers("list in its last 8 bytes", .dataTransferError) { $0.prp2 = UInt64.max & ~7 },
    BadPointers("list behind memory", .dataTransferError) { $0.prp2 = 0x1_0080_0000 },
    BadPointers("entry misaligned", .invalidPRPOffset) { $0.entries[0] |= 512 },
    BadPointers("last entry misaligned", .invalidPRPOffset) { $0.entries[1] |= 4 },
    BadPointers("entry not mapped", .dataTransferError) { $0.entries[1] = 0x1000 },
    BadPointers("entry 0", .dataTransferError) { $0.entries[0] = 0 },
    BadPointers("entry at the end of the address space", .dataTransferError) { $0.entries[0] = UInt64.max & ~0xfff },
    BadPointers("chain misaligned", .invalidPRPOffset) {
      ($0.prp2, $0.entries) = (list + 4088, [list + 8])
    },
    BadPointers("chain not mapped", .dataTransferError) { ($0.prp2, $0.entries) = (list + 4088, [0x1000]) },
    BadPointers("chain at the end", .dataTransferError) {
      ($0.prp2, $0.entries) = (list + 4088, [UInt64.max & ~0xfff])
    },
    BadPointers("chain to its own page, whose entries are 0", .dataTransferError) {
      ($0.prp2, $0.entries) = (list + 4088, [list])
    },
  ]

  @Test(arguments: media, badPointers) func badPRPs(_ medium: Medium, _ bad: BadPointers) throws {
    let (namespace, image) = try medium.namespace(blocks: 1024)
    defer { withExtendedLifetime(image) {} }
    let host = try Host([namespace])
    try host.createQueuePair()
    host.ram.write(bad.entries, at: bad.prp2 == DataTransferTests.list + 4088 ? bad.prp2 : DataTransferTests.list)
    for opcode: NVMOpcode in [.read, .write, .compare] {
      let command = SubmissionQueueEntry.transfer(opcode, slba: 0, blocks: bad.blocks, bad.prp1, bad.prp2)
      let status = try host.io(command).status
      #expect(status == bad.status || (status == .compareFailure && bad.status == .success), "\(opcode)")
    }
  }

  @Test(arguments: media) func permissions(_ medium: Medium) throws {
    let (namespace, image) = try medium.namespace(blocks: 1024)
    defer { withExtendedLifetime(image) {} }
    let host = try Host([namespace])
    try host.createQueuePair()
    let other = try GuestRAM(base: 0x2_0000_0000, megabytes: 1)
    let view = try other.view()
    let regions = [view.region(pages: 0..<128, access: .read), view.region(pages: 128..<256, access: .write)]
    try host.map(regions)
    let (readable, writable) = (other.base, other.base + 128 * 4096)
    for (opcode, page, status): (NVMOpcode, UInt64, Status) in [
      (.write, readable, .success), (.write, writable, .dataTransferError), (.compare, readable, .success),
      (.compare, writable, .dataTransferError), (.read, readable, .dataTransferError), (.read, writable, .success),
    ] {
      #expect(try host.io(.transfer(opcode, slba: 0, blocks: 8, page)).status == status, "\(opcode)")
      let sgl = SGLDescriptor(type: .dataBlock, address: page, length: 4096)
      #expect(try host.io(.transfer(opcode, slba: 0, blocks: 8, sgl: sgl)).status == status, "\(opcode)")
    }
    // A list must be readable, also where its data is written.
    other.write([writable, writable + 4096], at: readable)
    #expect(try host.io(.transfer(.read, slba: 0, blocks: 24, writable, readable)).status == .success)
    #expect(try host.io(.transfer(.read, slba: 0, blocks: 24, writable, writable)).status == .dataTransferError)
    for region in regions { try host.unmap(region) }
  }

  // MARK: SGLs

  /// Offset of the buffer in its page.
  @Test(arguments: media, [0, 1, 2, 3, 4, 511, 512, 4095] as [UInt64])
  func oneDataBlock(_ medium: Medium, offset: UInt64) throws {
    try DataTransferTests.roundTrip(medium, blocks: 100) { host in
      let from = host.ram.allocate(bytes: 100 * 512 + 3 * 4096) + 4096 + offset
      let to = host.ram.allocate(bytes: 100 * 512 + 3 * 4096) + 4096 + offset
      return (
        .transfer(.write, slba: 16, blocks: 100, sgl: SGLDescriptor(type: .dataBlock, address: from, length: 51_200)),
        .transfer(.read, slba: 16, blocks: 100, sgl: SGLDescriptor(type: .dataBlock, address: to, length: 51_200)),
        from, to
      )
    }
  }

  /// The buffer in pieces of any length, in segments of 5 descriptors, in one piece of memory and in scattered pages.
  @Test(arguments: media, [(true, 512), (true, 4096), (true, 1000), (true, 333), (false, 512), (false, 1000)])
  func segments(_ medium: Medium, _ shape: (isScattered: Bool, piece: Int)) throws {
    let piece = shape.piece
    try DataTransferTests.roundTrip(medium, try GuestRAM(isScattered: shape.isScattered), blocks: 64) { host in
      let count = 64 * 512
      let from = host.ram.allocate(bytes: count + 3 * 4096) + 4096 + 8
      let to = host.ram.allocate(bytes: count + 3 * 4096) + 4096 + 16
      return (
        .transfer(.write, slba: 16, blocks: 64, sgl: DataTransferTests.chain(host.ram, from, count, piece)),
        .transfer(.read, slba: 16, blocks: 64, sgl: DataTransferTests.chain(host.ram, to, count, piece)), from, to
      )
    }
  }

  /// An SGL of segments with 4 data blocks and a pointer to the next each; its first descriptor.
  private static func chain(_ ram: GuestRAM, _ iova: UInt64, _ count: Int, _ piece: Int) -> SGLDescriptor {
    var blocks = stride(from: 0, to: count, by: piece).map { offset in
      SGLDescriptor(
        type: .dataBlock, address: iova + UInt64(offset), length: UInt32(min(piece, count - offset)))
    }
    var groups: [[SGLDescriptor]] = []
    while !blocks.isEmpty {
      groups.append(Array(blocks.prefix(4)))
      blocks.removeFirst(min(4, blocks.count))
    }
    // From the last to the first, as each points to the next.
    var next: SGLDescriptor?
    var place = ram.allocate(bytes: groups.count * 80)
    for (index, group) in groups.enumerated().reversed() {
      let descriptors = group + (next.map { [$0] } ?? [])
      // No segment crosses a page here: one that does is in another test.
      if place % 4096 + 80 > 4096 { place = (place / 4096 + 1) * 4096 }
      _ = ram.descriptors(descriptors, at: place)
      next = SGLDescriptor(
        type: index == groups.count - 1 ? .lastSegment : .segment, address: place,
        length: UInt32(descriptors.count * 16))
      place += 80
    }
    return next ?? SGLDescriptor(type: .dataBlock, address: 0, length: 0)
  }

  @Test(arguments: media) func bitBucket(_ medium: Medium) throws {
    let (namespace, image) = try medium.namespace(blocks: 64)
    defer { withExtendedLifetime(image) {} }
    let host = try Host([namespace])
    try host.createQueuePair()
    let data = host.ram.allocate(pages: 4)
    let content = {
      var generator = SeededGenerator(seed: 4); return generator.bytes(4096)
    }()
    host.ram.write(content, at: data)
    #expect(try host.io(.transfer(.write, slba: 0, blocks: 8, data)).status == .success)
    // The middle of what is read is not wanted.
    let descriptors = host.ram.descriptors([
      SGLDescriptor(type: .dataBlock, address: data + 8192, length: 1024),
      SGLDescriptor(type: .bitBucket, address: 0x1234, length: 2048),
      SGLDescriptor(type: .dataBlock, address: data + 12288, length: 1024),
    ])
    let last = SGLDescriptor(type: .lastSegment, address: descriptors, length: 48)
    #expect(try host.io(.transfer(.read, slba: 0, blocks: 8, sgl: last)).status == .success)
    #expect(host.ram.bytes(data + 8192, 1024) == Array(content[0..<1024]))
    #expect(host.ram.bytes(data + 12288, 1024) == Array(content[3072...]))
    #expect(host.ram.bytes(data + 9216, 3072).allSatisfy { $0 == 0 })
    let all = SGLDescriptor(type: .bitBucket, address: 0, length: 4096)
    #expect(try host.io(.transfer(.read, slba: 0, blocks: 8, sgl: all)).status == .success)
    // On the way to the device a bit bucket has no length.
    #expect(try host.io(.transfer(.write, slba: 0, blocks: 8, sgl: last)).status == .dataSGLLengthInvalid)
    #expect(try host.io(.transfer(.write, slba: 0, blocks: 8, sgl: all)).status == .dataSGLLengthInvalid)
    let sum = host.ram.descriptors([
      SGLDescriptor(type: .bitBucket, address: 0, length: UInt32.max),
      SGLDescriptor(type: .dataBlock, address: data, length: 4096),
    ])
    let write = SGLDescriptor(type: .lastSegment, address: sum, length: 32)
    #expect(try host.io(.transfer(.write, slba: 0, blocks: 8, sgl: write)).status == .success)
    #expect(try host.io(.transfer(.read, slba: 0, blocks: 8, sgl: write)).status == .dataSGLLengthInvalid)
  }

  struct BadList: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let first: SGLDescriptor
    let segment: [SGLDescriptor]
    let status: Status

    init(_ name: String, _ first: SGLDescriptor, _ status: Status) { self.init(name, first, [], status) }

    init(_ name: String, _ first: SGLDescriptor, _ segment: [SGLDescriptor], _ status: Status) {
      testDescription = name
      self.first = first
      self.segment = segment
      self.status = status
    }
  }

  private static func block(_ address: UInt64 = page, _ length: UInt32 = 4096, subtype: UInt8 = 0) -> SGLDescriptor {
    SGLDescriptor(type: .dataBlock, subtype: subtype, address: address, length: length)
  }

  private static func last(_ length: UInt32, _ address: UInt64 = list, subtype: UInt8 = 0) -> SGLDescriptor {
    SGLDescriptor(type: .lastSegment, subtype: subtype, address: address, length: length)
  }

  private static func segment(_ length: UInt32, _ address: UInt64 = list) -> SGLDescriptor {
    SGLDescriptor(type: .segment, address: address, length: length)
  }

  static let badLists: [BadList] = [
    BadList("a good block", block(), .success),
    BadList("too short", block(page, 4095), .dataSGLLengthInvalid),
    BadList("too long", block(page, 4097), .dataSGLLengthInvalid),
    BadList("length 0", block(page, 0), .dataSGLLengthInvalid),
    BadList("length FFFFFFFFh", block(page, UInt32.max), .dataSGLLengthInvalid),
    BadList("not mapped", block(0x1000), .dataTransferError),
    BadList("at the end of memory", block(0x1_007f_f000), .success),
    BadList("over the end of memory", block(0x1_007f_f001), .dataTransferError),
    BadList("at the end of the address space", block(UInt64.max & ~0xfff), .dataTransferError),
    BadList("over the end of the address space", block(UInt64.max), .dataTransferError),
    BadList("subtype 1", block(subtype: 1), .sglDescriptorTypeInvalid),
    BadList("subtype Ah", block(subtype: 0xa), .sglDescriptorTypeInvalid),
    BadList(
      "bit bucket of subtype 1", SGLDescriptor(type: .bitBucket, subtype: 1, address: 0, length: 4096),
      .sglDescriptorTypeInvalid),
    BadList(
      "keyed data block", SGLDescriptor(type: .keyedDataBlock, address: page, length: 4096),
      .sglDescriptorTypeInvalid),
    BadList(
      "transport data block", SGLDescriptor(type: .transportDataBlock, address: page, length: 4096),
      .sglDescriptorTypeInvalid),
    BadList(
      "vendor specific", SGLDescriptor(type: .vendorSpecific, address: page, length: 4096),
      .sglDescriptorTypeInvalid),
    BadList("type 6", SGLDescriptor(page, 0x6000_0000_0000_1000), .sglDescriptorTypeInvalid),
    BadList("a good segment", last(32), [block(page, 1000), block(page + 1000, 3096)], .success),
    BadList("blocks of length 0", last(48), [block(0, 0), block(), block(UInt64.max, 0)], .success),
    BadList("segment too short", last(16), [block(page, 4000)], .dataSGLLengthInvalid),
    BadList("segment too long", last(32), [block(), block(page, 1)], .dataSGLLengthInvalid),
    BadList("last segment of length 0", last(0), .invalidSGLSegmentDescriptor),
    BadList("segment of length 0", segment(0), .invalidSGLSegmentDescriptor),
    BadList("segment of 8 bytes", last(8), [block()], .invalidSGLSegmentDescriptor),
    BadList("segment of 24 bytes", last(24), [block()], .invalidSGLSegmentDescriptor),
    BadList("last segment of subtype 1", last(16, subtype: 1), [block()], .sglDescriptorTypeInvalid),
    BadList("segment not mapped", last(16, 0x1000), .dataTransferError),
    BadList("segment at the end of the address space", last(32, UInt64.max - 15), .dataTransferError),
    BadList("segment over the end of the address space", last(16, UInt64.max), .dataTransferError),
    BadList("segment over the end of memory", last(32, 0x1_007f_fff0), .dataTransferError),
    BadList("the last segment has a segment", last(32), [block(), segment(16)], .invalidSGLSegmentDescriptor),
    BadList("the last segment has a last segment", last(32), [block(), last(16)], .invalidSGLSegmentDescriptor),
    BadList("a segment in the middle", segment(32), [last(16), block()], .invalidSGLSegmentDescriptor),
    BadList("a segment that ends in data", segment(16), [block()], .invalidSGLSegmentDescriptor),
    BadList(
      "a keyed block in a segment", last(16),
      [SGLDescriptor(type: .keyedDataBlock, address: page, length: 4096)], .sglDescriptorTypeInvalid),
    BadList("a next segment of length 0", segment(32), [block(), last(0)], .invalidSGLSegmentDescriptor),
    BadList("a next segment of subtype 2", segment(32), [block(), last(16, subtype: 2)], .sglDescriptorTypeInvalid),
    BadList(
      "a segment that points to itself", segment(32), [block(page, 0), segment(32)],
      .invalidNumberOfSGLDescriptors),
    BadList("a segment of itself alone", segment(16), [segment(16)], .invalidNumberOfSGLDescriptors),
    BadList("a segment of 4 GiB", last(0xffff_fff0), [block()], .invalidNumberOfSGLDescriptors),
  ]

  @Test(arguments: media, badLists) func badSGLs(_ medium: Medium, _ bad: BadList) throws {
    let (namespace, image) = try medium.namespace(blocks: 1024)
    defer { withExtendedLifetime(image) {} }
    let host = try Host([namespace])
    try host.createQueuePair()
    _ = host.ram.descriptors(bad.segment, at: DataTransferTests.list)
    for opcode: NVMOpcode in [.write, .read] {
      let command = SubmissionQueueEntry.transfer(opcode, slba: 0, blocks: 8, sgl: bad.first)
      #expect(try host.io(command).status == bad.status, "\(opcode)")
      // PSDT 10b differs in where metadata is, which there is none of.
      #expect(try host.io(command.with { $0.dataTransferType = 2 }).status == bad.status, "\(opcode)")
    }
  }

  /// A segment across a page boundary, in pages that lie apart.
  @Test func segmentAcrossPages() throws {
    let host = try Host([try .memory()], ram: try GuestRAM(isScattered: true))
    try host.createQueuePair()
    let data = host.ram.allocate(pages: 8)
    let place = host.ram.allocate(pages: 2) + 4096 - 24
    _ = host.ram.descriptors((0..<8).map { DataTransferTests.block(data + $0 * 4096, 512) }, at: place)
    for page in 0..<UInt64(8) { host.ram.fill(data + page * 4096, 512, UInt8(page + 1)) }
    let sgl = DataTransferTests.last(128, place)
    #expect(try host.io(.transfer(.write, slba: 0, blocks: 8, sgl: sgl)).status == .success)
    let target = host.ram.allocate()
    #expect(try host.io(.transfer(.read, slba: 0, blocks: 8, target)).status == .success)
    #expect(host.ram.bytes(target, 4096) == (0..<8).flatMap { [UInt8](repeating: $0 + 1, count: 512) })
  }

  /// More pieces than a request has room for.
  @Test(arguments: media) func tooManyPieces(_ medium: Medium) throws {
    let (namespace, image) = try medium.namespace(blocks: 1024)
    defer { withExtendedLifetime(image) {} }
    let host = try Host([namespace])
    try host.createQueuePair()
    let data = host.ram.allocate(pages: 128)
    let place = host.ram.allocate(bytes: 1024 * 16)
    // Every second 64 bytes, so that no two are one.
    _ = host.ram.descriptors((0..<1024).map { DataTransferTests.block(data + $0 * 128, 64) }, at: place)
    let sgl = DataTransferTests.last(1024 * 16, place)
    let command = SubmissionQueueEntry.transfer(.write, slba: 0, blocks: 128, sgl: sgl)
    #expect(try host.io(command).status == .invalidNumberOfSGLDescriptors)
    let few = DataTransferTests.last(256 * 16, place)
    #expect(try host.io(.transfer(.write, slba: 0, blocks: 32, sgl: few)).status == .success)
  }
}
