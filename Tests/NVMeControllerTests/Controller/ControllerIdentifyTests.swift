import NVMeController
import NVMeSpec
import Storage
import Testing

/// Identify: `Controller+Identify.swift`.
@Suite struct ControllerIdentifyTests {
  private static let all = UInt32.max

  /// Namespaces 1 (512 bytes) and 3 (4,096 bytes, read-only); 2 is inactive, 4 is the last that there may be.
  private static func host() throws -> Host {
    let host = try Host(
      [try .memory(1 << 20), try .memory(), try .memory(4 << 20, .bytes4096, isReadOnly: true)]
    ) {
      $0.namespaceLimit = 4
      $0.serialNumber = "SERIAL"
      $0.modelNumber = "A model"
      $0.firmwareRevision = "1.2"
      $0.vendorIdentifier = 0x1234
      $0.subsystemVendorIdentifier = 0x5678
      $0.controllerIdentifier = 7
    }
    try host.setNamespace(2, nil)
    return host
  }

  /// The data of an Identify command; nil where it fails.
  private static func identify(
    _ host: Host, _ cns: IdentifyCNS, nsid: UInt32 = 0, commandSet: UInt8 = 0
  ) throws -> [UInt8]? {
    let data = host.ram.allocate()
    host.ram.fill(data, 4096, 0x55)
    let status = try host.admin(.identify(cns.rawValue, nsid: nsid, commandSet: commandSet, to: data)).status
    guard status == .success else {
      #expect(host.ram.bytes(data, 4096) == [UInt8](repeating: 0x55, count: 4096), "nothing is transferred")
      return nil
    }
    return host.ram.bytes(data, 4096)
  }

  @Test(
    arguments: [
      (0x00, 1, 0, .success), (0x00, 2, 0, .success), (0x00, 4, 0, .success), (0x00, 0, 0, .invalidNamespace),
      (0x00, 5, 0, .invalidNamespace), (0x00, all, 0, .invalidNamespace), (0x00, all - 1, 0, .invalidNamespace),
      (0x01, 0, 0, .success), (0x01, 1, 0, .success), (0x01, all, 0, .success),
      (0x02, 0, 0, .success), (0x02, 4, 0, .success), (0x02, 1000, 0, .success), (0x02, 0xffff_fffd, 0, .success),
      (0x02, 0xffff_fffe, 0, .invalidNamespace), (0x02, all, 0, .invalidNamespace),
      (0x03, 1, 0, .success), (0x03, 2, 0, .invalidField), (0x03, 0, 0, .invalidNamespace),
      (0x03, 5, 0, .invalidNamespace), (0x03, all, 0, .invalidNamespace),
      (0x05, 1, 0, .success), (0x05, 2, 0, .success), (0x05, 0, 0, .invalidNamespace), (0x05, 5, 0, .invalidNamespace),
      (0x05, 1, 1, .invalidField), (0x05, 1, 2, .invalidField),
      (0x06, 0, 0, .success), (0x06, 0, 1, .invalidField), (0x06, 0, 0xff, .invalidField),
      (0x07, 0, 0, .success), (0x07, 0, 2, .invalidField), (0x07, all, 0, .invalidNamespace),
      (0x08, 1, 0, .success), (0x08, 2, 0, .success), (0x08, 0, 0, .invalidNamespace), (0x08, 5, 0, .invalidNamespace),
      (0x1c, 0, 0, .success),
    ] as [(UInt8, UInt32, UInt8, Status)])
  func status(cns: UInt8, nsid: UInt32, commandSet: UInt8, status: Status) throws {
    let host = try ControllerIdentifyTests.host()
    let entry = try host.admin(.identify(cns, nsid: nsid, commandSet: commandSet, to: host.ram.allocate()))
    #expect(entry.status == status && entry.dw0 == 0 && entry.dw1 == 0)
  }

