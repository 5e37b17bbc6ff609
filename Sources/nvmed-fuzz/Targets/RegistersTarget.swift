import LinuxIO

@testable import VFIOUser

/// Accesses to BAR0, the MSI-X table and the configuration space, of any size at any place and in any order.
enum RegistersTarget {
  static func test(_ bytes: [UInt8]) {
    var input = FuzzInput(bytes)
    let host = FuzzHost()
    host.negotiate()
    // Without memory a controller that is enabled fails; with it, whatever lies there is executed.
    if input.byte() & 1 == 1 {
      let map = DMAMap(
        flags: [.read, .write], fileOffset: 0, address: 0, length: UInt64(FuzzHost.pageCount * FuzzHost.pageSize))
      _ = host.call(.dmaMap(map), descriptors: [host.memory.descriptor.rawValue])
    }
    while !input.isEmpty, host.isConnected {
      let head = input.byte()
      let region: RegionIndex = [.bar0, .bar0, .config, .bar4][Int(head & 3)]
      var offset = UInt64(input.integer(UInt16.self))
      // Most bits of BAR0's low page are registers; doorbells begin at 1000h.
      if region == .bar0, head & 4 == 0 { offset &= 0x7f }
      if region == .config, head & 4 == 0 { offset &= 0xff }
      let count = head & 8 == 0 ? 4 : [1, 2, 3, 5, 7, 8, 16, 4096][input.choice(8)]
      if head & 16 == 0 {
        let data = count <= 8 ? RegionData(input.integer(), count: count) : RegionData(input.rest(count))
        guard data.count > 0 else { continue }
        let write = RegionWrite(offset: offset, region: region, data: data)
        if head & 32 == 0 {
          _ = host.call(.regionWrite(write))
        } else {
          host.send(Request.regionWrite(write).message(id: 0, noReply: true))
        }
      } else {
        let access = RegionAccess(offset: offset, region: region, count: UInt32(count))
        if let reply = host.call(.regionRead(access)), reply.error == nil {
          precondition(reply.payload.count == RegionAccess.size + count, "a read of another length")
        }
      }
      if head & 64 != 0 { _ = host.call(.deviceReset) }
    }
  }
}
