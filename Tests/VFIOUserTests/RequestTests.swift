import LinuxIO
import Testing

@testable import VFIOUser

/// What is refused, and with which error.
@Suite struct RequestTests {
  /// Commands whose payload may be longer than what they read of it.
  static let tolerant: Set<Command> = [
    .dmaMap, .dmaUnmap, .deviceGetInfo, .deviceGetRegionInfo, .deviceGetRegionIOFDs, .deviceGetIRQInfo,
  ]

  @Test(arguments: WireVectorTests.requests) func thePayloadHasItsSize(vector: WireVectorTests.RequestVector) throws {
    // How much data a feature has is not known here.
    let needed = vector.request.command == .deviceFeature ? MessageHeader.size + DeviceFeature.size : vector.bytes.count
    for size in MessageHeader.size..<needed {
      #expect(throws: Errno.invalidArgument, "\(size) bytes") {
        try decode(Array(vector.bytes[..<size]), descriptors: vector.descriptors)
      }
    }
    if Self.tolerant.contains(vector.request.command) {
      #expect(try decode(vector.bytes + [1], descriptors: vector.descriptors) == vector.request)
      let padded = vector.bytes + [UInt8](repeating: 0, count: 4032)
      #expect(try decode(padded, descriptors: vector.descriptors) == vector.request)
    } else {
      #expect(throws: Errno.invalidArgument) { try decode(vector.bytes + [1], descriptors: vector.descriptors) }
    }
  }

  @Test func commandsThatAreNotForTheServer() {
    for number in [1, 11, 12] as [UInt16] {
      #expect(throws: Errno.invalidArgument) { try decode(message(number, [UInt8](repeating: 0, count: 16))) }
    }
    for number in [0, 14, 19, 255, 256, 65535] as [UInt16] {
      #expect(throws: Errno(rawValue: 95)) { try decode(message(number, [UInt8](repeating: 0, count: 16))) }
    }
  }

  /// One field of a valid message changed.
  struct Change: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let command: Command
    let payload: [UInt8]
    var descriptors = 0
    var error: Errno? = .invalidArgument
  }

  private static func dmaMap(
    argsz: UInt32 = 32, flags: UInt32 = 3, offset: UInt64 = 0, address: UInt64 = 0, length: UInt64 = 4096
  ) -> [UInt8] {
    var payload = words(argsz, flags)
    for field in [offset, address, length] { payload.append(integer: field) }
    return payload
  }

  private static func dmaUnmap(
    argsz: UInt32 = 24, flags: UInt32 = 0, address: UInt64 = 0, length: UInt64 = 0
  ) -> [UInt8] {
    var payload = words(argsz, flags)
    for field in [address, length] { payload.append(integer: field) }
    return payload
  }

  private static func access(offset: UInt64 = 0, region: UInt32 = 0, count: UInt32, data: [UInt8] = []) -> [UInt8] {
    var payload: [UInt8] = []
    payload.append(integer: offset)
    return payload + words(region, count) + data
  }

  private static func multi(_ count: UInt64, _ entries: [[UInt8]]) -> [UInt8] {
    var payload: [UInt8] = []
    payload.append(integer: count)
    return payload + entries.joined()
  }

  private static let eight: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8]

  static let changes: [Change] = [
    .init(testDescription: "map: argsz", command: .dmaMap, payload: dmaMap(argsz: 31)),
    .init(testDescription: "map: larger argsz", command: .dmaMap, payload: dmaMap(argsz: 48), error: nil),
    .init(testDescription: "map: flags", command: .dmaMap, payload: dmaMap(flags: 4)),
    .init(testDescription: "map: flag bit 31", command: .dmaMap, payload: dmaMap(flags: 0x8000_0001)),
    .init(testDescription: "map: read-only", command: .dmaMap, payload: dmaMap(flags: 1), error: nil),
    .init(testDescription: "map: one descriptor", command: .dmaMap, payload: dmaMap(), descriptors: 1, error: nil),
    .init(testDescription: "map: two descriptors", command: .dmaMap, payload: dmaMap(), descriptors: 2),
    .init(testDescription: "map: nothing", command: .dmaMap, payload: dmaMap(length: 0)),
    .init(testDescription: "map: odd length", command: .dmaMap, payload: dmaMap(length: 4097)),
    .init(testDescription: "map: odd address", command: .dmaMap, payload: dmaMap(address: 0x800)),
    .init(testDescription: "map: beyond 2^64", command: .dmaMap, payload: dmaMap(address: ~0xfff, length: 0x2000)),
    .init(
      testDescription: "map: up to 2^64", command: .dmaMap, payload: dmaMap(address: ~0xfff, length: 0x1000),
      error: nil),
    .init(testDescription: "map: all but a page", command: .dmaMap, payload: dmaMap(length: ~0xfff), error: nil),
    .init(testDescription: "map: file beyond 2^64", command: .dmaMap, payload: dmaMap(offset: ~0xffe, length: 0x1000)),

    .init(testDescription: "unmap: argsz", command: .dmaUnmap, payload: dmaUnmap(argsz: 23)),
    .init(
      testDescription: "unmap: dirty bitmap", command: .dmaUnmap, payload: dmaUnmap(flags: 1), error: .notSupported),
    .init(testDescription: "unmap: bitmap of all", command: .dmaUnmap, payload: dmaUnmap(flags: 3)),
    .init(testDescription: "unmap: flags", command: .dmaUnmap, payload: dmaUnmap(flags: 4)),
    .init(testDescription: "unmap: all of a range", command: .dmaUnmap, payload: dmaUnmap(flags: 2, length: 4096)),
    .init(testDescription: "unmap: all from 4096", command: .dmaUnmap, payload: dmaUnmap(flags: 2, address: 4096)),
    .init(
      testDescription: "unmap: what QEMU's vIOMMU sends", command: .dmaUnmap,
      payload: dmaUnmap(address: 0xfef0_0000, length: 0xffff_ffff_0110_0000), error: nil),
    .init(
      testDescription: "unmap: SPDK's descriptor", command: .dmaUnmap, payload: dmaUnmap(length: 4096), descriptors: 1,
      error: nil),

    .init(testDescription: "info: argsz", command: .deviceGetInfo, payload: words(15, 0, 0, 0)),
    .init(testDescription: "info: argsz of CH", command: .deviceGetInfo, payload: words(32, 0, 0, 0), error: nil),

    .init(
      testDescription: "region: argsz", command: .deviceGetRegionInfo, payload: words(31, 0, 0, 0, 0, 0, 0, 0)),
    .init(
      testDescription: "region: 9", command: .deviceGetRegionInfo, payload: words(32, 0, 9, 0, 0, 0, 0, 0)),
    .init(
      testDescription: "region: 8", command: .deviceGetRegionInfo, payload: words(32, 0, 8, 0, 0, 0, 0, 0), error: nil),

    .init(testDescription: "fds: argsz", command: .deviceGetRegionIOFDs, payload: words(15, 0, 0, 0)),
    .init(testDescription: "fds: 1 MiB", command: .deviceGetRegionIOFDs, payload: words(1 << 20, 0, 0, 0), error: nil),
    .init(testDescription: "fds: over 1 MiB", command: .deviceGetRegionIOFDs, payload: words(1 << 20 + 1, 0, 0, 0)),
    .init(testDescription: "fds: flags", command: .deviceGetRegionIOFDs, payload: words(16, 1, 0, 0)),
    .init(testDescription: "fds: count", command: .deviceGetRegionIOFDs, payload: words(16, 0, 0, 1)),
    .init(testDescription: "fds: region 9", command: .deviceGetRegionIOFDs, payload: words(16, 0, 9, 0)),

    .init(testDescription: "irq: argsz", command: .deviceGetIRQInfo, payload: words(15, 0, 2, 0)),
    .init(testDescription: "irq: index 5", command: .deviceGetIRQInfo, payload: words(16, 0, 5, 0)),

    .init(testDescription: "set: argsz", command: .deviceSetIRQs, payload: words(21, 0x21, 2, 0, 1)),
    .init(testDescription: "set: no data type", command: .deviceSetIRQs, payload: words(20, 0x20, 2, 0, 1)),
    .init(testDescription: "set: two data types", command: .deviceSetIRQs, payload: words(20, 0x25, 2, 0, 1)),
    .init(testDescription: "set: no action", command: .deviceSetIRQs, payload: words(20, 0x01, 2, 0, 1)),
    .init(testDescription: "set: two actions", command: .deviceSetIRQs, payload: words(20, 0x31, 2, 0, 1)),
    .init(testDescription: "set: flags", command: .deviceSetIRQs, payload: words(20, 0x61, 2, 0, 1)),
    .init(testDescription: "set: index 5", command: .deviceSetIRQs, payload: words(20, 0x21, 5, 0, 1)),
    .init(testDescription: "set: beyond 2^32", command: .deviceSetIRQs, payload: words(20, 0x21, 2, .max, 1)),
    .init(testDescription: "set: 2^32 - 1", command: .deviceSetIRQs, payload: words(20, 0x21, 2, 0, .max), error: nil),
    .init(testDescription: "set: disable from 1", command: .deviceSetIRQs, payload: words(20, 0x21, 2, 1, 0)),
    .init(testDescription: "set: mask none", command: .deviceSetIRQs, payload: words(20, 0x09, 2, 0, 0)),
    .init(testDescription: "set: install none", command: .deviceSetIRQs, payload: words(20, 0x24, 2, 0, 0)),
    .init(testDescription: "set: no bools", command: .deviceSetIRQs, payload: words(20, 0x22, 2, 0, 0)),
    .init(testDescription: "set: bool missing", command: .deviceSetIRQs, payload: words(21, 0x22, 2, 0, 2) + [1]),
    .init(testDescription: "set: bool too many", command: .deviceSetIRQs, payload: words(22, 0x22, 2, 0, 1) + [1, 1]),
    .init(testDescription: "set: bools of 2^32", command: .deviceSetIRQs, payload: words(20, 0x22, 2, 0, .max)),
    .init(testDescription: "set: data of none", command: .deviceSetIRQs, payload: words(21, 0x21, 2, 0, 1) + [1]),
    .init(
      testDescription: "set: too few fds", command: .deviceSetIRQs, payload: words(20, 0x24, 2, 0, 3), descriptors: 2),
    .init(
      testDescription: "set: too many fds", command: .deviceSetIRQs, payload: words(20, 0x24, 2, 0, 3), descriptors: 4),
    .init(
      testDescription: "set: fds to fire", command: .deviceSetIRQs, payload: words(20, 0x21, 2, 0, 1), descriptors: 1),
    .init(
      testDescription: "set: fds of bools", command: .deviceSetIRQs, payload: words(21, 0x22, 2, 0, 1) + [1],
      descriptors: 1),
    .init(testDescription: "set: mask an error", command: .deviceSetIRQs, payload: words(20, 0x09, 3, 0, 1)),
    .init(testDescription: "set: unmask a request", command: .deviceSetIRQs, payload: words(20, 0x11, 4, 0, 1)),
    .init(testDescription: "set: two errors", command: .deviceSetIRQs, payload: words(20, 0x21, 3, 0, 2)),
    .init(
      testDescription: "set: an error's fd", command: .deviceSetIRQs, payload: words(20, 0x24, 3, 0, 1), descriptors: 1,
      error: nil),
    .init(testDescription: "set: unmask INTx", command: .deviceSetIRQs, payload: words(20, 0x11, 0, 0, 1), error: nil),
    .init(
      testDescription: "set: unmask by fd", command: .deviceSetIRQs, payload: words(20, 0x14, 0, 0, 1), descriptors: 1,
      error: nil),

    .init(testDescription: "read: region 9", command: .regionRead, payload: access(region: 9, count: 4)),
    .init(testDescription: "read: nothing", command: .regionRead, payload: access(count: 0), error: nil),
    .init(testDescription: "read: 1 MiB", command: .regionRead, payload: access(count: 1 << 20), error: nil),
    .init(testDescription: "read: over 1 MiB", command: .regionRead, payload: access(count: 1 << 20 + 1)),
    .init(testDescription: "read: beyond 2^64", command: .regionRead, payload: access(offset: .max - 3, count: 4)),

    .init(testDescription: "write: region", command: .regionWrite, payload: access(region: .max, count: 1, data: [1])),
    .init(testDescription: "write: nothing", command: .regionWrite, payload: access(count: 0), error: nil),
    .init(testDescription: "write: too little", command: .regionWrite, payload: access(count: 4, data: [1, 2, 3])),
    .init(
      testDescription: "write: count of 2^32", command: .regionWrite, payload: access(count: .max, data: [1, 2, 3])),
    .init(
      testDescription: "write: beyond 2^64", command: .regionWrite,
      payload: access(offset: .max, count: 8, data: eight)),

    .init(testDescription: "multi: none", command: .regionWriteMulti, payload: multi(0, []), error: nil),
    .init(
      testDescription: "multi: too many", command: .regionWriteMulti, payload: multi(2, [access(count: 4, data: eight)])
    ),
    .init(
      testDescription: "multi: too few", command: .regionWriteMulti, payload: multi(0, [access(count: 4, data: eight)])),
    .init(testDescription: "multi: 2^64 - 1", command: .regionWriteMulti, payload: multi(.max, [])),
    // 24 times this is 24 more than 2^64.
    .init(
      testDescription: "multi: a count that wraps", command: .regionWriteMulti,
      payload: multi(0x0aaa_aaaa_aaaa_aaab, [access(count: 4, data: eight)])),
    .init(
      testDescription: "multi: 9 bytes", command: .regionWriteMulti, payload: multi(1, [access(count: 9, data: eight)])),
    .init(
      testDescription: "multi: 0 bytes", command: .regionWriteMulti, payload: multi(1, [access(count: 0, data: eight)])),
    .init(
      testDescription: "multi: region 9", command: .regionWriteMulti,
      payload: multi(1, [access(region: 9, count: 4, data: eight)])),
    .init(
      testDescription: "multi: beyond 2^64", command: .regionWriteMulti,
      payload: multi(1, [access(offset: .max - 3, count: 4, data: eight)])),

    .init(testDescription: "feature: argsz", command: .deviceFeature, payload: words(7, 0x10001)),
    .init(testDescription: "feature: argsz below the data", command: .deviceFeature, payload: words(8, 0x20002, 2)),
    .init(testDescription: "feature: room", command: .deviceFeature, payload: words(16, 0x10001), error: nil),
    .init(testDescription: "feature: no operation", command: .deviceFeature, payload: words(8, 1)),
    .init(testDescription: "feature: get and set", command: .deviceFeature, payload: words(8, 0x30001)),
    .init(testDescription: "feature: probe both", command: .deviceFeature, payload: words(8, 0x70001), error: nil),
    .init(testDescription: "feature: flags", command: .deviceFeature, payload: words(8, 0x90001)),

    .init(testDescription: "migration: argsz", command: .migrationDataRead, payload: words(7, 4096)),
    .init(testDescription: "migration: over 1 MiB", command: .migrationDataRead, payload: words(8, 1 << 20 + 1)),
    .init(testDescription: "migration: too little", command: .migrationDataWrite, payload: words(12, 5, 0)),
    .init(testDescription: "migration: nothing", command: .migrationDataWrite, payload: words(8, 0), error: nil),
  ]

  @Test(arguments: changes) func everyFieldIsChecked(change: Change) throws {
    let bytes = message(change.command.rawValue, change.payload)
    if let error = change.error {
      #expect(throws: error) { try decode(bytes, descriptors: change.descriptors) }
    } else {
      #expect(try decode(bytes, descriptors: change.descriptors).command == change.command)
    }
  }

  @Test func theRangeOfASetMustLieInTheIndex() throws {
    func set(_ start: UInt32, _ count: UInt32) -> SetIRQs {
      SetIRQs(index: .msix, start: start, count: count, action: .trigger, data: .none)
    }
    try set(0, 4).check(interruptCount: 4)
    try set(3, 1).check(interruptCount: 4)
    #expect(set(1, 3).range == 1..<4)
    #expect(throws: Errno.invalidArgument) { try set(4, 1).check(interruptCount: 4) }
    #expect(throws: Errno.invalidArgument) { try set(1, 4).check(interruptCount: 4) }
    #expect(throws: Errno.invalidArgument) { try set(0, 1).check(interruptCount: 0) }
    #expect(throws: Errno.invalidArgument) { try set(0, .max).check(interruptCount: 4) }
    try SetIRQs.disable(.intx).check(interruptCount: 0)
    #expect(SetIRQs.disable(.intx).isDisable && !set(0, 1).isDisable)
  }

  @Test func anAccessMustLieInTheRegion() {
    func access(_ offset: UInt64, _ count: UInt32) -> RegionAccess {
      RegionAccess(offset: offset, region: .bar0, count: count)
    }
    #expect(access(0, 4096).fits(in: 4096))
    #expect(access(4096, 0).fits(in: 4096))
    #expect(!access(4093, 4).fits(in: 4096))
    #expect(!access(4097, 0).fits(in: 4096))
    #expect(!access(.max, 1).fits(in: 4096))
    #expect(!access(0, 1).fits(in: 0))
  }

  @Test func dataOfAnyLength() {
    #expect(RegionData([]) == RegionData(0xff, count: 0))
    #expect(RegionData([0x34, 0x12]) == RegionData(0xff_1234, count: 2))
    #expect(RegionData([1, 2, 3, 4, 5, 6, 7, 8]).value == 0x0807_0605_0403_0201)
    #expect(RegionData(0x0807_0605_0403_0201, count: 8).bytes == [1, 2, 3, 4, 5, 6, 7, 8])
    let long = RegionData([1, 2, 3, 4, 5, 6, 7, 8, 9])
    #expect(long.count == 9)
    #expect(long.value == 0x0807_0605_0403_0201)
    #expect(long.bytes == [1, 2, 3, 4, 5, 6, 7, 8, 9])
    #expect(RegionData(0, count: -1).count == 0)
    #expect(RegionData(0, count: 9).count == 8)
  }

  /// Whatever is accepted means the same after it is written and read again; nothing traps.
  @Test func changedMessagesAreRefusedOrUnderstood() throws {
    var random = SplitMix(state: 1)
    let extremes: [UInt8] = [0, 1, 2, 4, 8, 0x10, 0x20, 0x7f, 0x80, 0xff]
    var accepted = 0
    for vector in WireVectorTests.requests {
      for _ in 0..<2000 {
        var bytes = vector.bytes
        for _ in 0..<Int.random(in: 1...3, using: &random) where bytes.count > MessageHeader.size {
          let index = Int.random(in: MessageHeader.size..<bytes.count, using: &random)
          bytes[index] = extremes.randomElement(using: &random) ?? 0
        }
        if Bool.random(using: &random) { bytes += [UInt8](repeating: 0xff, count: Int(random.next() % 9)) }
        let descriptors = Int.random(in: 0...3, using: &random)
        guard let request = try? decode(bytes, descriptors: descriptors) else { continue }
        accepted += 1
        #expect(try decode(request.message(id: 1), descriptors: descriptors) == request)
      }
    }
    #expect(accepted > 1000)
  }

  /// A hostile server cannot trap a client either.
  @Test func changedRepliesAreRefusedOrUnderstood() throws {
    var random = SplitMix(state: 2)
    let info = encode(.regionInfo(WireVectorTests.barInfo, room: 64), id: 0, .deviceGetRegionInfo)
    let fds = encode(.regionIOFDs(WireVectorTests.shadows, room: 112), id: 0, .deviceGetRegionIOFDs)
    var accepted = 0
    for original in [info, fds] {
      for _ in 0..<5000 {
        var payload = Array(original[MessageHeader.size...])
        for _ in 0..<3 {
          payload[Int.random(in: 0..<payload.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
        }
        payload.removeLast(Int(random.next() % 4) * 8)
        if let region = try? RegionInfo.decode(payload.span) {
          accepted += 1
          #expect(region.info.areas.count <= payload.count / 16)
        }
        if let ioFDs = try? RegionIOFDs.decode(payload.span) {
          accepted += 1
          #expect(ioFDs.fds.entries.count <= payload.count / 48)
        }
      }
    }
    #expect(accepted > 1000)
  }

  @Test func aChainOfCapabilitiesMustNotTurnBack() {
    var payload = words(48, 0xf, 0, 32, 0, 0, 0, 0)
    payload += words(0x1_0002, 32, 0, 0)  // An unknown capability whose next one is itself.
    #expect(throws: Errno.invalidArgument) { try RegionInfo.decode(payload.span) }
    payload.replace(integer: UInt32(8), at: 12)  // Into the struct.
    #expect(throws: Errno.invalidArgument) { try RegionInfo.decode(payload.span) }
    payload.replace(integer: UInt32.max, at: 12)
    #expect(throws: Errno.invalidArgument) { try RegionInfo.decode(payload.span) }
    payload.replace(integer: UInt32(32), at: 12)
    payload.replace(integer: UInt32(0), at: 36)
    #expect((try? RegionInfo.decode(payload.span))?.info.areas.isEmpty == true)
    payload.replace(integer: UInt16(1), at: 32)
    payload.replace(integer: UInt32.max, at: 40)  // More areas than there are bytes.
    #expect(throws: Errno.invalidArgument) { try RegionInfo.decode(payload.span) }
  }
}
