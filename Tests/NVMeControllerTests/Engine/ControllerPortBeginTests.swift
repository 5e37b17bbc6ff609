import NVMeController
import NVMeSpec
import Storage
import Testing

/// The I/O commands and their checks: `ControllerPort+Begin.swift`.
@Suite struct ControllerPortBeginTests {
  private static let transfers: [NVMOpcode] = [.read, .write, .compare, .verify, .writeZeroes]
  private static let commands: [NVMOpcode] = transfers + [.flush, .datasetManagement]

  /// A command that would succeed on the first blocks of any namespace.
  private static func command(_ opcode: NVMOpcode, nsid: UInt32 = 1, _ data: UInt64) -> SubmissionQueueEntry {
    switch opcode {
    case .flush: .flush(nsid: nsid)
    case .datasetManagement: .datasetManagement(nsid: nsid, ranges: 1, data)
    default: .transfer(opcode, nsid: nsid, slba: 0, blocks: 1, data)
    }
  }

  // MARK: Checks that come first

  @Test func unknownOpcodes() throws {
    let host = try Host([try .memory()])
    try host.createQueuePair()
    let known = Set(ControllerPortBeginTests.commands.map(\.rawValue))
    for opcode in UInt8.min...UInt8.max where !known.contains(opcode) {
      // Whatever else is wrong.
      for nsid: UInt32 in [1, 0, UInt32.max] {
        #expect(try host.io(SubmissionQueueEntry(opcode: opcode, nsid: nsid)).status == .invalidOpcode)
      }
    }
  }

  @Test(arguments: commands) func fusedAndReservedTransferType(_ opcode: NVMOpcode) throws {
    let host = try Host([try .memory()])
    try host.createQueuePair()
    let command = ControllerPortBeginTests.command(opcode, host.ram.allocate())
    for bits: UInt32 in [0x0100, 0x0200, 0x0300, 0xc000] {
      #expect(try host.io(command.with { $0.cdw0 |= bits }).status == .invalidField)
    }
    #expect(try host.io(command).status == .success)
  }

  /// Namespaces 1 and 3 of 4 exist.
  @Test(
    arguments: commands,
    [
      (1, .success), (2, .invalidField), (3, .success), (4, .invalidField), (0, .invalidNamespace),
      (5, .invalidNamespace), (UInt32.max - 1, .invalidNamespace), (UInt32.max, .invalidNamespace),
    ] as [(UInt32, Status)])
  func namespaces(_ opcode: NVMOpcode, _ expected: (nsid: UInt32, status: Status)) throws {
    let host = try Host([try .memory(), try .memory(), try .memory()]) { $0.namespaceLimit = 4 }
    try host.setNamespace(2, nil)
    try host.createQueuePair()
    let command = ControllerPortBeginTests.command(opcode, nsid: expected.nsid, host.ram.allocate())
    // Flush means all namespaces by FFFFFFFFh (VWC bits 2:1 are 11b).
    let isFlushOfAll = opcode == .flush && expected.nsid == UInt32.max
    #expect(try host.io(command).status == (isFlushOfAll ? .success : expected.status))
  }

  // MARK: Ranges

  @Test(arguments: Medium.all) func ranges(_ medium: Medium) throws {
    let (namespace, image) = try medium.namespace(blocks: 100)
    defer { withExtendedLifetime(image) {} }
    let host = try Host([namespace])
    try host.createQueuePair()
    let data = host.ram.allocate(bytes: 2 * medium.blockSize.rawValue)
    let (prp1, prp2) = host.ram.prps(for: data, count: 2 * medium.blockSize.rawValue)
    for opcode in ControllerPortBeginTests.transfers {
      for (slba, blocks, status): (UInt64, Int, Status) in [
        (0, 1, .success), (99, 1, .success), (98, 2, .success), (99, 2, .lbaOutOfRange), (100, 1, .lbaOutOfRange),
        (101, 1, .lbaOutOfRange), (UInt64.max, 1, .lbaOutOfRange), (UInt64.max, 2, .lbaOutOfRange),
        (UInt64.max - 1, 2, .lbaOutOfRange), (1 << 55, 1, .lbaOutOfRange), (1 << 52, 1, .lbaOutOfRange),
        (1 << 63, 1, .lbaOutOfRange), (1 << 32, 1, .lbaOutOfRange),
      ] {
        let entry = try host.io(.transfer(opcode, slba: slba, blocks: blocks, prp1, prp2))
        #expect(entry.status == status, "\(opcode) of \(blocks) at \(slba)")
      }
    }
  }

