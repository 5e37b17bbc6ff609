import LinuxIO
import Testing

@testable import VFIOUser

/// Whole messages, byte for byte, in both directions.
@Suite struct WireVectorTests {
  struct RequestVector: Sendable, CustomTestStringConvertible {
    let bytes: [UInt8]
    let request: Request
    let id: UInt16
    var noReply = false
    var descriptors = 0
    var testDescription: String { "\(request.command)" }
  }

  static let requests: [RequestVector] = [
    .init(
      bytes: hex(
        """
        02 00 02 00 30 00 00 00 00 00 00 00 00 00 00 00
        20 00 00 00 03 00 00 00 00 00 00 00 00 00 00 00
        00 00 10 00 00 00 00 00 00 00 10 00 00 00 00 00
        """),
      request: .dmaMap(DMAMap(flags: [.read, .write], fileOffset: 0, address: 0x100000, length: 0x100000)), id: 2,
      descriptors: 1),
    .init(
      bytes: hex(
        """
        08 00 08 00 24 00 00 00 00 00 00 00 00 00 00 00
        14 00 00 00 24 00 00 00 02 00 00 00 00 00 00 00
        03 00 00 00
        """),
      request: .deviceSetIRQs(SetIRQs(index: .msix, start: 0, count: 3, action: .trigger, data: .eventFDs(3))), id: 8,
      descriptors: 3),
    .init(
      bytes: hex(
        """
        09 00 08 00 24 00 00 00 00 00 00 00 00 00 00 00
        14 00 00 00 24 00 00 00 02 00 00 00 01 00 00 00
        01 00 00 00
        """),
      request: .deviceSetIRQs(SetIRQs(index: .msix, start: 1, count: 1, action: .trigger, data: .eventFDs(0))), id: 9),
    .init(
      bytes: hex(
        """
        0a 00 08 00 24 00 00 00 00 00 00 00 00 00 00 00
        14 00 00 00 21 00 00 00 02 00 00 00 00 00 00 00
        00 00 00 00
        """),
      request: .deviceSetIRQs(.disable(.msix)), id: 10),
    .init(
      bytes: hex(
        """
        0b 00 0a 00 24 00 00 00 10 00 00 00 00 00 00 00
        08 10 00 00 00 00 00 00 00 00 00 00 04 00 00 00
        05 00 00 00
        """),
      request: .regionWrite(RegionWrite(offset: 0x1008, region: .bar0, data: RegionData(5, count: 4))), id: 11,
      noReply: true),
    .init(
      bytes: hex(
        """
        0c 00 09 00 20 00 00 00 00 00 00 00 00 00 00 00
        1c 00 00 00 00 00 00 00 00 00 00 00 04 00 00 00
        """),
      request: .regionRead(RegionAccess(offset: 0x1c, region: .bar0, count: 4)), id: 12),
    .init(
      bytes: hex(
        """
        0d 00 03 00 28 00 00 00 00 00 00 00 00 00 00 00
        18 00 00 00 02 00 00 00 00 00 00 00 00 00 00 00
        00 00 00 00 00 00 00 00
        """),
      request: .dmaUnmap(.all), id: 13),
    .init(
      bytes: hex(
        """
        0e 00 04 00 20 00 00 00 00 00 00 00 00 00 00 00
        10 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
        """),
      request: .deviceGetInfo, id: 14),
    .init(
      bytes: hex(
        """
        0f 00 05 00 30 00 00 00 00 00 00 00 00 00 00 00
        20 00 00 00 00 00 00 00 07 00 00 00 00 00 00 00
        00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
        """),
      request: .deviceGetRegionInfo(RegionInfoQuery(index: .config)), id: 15),
    .init(
      bytes: hex(
        """
        10 00 06 00 20 00 00 00 00 00 00 00 00 00 00 00
        70 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
        """),
      request: .deviceGetRegionIOFDs(RegionIOFDsQuery(room: 112, index: .bar0)), id: 16),
    .init(
      bytes: hex(
        """
        11 00 07 00 20 00 00 00 00 00 00 00 00 00 00 00
        10 00 00 00 00 00 00 00 02 00 00 00 00 00 00 00
        """),
      request: .deviceGetIRQInfo(.msix), id: 17),
    .init(
      bytes: hex(
        """
        12 00 08 00 27 00 00 00 00 00 00 00 00 00 00 00
        17 00 00 00 22 00 00 00 02 00 00 00 04 00 00 00
        03 00 00 00 01 00 01
        """),
      request: .deviceSetIRQs(
        SetIRQs(index: .msix, start: 4, count: 3, action: .trigger, data: .bools([true, false, true]))), id: 18),
    .init(
      bytes: hex("13 00 0d 00 10 00 00 00 00 00 00 00 00 00 00 00"), request: .deviceReset, id: 19),
    .init(
      bytes: hex(
        """
        14 00 0f 00 48 00 00 00 10 00 00 00 00 00 00 00
        02 00 00 00 00 00 00 00
        00 10 00 00 00 00 00 00 00 00 00 00 04 00 00 00
        02 00 00 00 00 00 00 00
        28 00 00 00 00 00 00 00 00 00 00 00 08 00 00 00
        00 f0 ff ff ff 00 00 00
        """),
      request: .regionWriteMulti([
        RegionWrite(offset: 0x1000, region: .bar0, data: RegionData(2, count: 4)),
        RegionWrite(offset: 0x28, region: .bar0, data: RegionData(0xff_ffff_f000, count: 8)),
      ]), id: 20, noReply: true),
    .init(
      bytes: hex(
        """
        15 00 10 00 20 00 00 00 00 00 00 00 00 00 00 00
        10 00 00 00 02 00 02 00
        02 00 00 00 00 00 00 00
        """),
      request: .deviceFeature(DeviceFeature(.migrationDeviceState, .set, data: [2, 0, 0, 0, 0, 0, 0, 0])), id: 21),
    .init(
      bytes: hex("16 00 11 00 18 00 00 00 00 00 00 00 00 00 00 00 08 10 00 00 00 10 00 00"),
      request: .migrationDataRead(4096), id: 22),
    .init(
      bytes: hex("17 00 12 00 1b 00 00 00 00 00 00 00 00 00 00 00 0b 00 00 00 03 00 00 00 61 62 63"),
      request: .migrationDataWrite([0x61, 0x62, 0x63]), id: 23),
  ]

