import Glibc
import LinuxIO
import NVMeSpec
import Testing
import VFIOUser

@testable import DeviceServer

/// What one client may have and cause at most: `ClientLimits` and `VFIOUser.Limits`.
@Suite struct ClientLimitsTests {
  @Test func rangesAreAsManyAsAreAnnounced() throws {
    let json = String(decoding: Capabilities.server.json, as: UTF8.self)
    #expect(json.contains("\"max_dma_maps\":\(ClientLimits.dmaMaps)"))
    #expect(DeviceOptions(name: "", controller: try testOptions().controller, namespaces: []).dmaMapLimit == 16_384)
  }

  /// A hundred thousand maps: those within the limit are there, each of the others is refused, and the client is served.
  @Test func aHundredThousandRangesAreTooMany() throws {
    let pool = try startPool()
    defer { pool.stop() }
    let device = try ServedDevice(pool: pool)
    let witness = try Driver.enabled(try ServedDevice(pool: pool).connect())
    let client = try device.connect()
    let driver = try Driver(client, base: 1 << 40)
    let ram = try GuestRAM(pages: 2)
    // Nobody waits for the answers: a guest could not send them faster.
    for index in 0..<100_000 as Range<UInt64> {
      // Most without a file; some of memory, from places that the kernel does not join.
      let descriptors = index % 16 == 0 ? [ram.descriptor] : []
      let payload = dmaMap(index * 0x2000, 0x1000, offset: index / 16 % 2 * 0x1000)
      try client.send(command(Number.dmaMap, flags: noReply, payload), descriptors: descriptors)
    }
    let regions = try #require(try device.server.dmaMap(milliseconds: patience))
    #expect(regions.count <= ClientLimits.dmaMaps)
    let refused = try client.exchange(command(Number.dmaMap, dmaMap(0x1000, 0x1000)), descriptors: [ram.descriptor])
    #expect(refused == refusal(Number.dmaMap, ENOSPC))
    #expect(try device.server.dmaMap(milliseconds: patience)?.count == ClientLimits.dmaMaps)
    // The controller works with all of them, and so does the other.
    try client.setBusMaster(true)
    try driver.enable()
    #expect(try driver.identifies())
    #expect(try witness.identifies())
    // One message takes them out.
    try client.unmap(0, 1 << 40)
    #expect(try driver.identifies())
    #expect(try device.server.dmaMap(milliseconds: patience)?.count == 1)
    #expect(try ram.mappings() == 0)
  }

  @Test func descriptorsOfAMessageAreLimited() throws {
    let ram = try GuestRAM(pages: 1)
    let open = openDescriptors(ofTheFileBehind: ram.descriptor)
    let device = try ServedDevice()
    for count in [Limits.descriptors, Limits.descriptors + 1, 253] {
      let client = try device.connect()
      let descriptors = [Int32](repeating: ram.descriptor, count: count)
      try client.send(command(Number.getInfo, u32(16, 0, 0, 0)), descriptors: descriptors)
      if count <= Limits.descriptors {
        #expect(try client.receive() == reply(Number.getInfo, u32(16, 3, 9, 5)))
      } else {
        #expect(client.isAtEnd())
      }
      client.disconnect()
      try device.connect().disconnect()
      #expect(openDescriptors(ofTheFileBehind: ram.descriptor) == open, "\(count)")
    }
  }
}