  /// MDTS bounds what is transferred, and VSL what is verified; Write Zeroes has no data.
  @Test(arguments: Medium.all) func transferSizes(_ medium: Medium) throws {
    let blocks = (1 << 20) / medium.blockSize.rawValue
    let (namespace, image) = try medium.namespace(blocks: blocks)
    defer { withExtendedLifetime(image) {} }
    let host = try Host([namespace]) { $0.maximumTransfer = 64 << 10 }
    try host.createQueuePair()
    let data = host.ram.allocate(bytes: 128 << 10)
    let most = (64 << 10) / medium.blockSize.rawValue
    let (prp1, prp2) = host.ram.prps(for: data, count: 128 << 10)
    for opcode in ControllerPortBeginTests.transfers {
      let isBound = opcode != .writeZeroes
      #expect(try host.io(.transfer(opcode, slba: 0, blocks: most, prp1, prp2)).status == .success, "\(opcode)")
      for count in [most + 1, 2 * most, blocks] {
        let status = try host.io(.transfer(opcode, slba: 0, blocks: count, prp1, prp2)).status
        #expect(status == (isBound ? .invalidField : .success), "\(opcode) of \(count)")
      }
      // The transfer is too large before the range is wrong.
      let status = try host.io(.transfer(opcode, slba: 0, blocks: 65_536, prp1, prp2)).status
      #expect(status == (isBound ? .invalidField : .lbaOutOfRange), "\(opcode) of 65,536")
    }
  }

  // MARK: Data

  @Test(arguments: Medium.keeping) func writeAndRead(_ medium: Medium) throws {
    let (namespace, image) = try medium.namespace(blocks: 1024)
    let host = try Host([namespace])
    try host.createQueuePair()
    let size = medium.blockSize.rawValue
    var generator = SeededGenerator(seed: 1)
    let data = host.ram.allocate(bytes: 32 * size)
    for (slba, blocks) in [(0, 1), (1, 1), (7, 3), (100, 32), (1023, 1), (992, 32)] {
      let count = blocks * size
      let content = generator.bytes(count)
      let (prp1, prp2) = host.ram.prps(for: data, count: count)
      host.ram.write(content, at: data)
      #expect(try host.io(.transfer(.write, slba: UInt64(slba), blocks: blocks, prp1, prp2)).status == .success)
      if let image { #expect(image.bytes(slba * size, count) == content) }
      host.ram.fill(data, 32 * size, 0x55)
      #expect(try host.io(.transfer(.read, slba: UInt64(slba), blocks: blocks, prp1, prp2)).status == .success)
      #expect(host.ram.bytes(data, count) == content, "\(blocks) at \(slba)")
      #expect(host.ram.bytes(data + UInt64(count), 32 * size - count).allSatisfy { $0 == 0x55 })
    }
  }

  /// Nothing is written but what was asked for.
  @Test(arguments: Medium.keeping) func neighbours(_ medium: Medium) throws {
    let (namespace, image) = try medium.namespace(blocks: 16)
    defer { withExtendedLifetime(image) {} }
    let host = try Host([namespace])
    try host.createQueuePair()
    let size = medium.blockSize.rawValue
    let data = host.ram.allocate(bytes: 16 * size)
    let (prp1, prp2) = host.ram.prps(for: data, count: 16 * size)
    host.ram.fill(data, 16 * size, 0x11)
    #expect(try host.io(.transfer(.write, slba: 0, blocks: 16, prp1, prp2)).status == .success)
    host.ram.fill(data, 16 * size, 0x22)
    let (prp3, prp4) = host.ram.prps(for: data, count: 2 * size)
    #expect(try host.io(.transfer(.write, slba: 5, blocks: 2, prp3, prp4)).status == .success)
    #expect(try host.io(.writeZeroes(slba: 9, blocks: 3)).status == .success)
    #expect(try host.io(.transfer(.read, slba: 0, blocks: 16, prp1, prp2)).status == .success)
    let blocks = (0..<16).map { host.ram.bytes(data + UInt64($0 * size), size) }
    for (index, block) in blocks.enumerated() {
      let byte: UInt8 = (5..<7).contains(index) ? 0x22 : (9..<12).contains(index) ? 0 : 0x11
      #expect(block.allSatisfy { $0 == byte }, "block \(index)")
    }
  }

  /// The null backend moves no data.
  @Test(arguments: LogicalBlockSize.allCases) func nullBackend(_ blockSize: LogicalBlockSize) throws {
    let host = try Host([try .null(1 << 30, blockSize)])
    try host.createQueuePair()
    let data = host.ram.allocate()
    host.ram.fill(data, 4096, 0x5a)
    for opcode in ControllerPortBeginTests.commands where opcode != .datasetManagement {
      #expect(try host.io(ControllerPortBeginTests.command(opcode, data)).status == .success, "\(opcode)")
    }
    #expect(host.ram.bytes(data, 4096).allSatisfy { $0 == 0x5a })
    #expect(
      try host.io(.transfer(.read, slba: (1 << 30) / UInt64(blockSize.rawValue), blocks: 1, data)).status
        == .lbaOutOfRange)
  }