  @Test(arguments: requests) func aRequestIsWhatItsBytesSay(vector: RequestVector) throws {
    #expect(vector.request.message(id: vector.id, noReply: vector.noReply) == vector.bytes)
    #expect(try decode(vector.bytes, descriptors: vector.descriptors) == vector.request)
    let header = try MessageHeader(decoding: vector.bytes.span)
    #expect(header.messageID == vector.id)
    #expect(header.command == vector.request.command)
    #expect(header.messageSize == vector.bytes.count)
    #expect(header.wantsNoReply == vector.noReply)
    #expect(header.kind == .command)
  }

  @Test func versionReply() throws {
    let bytes = hex(
      """
      01 00 01 00 8f 00 00 00 01 00 00 00 00 00 00 00
      00 00 00 00 7b 22 63 61 70 61 62 69 6c 69 74 69
      65 73 22 3a 7b 22 6d 61 78 5f 6d 73 67 5f 66 64
      73 22 3a 31 36 2c 22 6d 61 78 5f 64 61 74 61 5f
      78 66 65 72 5f 73 69 7a 65 22 3a 31 30 34 38 35
      37 36 2c 22 6d 61 78 5f 64 6d 61 5f 6d 61 70 73
      22 3a 31 36 33 38 34 2c 22 70 67 73 69 7a 65 73
      22 3a 34 30 39 36 2c 22 77 72 69 74 65 5f 6d 75
      6c 74 69 70 6c 65 22 3a 74 72 75 65 7d 7d 00
      """)
    var wire = try Wire(negotiated: false)
    wire.send(VersionMessage(minor: 0, json: Array(qemuJSON.utf8)).message(id: 1))
    #expect(wire.server.receive() == .negotiated)
    #expect(wire.receive(200) == bytes)

    let version = try VersionMessage(decoding: bytes.span.extracting(MessageHeader.size...))
    #expect(version.major == 0 && version.minor == 0)
    #expect(try version.json.map(Capabilities.init(json:)) == .server)
  }

  @Test func doneAndErrorReplies() throws {
    #expect(encode(.done, id: 2, .dmaMap) == hex("02 00 02 00 10 00 00 00 01 00 00 00 00 00 00 00"))
    let error = encode(.error(.invalidArgument), id: 9, .deviceGetRegionInfo)
    #expect(error == hex("09 00 05 00 10 00 00 00 21 00 00 00 16 00 00 00"))
    #expect(encode(.error(.notSupported), id: 0, .deviceReset).suffix(4) == [95, 0, 0, 0])
  }

