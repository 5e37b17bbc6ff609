import NVMeController
import NVMeSpec
import Storage
import Testing

/// Get Log Page: `Controller+LogPages.swift`.
@Suite struct ControllerLogPagesTests {
  private static let pageSizes: [(identifier: UInt8, size: Int)] = [
    (0, 1024), (1, 4096), (2, 512), (3, 512), (4, 4096), (5, 4096),
  ]

  private static func host() throws -> Host { try Host([try .memory()]) { $0.namespaceLimit = 2 } }

  /// The first `count` bytes of a page.
  private static func page(_ host: Host, _ identifier: UInt8, _ count: Int, offset: UInt64 = 0) throws -> [UInt8] {
    let data = host.ram.allocate(pages: 2)
    host.ram.fill(data, 2 * 4096, 0x55)
    let command = SubmissionQueueEntry.getLogPage(identifier, bytes: count, offset: offset, to: data, data + 4096)
    try #require(try host.admin(command).status == .success)
    #expect(host.ram.bytes(data + UInt64(count), 8192 - count).allSatisfy { $0 == 0x55 }, "no more than was asked for")
    return host.ram.bytes(data, count)
  }

  // MARK: Which pages, and which part

  @Test func unknownPages() throws {
    let host = try ControllerLogPagesTests.host()
    let data = host.ram.allocate()
    for identifier in UInt8(6)...UInt8.max {
      let command = SubmissionQueueEntry.getLogPage(identifier, bytes: 512, to: data)
      #expect(try host.admin(command).status == .invalidLogPage, "LID \(identifier)")
    }
  }

  @Test func supportedPages() throws {
    let host = try ControllerLogPagesTests.host()
    let bytes = try ControllerLogPagesTests.page(host, 0, 1024)
    #expect(bytes == (0..<256).flatMap { [$0 < 6 ? 1 : 0, 0, 0, 0] as [UInt8] })
  }

  /// Any part of a page is what the whole page has there; behind its end there is nothing.
  @Test(arguments: [0, 3, 5] as [UInt8]) func parts(_ identifier: UInt8) throws {
    let host = try ControllerLogPagesTests.host()
    let size = try #require(ControllerLogPagesTests.pageSizes.first { $0.identifier == identifier }).size
    let whole = try ControllerLogPagesTests.page(host, identifier, size) + [UInt8](repeating: 0, count: 4096)
    for (offset, count) in [(0, 4), (4, 4), (8, 64), (size - 4, 4), (size - 4, 256), (size, 4), (size - 64, 1024)] {
      let part = try ControllerLogPagesTests.page(host, identifier, count, offset: UInt64(offset))
      #expect(part == Array(whole[offset..<(offset + count)]), "\(count) from \(offset)")
    }
  }

  @Test(arguments: pageSizes) func offsets(identifier: UInt8, size: Int) throws {
    let host = try ControllerLogPagesTests.host()
    let data = host.ram.allocate()
    for (offset, status): (UInt64, Status) in [
      (UInt64(size), .success), (UInt64(size) + 4, .invalidField), (1, .invalidField), (2, .invalidField),
      (UInt64.max - 3, .invalidField), (1 << 63, .invalidField), (1 << 32, .invalidField),
    ] {
      let command = SubmissionQueueEntry.getLogPage(identifier, bytes: 4, offset: offset, to: data)
      #expect(try host.admin(command).status == status, "LPO \(offset)")
    }
  }

  /// The offset as an index (OT) is not supported.
  @Test func offsetType() throws {
    let host = try ControllerLogPagesTests.host()
    let command = SubmissionQueueEntry.getLogPage(1, bytes: 64, to: host.ram.allocate())
    #expect(try host.admin(command.with { $0.cdw14 |= 1 << 23 }).status == .invalidField)
  }

  /// Up to MDTS; zeros behind the end of the page.
  @Test func lengths() throws {
    let host = try ControllerLogPagesTests.host()
    let data = host.ram.allocate(bytes: 128 << 10)
    host.ram.fill(data, 128 << 10, 0x55)
    let (prp1, prp2) = host.ram.prps(for: data, count: 128 << 10)
    let longest = SubmissionQueueEntry.getLogPage(3, bytes: 128 << 10, to: prp1, prp2)
    #expect(try host.admin(longest).status == .success)
    #expect(host.ram.bytes(data, 512) == (try ControllerLogPagesTests.page(host, 3, 512)))
    #expect(host.ram.bytes(data + 512, (128 << 10) - 512).allSatisfy { $0 == 0 })
    let tooLong = SubmissionQueueEntry.getLogPage(3, bytes: (128 << 10) + 4, to: prp1, prp2)
    #expect(try host.admin(tooLong).status == .invalidField)
    var command = GetLogPageCommand(tooLong)
    command.numberOfDwords = 1 << 32
    #expect(try host.admin(command.entry).status == .invalidField)
  }

