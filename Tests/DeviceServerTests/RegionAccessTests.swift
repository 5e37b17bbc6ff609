import Glibc
import LinuxIO
import NVMeSpec
import Testing

@testable import DeviceServer

/// REGION_READ, REGION_WRITE and REGION_WRITE_MULTI of every width, inside and outside of every region.
@Suite struct RegionAccessTests {
  private static let sizes: [(region: UInt32, size: UInt64)] = [
    (Region.bar0, 0x4000), (Region.bar4, 0x2000), (Region.config, 0x1000),
  ]

  // MARK: Bounds

  @Test(arguments: sizes.map(\.region), [1, 2, 3, 4, 5, 7, 8, 9, 16, 255, 4096])
  func theLastBytesOfARegionCanBeAccessedAndNoneBehind(region: UInt32, count: Int) throws {
    let client = try ServedDevice().connect()
    let size = try #require(Self.sizes.first { $0.region == region }).size
    let last = size - UInt64(count)
    #expect(try client.readBytes(region, last, count).count == count)
    let data = [UInt8](repeating: 0, count: count)
    #expect(
      try client.exchange(command(Number.regionWrite, access(region, last, count) + data))
        == reply(Number.regionWrite, access(region, last, count)))
    for offset in [last + 1, size, size + 1, 1 << 32, UInt64.max - UInt64(count) + 1, UInt64.max - 1, UInt64.max] {
      #expect(
        try client.exchange(command(Number.regionRead, access(region, offset, count)))
          == refusal(Number.regionRead, EINVAL))
      #expect(
        try client.exchange(command(Number.regionWrite, access(region, offset, count) + data))
          == refusal(Number.regionWrite, EINVAL))
    }
  }

  @Test(arguments: [1, 2, 3, 5, 6, 8, 9, 10, 0x100, UInt32.max] as [UInt32])
  func aRegionThatIsNotThereCannotBeAccessed(region: UInt32) throws {
    let client = try ServedDevice().connect()
    for count in [0, 1, 4] {
      #expect(
        try client.exchange(command(Number.regionRead, access(region, 0, count))) == refusal(Number.regionRead, EINVAL))
      let write = access(region, 0, count) + [UInt8](repeating: 0, count: count)
      #expect(try client.exchange(command(Number.regionWrite, write)) == refusal(Number.regionWrite, EINVAL))
    }
  }

  @Test(arguments: sizes.map(\.region)) func anAccessOfNoBytesIsNoError(region: UInt32) throws {
    let client = try ServedDevice().connect()
    for offset in [0, 0x1000] as [UInt64] {
      let head = access(region, offset, 0)
      #expect(try client.exchange(command(Number.regionRead, head)) == reply(Number.regionRead, head))
      #expect(try client.exchange(command(Number.regionWrite, head)) == reply(Number.regionWrite, head))
    }
  }

  @Test func theLengthIsThatOfTheMessage() throws {
    let client = try ServedDevice().connect()
    for payload in [
      access(Region.config, 4, 2) + [0], access(Region.config, 4, 2) + [6, 0, 0], access(Region.config, 4, 0) + [6],
    ] {
      #expect(try client.exchange(command(Number.regionWrite, payload)) == refusal(Number.regionWrite, EINVAL))
    }
    #expect(
      try client.exchange(command(Number.regionRead, access(Region.config, 4, 2) + [0]))
        == refusal(Number.regionRead, EINVAL))
    #expect(
      try client.exchange(command(Number.regionRead, access(Region.bar0, 0, 0x10_0001)))
        == refusal(Number.regionRead, EINVAL))
    #expect(try client.read(Region.config, 4, 2) == 0, "nothing was written")
  }

  // MARK: Registers

  @Test func everyWidthReadsTheSameBytes() throws {
    let client = try ServedDevice().connect()
    for (region, size) in Self.sizes {
      let all = try client.readBytes(region, 0, Int(size))
      #expect(all.count == Int(size))
      for width in [1, 2, 4, 8] {
        let parts = try stride(from: 0, to: 64, by: width).flatMap { try client.readBytes(region, UInt64($0), width) }
        #expect(parts == Array(all.prefix(64)))
      }
      #expect(try client.readBytes(region, 1, 7) == Array(all[1..<8]))
      #expect(try client.readBytes(region, 5, 11) == Array(all[5..<16]))
    }
  }

  @Test func a64BitRegisterIsWrittenAtOnceOrInHalves() throws {
    let client = try ServedDevice().connect()
    for register in [ControllerRegister.adminSubmissionQueueBase, ControllerRegister.adminCompletionQueueBase] {
      try client.write(Region.bar0, register, 0x1234_5678_9abc_d000, 8)
      #expect(try client.read(Region.bar0, register, 8) == 0x1234_5678_9abc_d000)
      try client.write(Region.bar0, register + 4, 0xfeed, 4)
      #expect(try client.read(Region.bar0, register, 8) == 0x0000_feed_9abc_d000)
      try client.write(Region.bar0, register, 0x5000, 4)
      #expect(try client.read(Region.bar0, register, 8) == 0x0000_feed_0000_5000)
      // The low bits are reserved.
      try client.write(Region.bar0, register, UInt64.max, 8)
      #expect(try client.read(Region.bar0, register, 8) == 0xffff_ffff_ffff_f000)
    }
  }

  @Test(
    arguments: [(1, 0), (2, 0), (3, 0), (4, 1), (4, 2), (8, 1), (8, 4), (16, 0), (5, 0), (6, 2)] as [(Int, UInt64)])
  func anAccessThatTheSpecificationLeavesUndefinedHasNoEffect(count: Int, delta: UInt64) throws {
    let client = try ServedDevice().connect()
    let register = ControllerRegister.adminQueueAttributes
    try client.write(Region.bar0, register, 0x000f_000f, 4)
    let before = try client.readBytes(Region.bar0, 0, 0x40)
    // Eight bytes from a multiple of four are two registers; other accesses are ignored.
    guard count != 8 || delta == 1 else { return }
    let data = [UInt8](repeating: 0xff, count: count)
    let head = access(Region.bar0, register + delta, count)
    #expect(try client.exchange(command(Number.regionWrite, head + data)) == reply(Number.regionWrite, head))
    #expect(try client.readBytes(Region.bar0, 0, 0x40) == before)
  }

  @Test func readOnlyRegistersKeepTheirValues() throws {
    let client = try ServedDevice().connect()
    let before = try client.readBytes(Region.bar0, 0, 0x1000)
    for offset in [0, 4, 8, 0x18, 0x1c, 0x20, 0x38, 0x3c, 0x40, 0x100, 0xe00, 0xffc] as [UInt64] {
      try client.write(Region.bar0, offset, 0xffff_ffff, 4)
    }
    for offset in [0, 0x18, 0x38, 0x100, 0xff8] as [UInt64] { try client.write(Region.bar0, offset, UInt64.max, 8) }
    #expect(try client.readBytes(Region.bar0, 0, 0x1000) == before)
  }

  @Test func doorbellsOfADisabledControllerAreForgotten() throws {
    let client = try ServedDevice().connect()
    try client.setBusMaster(true)
    let driver = try Driver(client)
    for offset in stride(from: 0x1000, to: 0x4000, by: 4) as StrideTo<UInt64> { try client.post(offset, 3) }
    #expect(try client.readBytes(Region.bar0, 0x1000, 0x3000).allSatisfy { $0 == 0 })
    try driver.enable()
    #expect(driver.completion() == nil, "the tail of before is not that of the new queue")
    #expect(try driver.identifies())
  }

  @Test func theMSIXTableCanBeWrittenAndThePendingBitsCannot() throws {
    let client = try ServedDevice().connect()
    #expect(try client.read(Region.bar4, 12, 4) == 1, "masked after reset")
    try client.write(Region.bar4, 0, 0xfee0_1000, 8)
    try client.write(Region.bar4, 8, 0x41, 4)
    try client.write(Region.bar4, 12, 0xffff_fffe, 4)
    #expect(try client.readBytes(Region.bar4, 0, 16) == u32(0xfee0_1000, 0, 0x41, 0))
    try client.write(Region.bar4, 0x1000, UInt64.max, 8)
    #expect(try client.read(Region.bar4, 0x1000, 8) == 0)
    try client.write(Region.bar4, 65 * 16, UInt64.max, 8)
    #expect(try client.read(Region.bar4, 65 * 16, 8) == 0, "behind the table")
  }

  // MARK: REGION_WRITE_MULTI

  /// The payload of REGION_WRITE_MULTI.
  private func multi(_ writes: [(region: UInt32, offset: UInt64, value: UInt64, count: Int)]) -> [UInt8] {
    u64(UInt64(writes.count)) + writes.flatMap { access($0.region, $0.offset, $0.count) + u64($0.value) }
  }

  @Test func severalWritesAreDoneInOrder() throws {
    let client = try ServedDevice().connect()
    let payload = multi([
      (Region.config, 0x10, 0xfeb0_0000, 4), (Region.config, 4, 6, 2), (Region.bar0, 0x24, 0x001f_001f, 4),
      (Region.bar0, 0x28, 0x1000, 4), (Region.bar0, 0x2c, 7, 4), (Region.bar0, 0x30, 0x5_0000_2000, 8),
      (Region.bar0, 0x28, 0x3000, 4), (Region.bar4, 8, 0x55, 1),
    ])
    #expect(try client.exchange(command(Number.writeMulti, payload)) == reply(Number.writeMulti, u64(8)))
    #expect(try client.read(Region.config, 0x10, 4) == 0xfeb0_0004)
    #expect(try client.read(Region.config, 4, 2) == 6)
    #expect(try client.read(Region.bar0, 0x24, 4) == 0x001f_001f)
    #expect(try client.read(Region.bar0, 0x28, 8) == 0x7_0000_3000)
    #expect(try client.read(Region.bar0, 0x30, 8) == 0x5_0000_2000)
    #expect(try client.read(Region.bar4, 8, 4) == 0x55)
  }

  @Test func severalWritesMayBePosted() throws {
    let client = try ServedDevice().connect()
    // As many as QEMU sends at most.
    let writes = (0..<200).map { (Region.bar0, UInt64(0x28), UInt64($0) << 12, 4) }
    try client.send(command(Number.writeMulti, flags: noReply, multi(writes)))
    #expect(try client.read(Region.bar0, 0x28, 8) == 199 << 12)
  }

  @Test func ofWritesWithAWrongOneNoneIsDone() throws {
    let client = try ServedDevice().connect()
    for wrong in [
      (Region.config, 0x1000, 0, 1), (Region.config, 0xffd, 0, 4), (Region.bar0, UInt64.max, 0, 1), (1, 0, 0, 4),
      (9, 0, 0, 4), (Region.config, 4, 0, 0), (Region.config, 4, 0, 9), (Region.config, 4, 0, 0x1_0000),
    ] as [(UInt32, UInt64, UInt64, Int)] {
      let payload = multi([(Region.config, 4, 6, 2), wrong, (Region.config, 0x3c, 9, 1)])
      #expect(try client.exchange(command(Number.writeMulti, payload)) == refusal(Number.writeMulti, EINVAL))
      #expect(try client.read(Region.config, 4, 2) == 0)
      #expect(try client.read(Region.config, 0x3c, 1) == 0)
    }
  }

  @Test func theNumberOfWritesIsThatOfTheMessage() throws {
    let client = try ServedDevice().connect()
    let entry = Array(multi([(Region.config, 4, 6, 2)]).dropFirst(8))
    for payload in [
      u64(2) + entry, u64(0) + entry, u64(1) + entry.dropLast(), u64(1) + entry + [0], u64(UInt64.max) + entry,
      u64(0x0aaa_aaaa_aaaa_aaab) + entry,
    ] {
      #expect(try client.exchange(command(Number.writeMulti, payload)) == refusal(Number.writeMulti, EINVAL))
    }
    #expect(try client.exchange(command(Number.writeMulti, u64(0))) == reply(Number.writeMulti, u64(0)))
    #expect(try client.read(Region.config, 4, 2) == 0)
  }

  /// A message of the largest size holds 43,690 writes: no work may be nested as deep as that.
  @Test func asManyWritesAsAMessageHoldsAreDone() throws {
    let client = try ServedDevice().connect()
    let count = ((1 << 20) - 8) / 24
    var payload = u64(UInt64(count))
    payload.reserveCapacity(8 + count * 24)
    for index in 0..<count { payload += access(Region.bar0, 0x28, 4) + u64(UInt64(index % 1000) << 12) }
    #expect(try client.exchange(command(Number.writeMulti, payload)) == reply(Number.writeMulti, u64(UInt64(count))))
    #expect(try client.read(Region.bar0, 0x28, 4) == UInt64((count - 1) % 1000) << 12)
    // And those whose effects are awaited one after the other.
    var switching = u64(2000)
    for index in 0..<2000 { switching += access(Region.config, 4, 2) + u64(index % 2 == 0 ? 6 : 2) }
    #expect(try client.exchange(command(Number.writeMulti, switching)) == reply(Number.writeMulti, u64(2000)))
    #expect(try client.read(Region.config, 4, 2) == 2)
  }

  @Test(arguments: [nil, "{\"capabilities\":{}}", "{\"capabilities\":{\"write_multiple\":false}}"])
  func severalWritesAreForWhoSaidThatItSendsThem(json: String?) throws {
    let device = try ServedDevice()
    let client = try device.connect(json)
    let payload = multi([(Region.config, 4, 6, 2)])
    #expect(try client.exchange(command(Number.writeMulti, payload)) == refusal(Number.writeMulti, EOPNOTSUPP))
    #expect(try client.read(Region.config, 4, 2) == 0)
  }

  // MARK: DEVICE_FEATURE

  @Test(arguments: [0, 1, 2, 6, 7, 8, 0xffff] as [UInt32], [1, 2, 4, 5, 6, 7] as [UInt32])
  func noFeatureIsSupported(feature: UInt32, operations: UInt32) throws {
    let client = try ServedDevice().connect()
    let payload = u32(16, feature | operations << 16, 0, 0)
    #expect(try client.exchange(command(Number.feature, payload)) == refusal(Number.feature, ENOTTY))
    #expect(try client.read(Region.bar0, 8, 4) == 0x1_0400)
  }

  @Test(arguments: [
    u32(8, 1), u32(8, 1 | 3 << 16), u32(7, 1 | 1 << 16), u32(16, 1 | 1 << 19), u32(8, 1 | 1 << 16, 0),
  ])
  func aFeatureThatCannotBeAskedForIsMalformed(payload: [UInt8]) throws {
    let client = try ServedDevice().connect()
    #expect(try client.exchange(command(Number.feature, payload)) == refusal(Number.feature, EINVAL))
  }
}