  static let barInfo = RegionInfo(
    index: .bar0, flags: [.read, .write, .mmap], length: 0x4000,
    areas: [SparseMmapArea(offset: 0x1000, length: 0x1000)])

  @Test func regionInfoReply() throws {
    let bytes = hex(
      """
      05 00 05 00 50 00 00 00 01 00 00 00 00 00 00 00
      40 00 00 00 0f 00 00 00 00 00 00 00 20 00 00 00
      00 40 00 00 00 00 00 00 00 00 00 00 00 00 00 00
      01 00 01 00 00 00 00 00 01 00 00 00 00 00 00 00
      00 10 00 00 00 00 00 00 00 10 00 00 00 00 00 00
      """)
    #expect(encode(.regionInfo(Self.barInfo, room: 64), id: 5, .deviceGetRegionInfo) == bytes)
    #expect(encode(.regionInfo(Self.barInfo, room: 4064), id: 5, .deviceGetRegionInfo) == bytes)
    let (info, needed) = try RegionInfo.decode(bytes.span.extracting(MessageHeader.size...))
    #expect(info == Self.barInfo)
    #expect(needed == 64)
  }

  @Test(arguments: [32, 63] as [UInt32]) func regionInfoReplyWithoutRoom(room: UInt32) throws {
    let reply = Reply.regionInfo(Self.barInfo, room: room)
    let bytes = encode(reply, id: 5, .deviceGetRegionInfo)
    #expect(
      bytes
        == hex(
          """
          05 00 05 00 30 00 00 00 01 00 00 00 00 00 00 00
          40 00 00 00 07 00 00 00 00 00 00 00 00 00 00 00
          00 40 00 00 00 00 00 00 00 00 00 00 00 00 00 00
          """))
    #expect(!reply.takesDescriptors)
    let (info, needed) = try RegionInfo.decode(bytes.span.extracting(MessageHeader.size...))
    #expect(info.areas.isEmpty && info.flags == [.read, .write, .mmap])
    #expect(needed == 64)
  }

  @Test func regionInfoReplyWithoutAreas() {
    let absent = Reply.regionInfo(RegionInfo(index: .vga), room: 32)
    #expect(
      encode(absent, id: 1, .deviceGetRegionInfo)
        == hex(
          """
          01 00 05 00 30 00 00 00 01 00 00 00 00 00 00 00
          20 00 00 00 00 00 00 00 08 00 00 00 00 00 00 00
          00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
          """))
    // A region that can be mapped as a whole has nothing more to say: its descriptor goes at once.
    #expect(Reply.regionInfo(RegionInfo(index: .bar2, flags: .mmap, length: 4096), room: 32).takesDescriptors)
  }

  static let shadows = RegionIOFDs(
    index: .bar0,
    entries: [
      IOFDEntry(
        kind: .shadow, offset: 0x1008, length: 4, descriptorIndex: 0, shadowDescriptorIndex: 1, shadowOffset: 8),
      IOFDEntry(
        kind: .shadow, offset: 0x100c, length: 4, descriptorIndex: 0, shadowDescriptorIndex: 1, shadowOffset: 12),
    ])

  @Test func regionIOFDsReply() throws {
    let bytes = hex(
      """
      07 00 06 00 80 00 00 00 01 00 00 00 00 00 00 00
      70 00 00 00 00 00 00 00 00 00 00 00 02 00 00 00
      08 10 00 00 00 00 00 00 04 00 00 00 00 00 00 00
      00 00 00 00 02 00 00 00 00 00 00 00 01 00 00 00
      08 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
      0c 10 00 00 00 00 00 00 04 00 00 00 00 00 00 00
      00 00 00 00 02 00 00 00 00 00 00 00 01 00 00 00
      0c 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
      """)
    let reply = Reply.regionIOFDs(Self.shadows, room: 112)
    #expect(encode(reply, id: 7, .deviceGetRegionIOFDs) == bytes)
    #expect(reply.takesDescriptors)
    let (fds, needed) = try RegionIOFDs.decode(bytes.span.extracting(MessageHeader.size...))
    #expect(fds == Self.shadows)
    #expect(needed == 112)
  }

  @Test(arguments: [16, 32, 111] as [UInt32]) func regionIOFDsReplyWithoutRoom(room: UInt32) throws {
    let reply = Reply.regionIOFDs(Self.shadows, room: room)
    let bytes = encode(reply, id: 7, .deviceGetRegionIOFDs)
    #expect(
      bytes
        == hex("07 00 06 00 20 00 00 00 01 00 00 00 00 00 00 00 70 00 00 00 00 00 00 00 00 00 00 00 02 00 00 00"))
    #expect(!reply.takesDescriptors)
    let (fds, needed) = try RegionIOFDs.decode(bytes.span.extracting(MessageHeader.size...))
    #expect(fds.entries.isEmpty)
    #expect(needed == 112)
  }

  @Test func anEntryHasEveryFieldAtItsPlace() throws {
    let entry = IOFDEntry(
      kind: .ioeventfd, offset: 0x0102_0304_0506_0708, length: 8, descriptorIndex: 0x1112_1314,
      flags: [.datamatch, .pio], shadowDescriptorIndex: 0x2122_2324, shadowOffset: 0x3132_3334_3536_3738,
      datamatch: 0x4142_4344_4546_4748)
    var bytes: [UInt8] = []
    entry.encode(to: &bytes)
    #expect(
      bytes
        == hex(
          """
          08 07 06 05 04 03 02 01 08 00 00 00 00 00 00 00
          14 13 12 11 00 00 00 00 03 00 00 00 24 23 22 21
          38 37 36 35 34 33 32 31 48 47 46 45 44 43 42 41
          """))
    #expect(try IOFDEntry(decoding: bytes.span, at: 0) == entry)
  }

  @Test func regionReplies() throws {
    let access = RegionAccess(offset: 0x1c, region: .bar0, count: 4)
    #expect(
      encode(.regionRead(access, RegionData(1, count: 4)), id: 12, .regionRead)
        == hex(
          """
          0c 00 09 00 24 00 00 00 01 00 00 00 00 00 00 00
          1c 00 00 00 00 00 00 00 00 00 00 00 04 00 00 00
          01 00 00 00
          """))
    #expect(
      encode(.regionWrite(access), id: 13, .regionWrite)
        == hex("0d 00 0a 00 20 00 00 00 01 00 00 00 00 00 00 00 1c 00 00 00 00 00 00 00 00 00 00 00 04 00 00 00"))
    #expect(
      encode(.regionWriteMulti(200), id: 14, .regionWriteMulti)
        == hex("0e 00 0f 00 18 00 00 00 01 00 00 00 00 00 00 00 c8 00 00 00 00 00 00 00"))
  }

  @Test func otherReplies() throws {
    #expect(
      encode(.deviceInfo(DeviceInfo()), id: 3, .deviceGetInfo)
        == hex("03 00 04 00 20 00 00 00 01 00 00 00 00 00 00 00 10 00 00 00 03 00 00 00 09 00 00 00 05 00 00 00"))
    #expect(
      encode(.irqInfo(IRQInfo(index: .msix, flags: .eventFD, count: 33)), id: 4, .deviceGetIRQInfo)
        == hex("04 00 07 00 20 00 00 00 01 00 00 00 00 00 00 00 10 00 00 00 01 00 00 00 02 00 00 00 21 00 00 00"))
    #expect(
      encode(.dmaUnmap(DMAUnmap(address: 0x1000, length: 0x2000)), id: 5, .dmaUnmap)
        == hex(
          """
          05 00 03 00 28 00 00 00 01 00 00 00 00 00 00 00
          18 00 00 00 00 00 00 00 00 10 00 00 00 00 00 00
          00 20 00 00 00 00 00 00
          """))
    #expect(
      encode(.deviceFeature(DeviceFeature(.migration, .get, data: [3, 0, 0, 0, 0, 0, 0, 0])), id: 6, .deviceFeature)
        == hex("06 00 10 00 20 00 00 00 01 00 00 00 00 00 00 00 10 00 00 00 01 00 01 00 03 00 00 00 00 00 00 00"))
    #expect(
      encode(.migrationData([7, 8]), id: 7, .migrationDataRead)
        == hex("07 00 11 00 1a 00 00 00 01 00 00 00 00 00 00 00 0a 00 00 00 02 00 00 00 07 08"))
  }

  @Test func theNumbersOfTheCommands() {
    #expect(Command.allCases.map(\.rawValue) == Array(1...18))
    #expect(RegionIndex.allCases.count == RegionIndex.count)
    #expect(IRQIndex.allCases.count == IRQIndex.count)
  }
}