  @Test(arguments: Medium.keeping) func compare(_ medium: Medium) throws {
    let (namespace, image) = try medium.namespace(blocks: 64)
    defer { withExtendedLifetime(image) {} }
    let host = try Host([namespace])
    try host.createQueuePair()
    let count = 8 * medium.blockSize.rawValue
    let data = host.ram.allocate(bytes: count)
    let (prp1, prp2) = host.ram.prps(for: data, count: count)
    let content = {
      var generator = SeededGenerator(seed: 2); return generator.bytes(count)
    }()
    host.ram.write(content, at: data)
    #expect(try host.io(.transfer(.write, slba: 3, blocks: 8, prp1, prp2)).status == .success)
    #expect(try host.io(.transfer(.compare, slba: 3, blocks: 8, prp1, prp2)).status == .success)
    // One bit anywhere.
    for place in [0, 1, 4095, 4096, count - 1] where place < count {
      host.ram.write([content[place] ^ 0x10], at: data + UInt64(place))
      let status = try host.io(.transfer(.compare, slba: 3, blocks: 8, prp1, prp2)).status
      #expect(status == .compareFailure && status.doNotRetry, "byte \(place)")
      host.ram.write([content[place]], at: data + UInt64(place))
    }
    #expect(try host.io(.transfer(.compare, slba: 4, blocks: 8, prp1, prp2)).status == .compareFailure)
    #expect(host.ram.bytes(data, count) == content, "guest memory is only read")
  }

  @Test(arguments: Medium.all) func commandsWithoutData(_ medium: Medium) throws {
    let (namespace, image) = try medium.namespace(blocks: 64)
    defer { withExtendedLifetime(image) {} }
    let host = try Host([namespace])
    try host.createQueuePair()
    for command: SubmissionQueueEntry in [
      .flush(), .flush(nsid: UInt32.max), .transfer(.verify, slba: 0, blocks: 16), .writeZeroes(slba: 0, blocks: 64),
      .writeZeroes(slba: 0, blocks: 64, deallocate: true),
      .writeZeroes(slba: 8, blocks: 1).with { $0.forceUnitAccess = true },
    ] {
      // The data pointer means nothing, whatever is in it.
      let entry = try host.io(command.with { ($0.prp1, $0.prp2) = (0x1, UInt64.max) })
      #expect(entry.status == .success && entry.dw0 == 0 && entry.dw1 == 0)
    }
  }