  @Test func unknownCNS() throws {
    let host = try ControllerIdentifyTests.host()
    let known: Set<UInt8> = [0x00, 0x01, 0x02, 0x03, 0x05, 0x06, 0x07, 0x08, 0x1c]
    let data = host.ram.allocate()
    for cns in UInt8.min...UInt8.max where !known.contains(cns) {
      #expect(try host.admin(.identify(cns, nsid: 1, to: data)).status == .invalidField, "CNS \(cns)")
    }
  }

  // MARK: Data

  @Test func controller() throws {
    let host = try ControllerIdentifyTests.host()
    let bytes = try #require(try ControllerIdentifyTests.identify(host, .controller))
    #expect(Array(bytes[0..<4]) == [0x34, 0x12, 0x78, 0x56])
    #expect(String(decoding: bytes[4..<24], as: UTF8.self) == "SERIAL              ")
    #expect(String(decoding: bytes[24..<64], as: UTF8.self) == "A model" + String(repeating: " ", count: 33))
    #expect(String(decoding: bytes[64..<72], as: UTF8.self) == "1.2     ")
    #expect(bytes[77] == 5, "MDTS 128 KiB")
    #expect(bytes[78] == 7 && bytes[79] == 0, "CNTLID")
    #expect(Array(bytes[80..<84]) == [0, 4, 1, 0], "VER is VS")
    #expect(bytes[111] == 1, "CNTRLTYPE: an I/O controller")
    #expect(bytes[258] == 3 && bytes[259] == 3, "ACL and AERL")
    #expect(bytes[512] == 0x66 && bytes[513] == 0x44, "SQES and CQES")
    #expect(Array(bytes[516..<520]) == [4, 0, 0, 0], "NN")
    #expect(String(decoding: bytes[768..<795], as: UTF8.self) == "nqn.2026-11.io.nvmed:TEST1\0")
    let data = try #require(IdentifyController(decoding: bytes))
    #expect(data.optionalAsynchronousEventsSupported == .namespaceAttributeNotices)
    #expect(
      data.optionalNVMCommandsSupported
        == [.compare, .datasetManagement, .writeZeroes, .saveAndSelect, .timestamp, .verify])
    #expect(data.volatileWriteCache == [.present, .flushAllSupported])
    #expect(data.sglSupport == [.supported, .bitBucket])
    #expect(data.logPageAttributes == [.commandsSupportedAndEffects, .extendedData, .supportedLogPages])
    #expect(data.errorLogPageEntries == 63)
    // What the data says nothing of: fused operations, metadata, firmware, management of namespaces.
    #expect(Array(bytes[256..<258]) == [0, 0] && Array(bytes[522..<524]) == [0, 0] && bytes[263] == 0)
  }

  @Test(arguments: [(8 << 10, 1), (64 << 10, 4), (128 << 10, 5)]) func transferSize(bytes: Int, value: UInt8) throws {
    let host = try Host { $0.maximumTransfer = bytes }
    let data = host.ram.allocate()
    try host.admin(.identify(1, to: data))
    #expect(host.ram.bytes(data, 78)[77] == value)
    try host.admin(.identify(6, to: data))
    #expect(host.ram.bytes(data, 1)[0] == value, "VSL: Verify reads into a buffer of that size")
  }

  /// One controller of one subsystem, whose namespaces are nobody else's; and what is atomic is one block. Drivers make
  /// other devices, or other guarantees, of anything else.
  @Test func claimsNoMoreThanItKeeps() throws {
    let host = try ControllerIdentifyTests.host()
    let controller = try #require(try ControllerIdentifyTests.identify(host, .controller))
    #expect(controller[76] == 0, "CMIC: no other port, controller or function")
    #expect(controller[526..<530].allSatisfy { $0 == 0 }, "AWUN and AWUPF: one block")
    #expect(controller[532..<534].allSatisfy { $0 == 0 }, "ACWU: no fused compare and write")
    for nsid: UInt32 in [1, 3] {
      let namespace = try #require(try ControllerIdentifyTests.identify(host, .namespace, nsid: nsid))
      #expect(namespace[30] == 0, "NMIC: attached to one controller")
      #expect(namespace[24] & 2 == 0, "NSFEAT: no atomicity of its own")
      #expect(namespace[34..<46].allSatisfy { $0 == 0 }, "NAWUN to NABSPF")
      #expect(namespace[92..<96].allSatisfy { $0 == 0 }, "ANAGRPID")
    }
  }

  @Test func namespace() throws {
    let host = try ControllerIdentifyTests.host()
    let firstBytes = try #require(try ControllerIdentifyTests.identify(host, .namespace, nsid: 1))
    let first = try #require(IdentifyNamespace(decoding: firstBytes))
    #expect(first.size == 2048 && first.capacity == 2048 && first.utilization == 2048 && first.nvmCapacity == 1 << 20)
    #expect(first.numberOfLBAFormats == 0 && first.formattedLBASize == 0 && first.logicalBlockByteCount == 512)
    #expect(first.deallocateFeatures == [.readsZeros, .writeZeroesDeallocate])
    #expect(first.attributes == [])
    #expect(first.nguid == (0..<16).map { 0xa0 + $0 } && first.eui64 == (0..<8).map { 0xe0 + $0 })
    let thirdBytes = try #require(try ControllerIdentifyTests.identify(host, .namespace, nsid: 3))
    let third = try #require(IdentifyNamespace(decoding: thirdBytes))
    #expect(third.size == 1024 && third.nvmCapacity == 4 << 20 && third.logicalBlockByteCount == 4096)
    #expect(third.attributes == .writeProtected)
    for nsid: UInt32 in [2, 4] {
      let bytes = try ControllerIdentifyTests.identify(host, .namespace, nsid: nsid)
      #expect(bytes == [UInt8](repeating: 0, count: 4096), "no namespace at \(nsid)")
    }
  }

  @Test(arguments: [IdentifyCNS.activeNamespaceList, .ioCommandSetSpecificActiveNamespaceList])
  func activeNamespaces(_ cns: IdentifyCNS) throws {
    let host = try ControllerIdentifyTests.host()
    for (after, identifiers): (UInt32, [UInt32]) in [(0, [1, 3]), (1, [3]), (2, [3]), (3, []), (1000, [])] {
      let bytes = try #require(try ControllerIdentifyTests.identify(host, cns, nsid: after))
      #expect(bytes == NamespaceList(identifiers).encode(), "after \(after)")
    }
  }

  @Test func descriptors() throws {
    let host = try ControllerIdentifyTests.host()
    let bytes = try #require(
      try ControllerIdentifyTests.identify(host, .namespaceIdentificationDescriptorList, nsid: 1))
    let expected: [UInt8] =
      [1, 8, 0, 0] + (0..<8).map { 0xe0 + $0 } + [2, 16, 0, 0] + (0..<16).map { 0xa0 + $0 } + [3, 16, 0, 0]
      + (0..<16).map { 0xc0 + $0 } + [4, 1, 0, 0, 0]
    #expect(Array(bytes.prefix(expected.count)) == expected)
    #expect(bytes.dropFirst(expected.count).allSatisfy { $0 == 0 })
  }

  /// Identifiers of zeros are none.
  @Test func descriptorsOfWhatThereIs() throws {
    let backend = try BlockBackend(memory: 1 << 20)
    let zeros = [UInt8](repeating: 0, count: 16)
    let host = try Host([
      Namespace(
        backend: backend, nguid: zeros, uuid: (0..<16).map { 1 + $0 }, eui64: Array(zeros.prefix(8)), discards: false)
    ])
    let bytes = try #require(
      try ControllerIdentifyTests.identify(host, .namespaceIdentificationDescriptorList, nsid: 1))
    #expect(Array(bytes.prefix(26)) == [3, 16, 0, 0] + (0..<16).map { 1 + $0 } + [4, 1, 0, 0, 0, 0])
  }

  @Test func commandSetData() throws {
    let host = try ControllerIdentifyTests.host()
    let zeros = [UInt8](repeating: 0, count: 4096)
    for nsid: UInt32 in 1...4 {
      #expect(try ControllerIdentifyTests.identify(host, .ioCommandSetSpecificNamespace, nsid: nsid) == zeros)
    }
    let independent = try #require(
      try ControllerIdentifyTests.identify(host, .ioCommandSetIndependentNamespace, nsid: 1))
    #expect(independent[14] == 1 && independent[8] == 0, "NSTAT ready, writable")
    let readOnly = try #require(
      try ControllerIdentifyTests.identify(host, .ioCommandSetIndependentNamespace, nsid: 3))
    #expect(readOnly[14] == 1 && readOnly[8] == 1, "NSTAT ready, write protected")
    #expect(try ControllerIdentifyTests.identify(host, .ioCommandSetIndependentNamespace, nsid: 2) == zeros)
    let sets = try #require(try ControllerIdentifyTests.identify(host, .ioCommandSet))
    #expect(sets[0] == 1 && sets.dropFirst().allSatisfy { $0 == 0 }, "one combination: the NVM command set")
  }

  // MARK: Where the data goes

  @Test func dataInTwoPages() throws {
    let host = try ControllerIdentifyTests.host()
    let whole = try #require(try ControllerIdentifyTests.identify(host, .controller))
    let pages = host.ram.allocate(pages: 4)
    host.ram.fill(pages, 4 * 4096, 0x55)
    // The second page of the two is not the one behind the first.
    let entry = try host.admin(.identify(1, to: pages + 1024, pages + 3 * 4096))
    #expect(entry.status == .success)
    #expect(host.ram.bytes(pages + 1024, 3072) == Array(whole.prefix(3072)))
    #expect(host.ram.bytes(pages + 3 * 4096, 1024) == Array(whole.suffix(1024)))
    #expect(host.ram.bytes(pages, 1024).allSatisfy { $0 == 0x55 })
    #expect(host.ram.bytes(pages + 4096, 2 * 4096).allSatisfy { $0 == 0x55 })
    #expect(host.ram.bytes(pages + 3 * 4096 + 1024, 3072).allSatisfy { $0 == 0x55 })
  }

  @Test(
    arguments: [
      (0x1_0070_0001, 0, .invalidPRPOffset), (0x1_0070_0002, 0, .invalidPRPOffset),
      (0x1_0070_0004, 0x1_0071_0000, .success), (0x1_0070_0004, 0x1_0071_0004, .invalidPRPOffset),
      (0x1_0070_0ffc, 0x1_0071_0800, .invalidPRPOffset), (0x1000, 0, .dataTransferError), (0, 0, .dataTransferError),
      (0x1_0070_0004, 0x1000, .dataTransferError), (0x1_0080_0000, 0, .dataTransferError),
      (0xffff_ffff_ffff_f000, 0, .dataTransferError), (0xffff_ffff_ffff_fffc, 0x1_0071_0000, .dataTransferError),
      (0x1_0070_0004, 0xffff_ffff_ffff_f000, .dataTransferError),
    ] as [(UInt64, UInt64, Status)])
  func dataPointers(prp1: UInt64, prp2: UInt64, status: Status) throws {
    let host = try ControllerIdentifyTests.host()
    #expect(try host.admin(.identify(1, to: prp1, prp2)).status == status)
  }

  @Test func dataInReadOnlyMemory() throws {
    let host = try ControllerIdentifyTests.host()
    let other = try GuestRAM(base: 0x2_0000_0000, megabytes: 1)
    let view = try other.view()
    try host.map([view.region(pages: 0..<256, access: .read)])
    #expect(try host.admin(.identify(1, to: other.base)).status == .dataTransferError)
    try host.unmap(view.region(pages: 0..<256))
  }
}