  @Test func dataPointers() throws {
    let host = try ControllerLogPagesTests.host()
    let data = host.ram.allocate()
    #expect(try host.admin(.getLogPage(2, bytes: 512, to: 0x1000)).status == .dataTransferError)
    #expect(try host.admin(.getLogPage(2, bytes: 512, to: data + 1)).status == .invalidPRPOffset)
    #expect(try host.admin(.getLogPage(2, bytes: 512, to: data + 3840, 0x1000)).status == .dataTransferError)
    #expect(try host.admin(.getLogPage(2, bytes: 512, to: data + 3840, data + 4)).status == .invalidPRPOffset)
  }

  // MARK: Error Information

  @Test func errors() throws {
    let host = try ControllerLogPagesTests.host()
    let empty = try ControllerLogPagesTests.page(host, 1, 4096)
    #expect(empty.allSatisfy { $0 == 0 })
    try host.createQueuePair(1)
    try host.createQueuePair(3)
    let data = host.ram.allocate()
    let first = try host.io(.transfer(.read, slba: 0x1_2345_6789, blocks: 1, data), queue: 3)
    #expect(first.status == .lbaOutOfRange)
    let second = try host.admin(.identify(0xff, nsid: 2, to: data))
    #expect(second.status == .invalidField)
    let third = try host.io(.transfer(.write, nsid: 9, slba: 1, blocks: 1, data), queue: 1)
    let entries = ErrorInformationLogEntry.decode(try ControllerLogPagesTests.page(host, 1, 4096))
    #expect(entries.count == 3)
    let expected: [(UInt64, UInt16, CompletionQueueEntry, UInt64, UInt32)] = [
      (3, 1, third, 1, 9), (2, 0, second, 0, 2), (1, 3, first, 0x1_2345_6789, 1),
    ]
    for (entry, (count, queue, completion, slba, nsid)) in zip(entries, expected) {
      #expect(entry.errorCount == count && entry.submissionQueueIdentifier == queue)
      #expect(entry.commandIdentifier == completion.commandIdentifier && entry.status == completion.status)
      #expect(entry.lba == slba && entry.namespaceIdentifier == nsid && entry.parameterErrorLocation == 0xffff)
    }
  }

  @Test func lastErrors() throws {
    let host = try ControllerLogPagesTests.host()
    for _ in 0..<100 { try host.admin(SubmissionQueueEntry(opcode: 0xff)) }
    let entries = ErrorInformationLogEntry.decode(try ControllerLogPagesTests.page(host, 1, 4096))
    #expect(entries.map(\.errorCount) == (37...100).reversed())
    #expect(entries.allSatisfy { $0.status == .invalidOpcode })
    let health = try #require(SMARTHealthLog(decoding: try ControllerLogPagesTests.page(host, 2, 512)))
    #expect(health.numberOfErrorInformationLogEntries == 100)
  }

  // MARK: SMART / Health

  @Test func health() throws {
    let host = try ControllerLogPagesTests.host()
    let bytes = try ControllerLogPagesTests.page(host, 2, 512)
    #expect(bytes[0] == 0 && bytes[1] == 0x2f && bytes[2] == 0x01, "no warning, 303 K")
    #expect(bytes[3] == 100 && bytes[4] == 10 && bytes[5] == 0, "spare, threshold, used")
    let page = try #require(SMARTHealthLog(decoding: bytes))
    #expect(page.hostReadCommands == 0 && page.hostWriteCommands == 0 && page.powerCycles == 1)
    #expect(page.mediaAndDataIntegrityErrors == 0 && page.numberOfErrorInformationLogEntries == 0)
  }