  @Test(arguments: Medium.keeping) func forceUnitAccess(_ medium: Medium) throws {
    let (namespace, image) = try medium.namespace(blocks: 64)
    let host = try Host([namespace])
    try host.createQueuePair()
    let size = medium.blockSize.rawValue
    let data = host.ram.allocate(bytes: size)
    host.ram.fill(data, size, 0x77)
    // Limited Retry is only a hint.
    for bit: UInt32 in [1 << 30, 1 << 31, 3 << 30] {
      for opcode: NVMOpcode in [.write, .read] {
        let command = SubmissionQueueEntry.transfer(opcode, slba: 9, blocks: 1, data).with { $0.cdw12 |= bit }
        #expect(try host.io(command).status == .success)
      }
    }
    if let image { #expect(image.bytes(9 * size, size).allSatisfy { $0 == 0x77 }) }
  }

  // MARK: Read-only

  @Test(arguments: [true, false]) func readOnly(isFile: Bool) throws {
    let image = try TestImage(size: 1 << 20)
    let namespace =
      isFile ? Namespace(try image.backend(isReadOnly: true)) : try .memory(1 << 20, isReadOnly: true)
    let host = try Host([namespace])
    try host.createQueuePair()
    let data = host.ram.allocate()
    for opcode in ControllerPortBeginTests.commands {
      let isWrite = [.write, .writeZeroes, .datasetManagement].contains(opcode)
      let status = try host.io(ControllerPortBeginTests.command(opcode, data)).status
      #expect(status == (isWrite ? .namespaceWriteProtected : .success), "\(opcode)")
    }
    #expect(try host.io(.flush(nsid: UInt32.max)).status == .success)
  }

  // MARK: Several namespaces

  @Test func severalNamespaces() throws {
    let image = try TestImage(size: 1 << 20)
    let host = try Host([
      try .memory(1 << 20), Namespace(try image.backend(blockSize: .bytes4096)), try .memory(1 << 20, .bytes4096),
      try .null(),
    ])
    try host.createQueuePair()
    let data = host.ram.allocate(pages: 2)
    for nsid: UInt32 in 1...4 {
      host.ram.fill(data, 4096, UInt8(nsid))
      let blocks = nsid == 1 || nsid == 4 ? 8 : 1
      #expect(try host.io(.transfer(.write, nsid: nsid, slba: 0, blocks: blocks, data)).status == .success)
    }
    for nsid: UInt32 in 1...3 {
      #expect(try host.io(.transfer(.read, nsid: nsid, slba: 0, blocks: nsid == 1 ? 8 : 1, data)).status == .success)
      #expect(host.ram.bytes(data, 4096).allSatisfy { $0 == UInt8(nsid) }, "namespace \(nsid)")
    }
    #expect(image.bytes(0, 4096).allSatisfy { $0 == 2 })
    #expect(try host.io(.flush(nsid: UInt32.max)).status == .success)
  }

  /// A flush of all namespaces takes one after the other, as one command.
  @Test func flushOfAll() throws {
    let images = try (0..<3).map { _ in try TestImage(size: 1 << 20) }
    let host = try Host(
      [
        try .memory(), Namespace(try images[0].backend()), try .null(), Namespace(try images[1].backend()),
        Namespace(try images[2].backend(isReadOnly: true)),
      ])
    try host.createQueuePair()
    for _ in 0..<10 { #expect(try host.io(.flush(nsid: UInt32.max)).status == .success) }
    try host.settle()
    #expect(host.controller.counters.statistics[.flush].latency.count == 10)
  }

  // MARK: Dataset Management

  private static func write(_ ranges: [DatasetManagementRange], _ host: Host, at data: UInt64) {
    host.ram.write(ranges.flatMap { [UInt64($0.attributes) | UInt64($0.length) << 32, $0.slba] }, at: data)
  }

  @Test(arguments: Medium.keeping) func deallocation(_ medium: Medium) throws {
    let (namespace, image) = try medium.namespace(blocks: 1024)
    let host = try Host([namespace])
    try host.createQueuePair()
    let size = medium.blockSize.rawValue
    let data = host.ram.allocate(bytes: 128 << 10)
    let (prp1, prp2) = host.ram.prps(for: data, count: 128 << 10)
    host.ram.fill(data, 128 << 10, 0x33)
    let count = (128 << 10) / size
    for slba in stride(from: 0, to: 1024, by: count) {
      #expect(try host.io(.transfer(.write, slba: UInt64(slba), blocks: count, prp1, prp2)).status == .success)
    }
    let before = image?.allocated
    let list = host.ram.allocate()
    // Whole pages, whatever the medium; one range of nothing.
    let page = UInt64(4096 / size)
    ControllerPortBeginTests.write(
      [
        DatasetManagementRange(attributes: UInt32.max, length: UInt32(page * 4), slba: page * 2),
        DatasetManagementRange(length: 0, slba: 500), DatasetManagementRange(length: UInt32(page), slba: page * 10),
      ], host, at: list)
    // Without AD it is a hint.
    #expect(try host.io(.datasetManagement(ranges: 3, deallocate: false, list)).status == .success)
    if let image { #expect(image.allocated == before) }
    #expect(try host.io(.datasetManagement(ranges: 3, list)).status == .success)
    if let image, let before { #expect(image.allocated == before - 5 * 4096) }
    for index in 0..<UInt64(16) {
      #expect(try host.io(.transfer(.read, slba: index * page, blocks: Int(page), prp1)).status == .success)
      let isGone = (2..<6).contains(index) || index == 10
      #expect(host.ram.bytes(data, 4096).allSatisfy { $0 == (isGone ? 0 : 0x33) }, "page \(index)")
    }
  }

  @Test func deallocationOff() throws {
    let host = try Host([Namespace(try BlockBackend(memory: 1 << 20), discards: false)])
    try host.createQueuePair()
    let data = host.ram.allocate()
    host.ram.fill(data, 4096, 0x33)
    #expect(try host.io(.transfer(.write, slba: 0, blocks: 8, data)).status == .success)
    let list = host.ram.allocate()
    ControllerPortBeginTests.write([DatasetManagementRange(length: 8, slba: 0)], host, at: list)
    #expect(try host.io(.datasetManagement(ranges: 1, list)).status == .success)
    #expect(try host.io(.transfer(.compare, slba: 0, blocks: 8, data)).status == .success, "nothing has changed")
  }

  @Test(arguments: Medium.all) func deallocationRanges(_ medium: Medium) throws {
    let (namespace, image) = try medium.namespace(blocks: 1024)
    defer { withExtendedLifetime(image) {} }
    let host = try Host([namespace])
    try host.createQueuePair()
    let list = host.ram.allocate(pages: 2)
    for (length, slba, status): (UInt32, UInt64, Status) in [
      (1024, 0, .success), (1, 1023, .success), (0, 1024, .success), (1025, 0, .lbaOutOfRange),
      (1, 1024, .lbaOutOfRange), (2, 1023, .lbaOutOfRange), (UInt32.max, 0, .lbaOutOfRange),
      (1, UInt64.max, .lbaOutOfRange), (UInt32.max, UInt64.max, .lbaOutOfRange), (0, UInt64.max, .lbaOutOfRange),
    ] {
      ControllerPortBeginTests.write(
        [DatasetManagementRange(length: 1, slba: 0), DatasetManagementRange(length: length, slba: slba)], host,
        at: list)
      for deallocate in [true, false] {
        let entry = try host.io(.datasetManagement(ranges: 2, deallocate: deallocate, list))
        #expect(entry.status == status, "\(length) at \(slba)")
      }
    }
    // 256 ranges, and the list across two pages.
    ControllerPortBeginTests.write(
      (0..<256).map { DatasetManagementRange(length: 4, slba: UInt64($0) * 4) }, host, at: list + 2048)
    #expect(try host.io(.datasetManagement(ranges: 256, list + 2048, list + 4096)).status == .success)
    ControllerPortBeginTests.write([DatasetManagementRange(length: 5, slba: 1020)], host, at: list + 2048 + 255 * 16)
    #expect(try host.io(.datasetManagement(ranges: 256, list + 2048, list + 4096)).status == .lbaOutOfRange)
    #expect(try host.io(.datasetManagement(ranges: 255, list + 2048, list + 4096)).status == .success)
    // Where the list is.
    #expect(try host.io(.datasetManagement(ranges: 1, 0x1000)).status == .dataTransferError)
    #expect(try host.io(.datasetManagement(ranges: 1, list + 2)).status == .invalidPRPOffset)
    #expect(try host.io(.datasetManagement(ranges: 256, list + 2048, 0x1000)).status == .dataTransferError)
    #expect(try host.io(.datasetManagement(ranges: 256, list + 2048, list + 4)).status == .invalidPRPOffset)
    let sgl = SGLDescriptor(type: .dataBlock, address: list, length: 16)
    let command = SubmissionQueueEntry.datasetManagement(ranges: 1, 0).with {
      $0.dataTransferType = 1
      $0.sgl = sgl
    }
    ControllerPortBeginTests.write([DatasetManagementRange(length: 1, slba: 0)], host, at: list)
    #expect(try host.io(command).status == .success)
    #expect(try host.io(command.with { $0.cdw10 = 1 }).status == .dataSGLLengthInvalid)
  }

  // MARK: Write Zeroes

  /// Up to 65,536 blocks in one command.
  @Test(arguments: Medium.keeping, [true, false]) func writeZeroes(_ medium: Medium, deallocate: Bool) throws {
    let (namespace, image) = try medium.namespace(blocks: 65_536 + 16)
    let host = try Host([namespace])
    try host.createQueuePair()
    let size = medium.blockSize.rawValue
    let data = host.ram.allocate(bytes: 8 * size)
    let (prp1, prp2) = host.ram.prps(for: data, count: 8 * size)
    host.ram.fill(data, 8 * size, 0x44)
    for slba: UInt64 in [0, 8, 30_000, 65_536, 65_544] {
      #expect(try host.io(.transfer(.write, slba: slba, blocks: 8, prp1, prp2)).status == .success)
    }
    let command = SubmissionQueueEntry.writeZeroes(slba: 8, blocks: 65_536, deallocate: deallocate)
    #expect(try host.io(command).status == .success)
    let zeros = [UInt8](repeating: 0, count: 8 * size)
    for (slba, isZero): (UInt64, Bool) in [(0, false), (8, true), (30_000, true), (65_536, true), (65_544, false)] {
      #expect(try host.io(.transfer(.read, slba: slba, blocks: 8, prp1, prp2)).status == .success)
      #expect((host.ram.bytes(data, 8 * size) == zeros) == isZero, "at \(slba)")
    }
    if let image, deallocate { #expect(image.allocated <= 2 * max(8 * size, 4096), "the space is given back") }
  }
}