  /// Data units are thousands of 512 bytes, rounded up.
  @Test(arguments: Medium.all) func healthCountsCommands(_ medium: Medium) throws {
    let (namespace, image) = try medium.namespace(blocks: 2048)
    defer { withExtendedLifetime(image) {} }
    let host = try Host([namespace])
    try host.createQueuePair()
    let size = medium.blockSize.rawValue
    let count = (128 << 10) / size
    let data = host.ram.allocate(bytes: 128 << 10)
    let (prp1, prp2) = host.ram.prps(for: data, count: 128 << 10)
    for _ in 0..<10 {
      #expect(try host.io(.transfer(.write, slba: 0, blocks: count, prp1, prp2)).status == .success)
    }
    for opcode: NVMOpcode in [.read, .compare, .verify] {
      #expect(try host.io(.transfer(opcode, slba: 0, blocks: count, prp1, prp2)).status == .success)
    }
    #expect(try host.io(.transfer(.read, slba: 0, blocks: 1, prp1)).status == .success)
    #expect(try host.io(.writeZeroes(slba: 0, blocks: 8)).status == .success)
    #expect(try host.io(.flush()).status == .success)
    // What fails is not counted.
    #expect(try host.io(.transfer(.read, slba: 2048, blocks: 1, prp1)).status == .lbaOutOfRange)
    #expect(try host.io(.transfer(.write, slba: 0, blocks: 1, 0x1000)).status == .dataTransferError)
    try host.settle()
    let page = try #require(SMARTHealthLog(decoding: try ControllerLogPagesTests.page(host, 2, 512)))
    // Commands that completed, the failed ones among them.
    #expect(page.hostReadCommands == 5)
    #expect(page.hostWriteCommands == 12)
    let units = { (bytes: Int) in UInt128((bytes + 511_999) / 512_000) }
    #expect(page.dataUnitsRead == units(3 * (128 << 10) + size))
    #expect(page.dataUnitsWritten == units(10 * (128 << 10)))
    #expect(page.mediaAndDataIntegrityErrors == 0)
    #expect(page.numberOfErrorInformationLogEntries == 2)
    #expect(host.controller.counters.statistics[.flush].latency.count == 1)
  }

  @Test(
    arguments: [
      (0, .success), (UInt32.max, .success), (1, .invalidField), (2, .invalidField), (3, .invalidNamespace),
    ] as [(UInt32, Status)])
  func healthOfNamespaces(nsid: UInt32, status: Status) throws {
    let host = try ControllerLogPagesTests.host()
    let command = SubmissionQueueEntry.getLogPage(2, nsid: nsid, bytes: 512, to: host.ram.allocate())
    #expect(try host.admin(command).status == status)
  }

  // MARK: The rest

  @Test func firmware() throws {
    let host = try Host { $0.firmwareRevision = "1.2" }
    let bytes = try ControllerLogPagesTests.page(host, 3, 512)
    #expect(bytes[0] == 1 && String(decoding: bytes[8..<16], as: UTF8.self) == "1.2     ")
    #expect(bytes[16...].allSatisfy { $0 == 0 })
  }

  @Test func effects() throws {
    let host = try ControllerLogPagesTests.host()
    let bytes = try ControllerLogPagesTests.page(host, 5, 4096)
    let words = stride(from: 0, to: 4096, by: 4).map { UInt32(bytes[$0]) | UInt32(bytes[$0 + 1]) << 8 }
    let admin = (0..<256).filter { words[$0] != 0 }
    #expect(admin == [0x00, 0x01, 0x02, 0x04, 0x05, 0x06, 0x08, 0x09, 0x0a, 0x0c])
    #expect(admin.allSatisfy { words[$0] == 1 })
    let io = (0..<256).filter { words[256 + $0] != 0 }.map { [$0, Int(words[256 + $0])] }
    #expect(io == [[0x00, 1], [0x01, 3], [0x02, 1], [0x05, 1], [0x08, 3], [0x09, 3], [0x0c, 1]])
  }

  /// The log says what is supported, and nothing else: every opcode is tried.
  @Test func effectsAreTrue() throws {
    let host = try ControllerLogPagesTests.host()
    try host.createQueuePair()
    let bytes = try ControllerLogPagesTests.page(host, 5, 4096)
    let data = host.ram.allocate()
    for opcode in UInt8.min...UInt8.max {
      let isAdmin = bytes[Int(opcode) * 4] & 1 != 0
      // A request for an event would wait.
      if opcode != 0x0c {
        let status = try host.admin(SubmissionQueueEntry(opcode: opcode).with { $0.prp1 = data }).status
        #expect((status != .invalidOpcode) == isAdmin, "admin opcode \(opcode)")
      }
      let isIO = bytes[1024 + Int(opcode) * 4] & 1 != 0
      let status = try host.io(SubmissionQueueEntry(opcode: opcode, nsid: 1).with { $0.prp1 = data }).status
      #expect((status != .invalidOpcode) == isIO, "opcode \(opcode)")
    }
  }

  @Test func changedNamespaces() throws {
    let host = try Host([try .memory()])
    #expect(try ControllerLogPagesTests.page(host, 4, 4096).allSatisfy { $0 == 0 })
    try host.setNamespace(5, .memory())
    try host.setNamespace(2, .memory())
    try host.setNamespace(5, nil)
    let data = host.ram.allocate()
    // Retain Asynchronous Event: the list stays.
    #expect(try host.admin(.getLogPage(4, bytes: 4096, retain: true, to: data)).status == .success)
    let list = ChangedNamespaceListLog([2, 5]).encode()
    #expect(host.ram.bytes(data, 4096) == list)
    #expect(try ControllerLogPagesTests.page(host, 4, 4096) == list)
    #expect(try ControllerLogPagesTests.page(host, 4, 4096).allSatisfy { $0 == 0 }, "read and forgotten")
  }
}
