import DeviceServer
import LinuxIO

@testable import VFIOUser

/// Accesses to BAR0, the MSI-X table and the configuration space, of any size at any place and in any order.
enum RegistersTarget {
  nonisolated(unsafe) private static let server = InlineServer.forFuzzing(FuzzDisk.inMemory())

  static func test(_ bytes: [UInt8]) {
    var input = FuzzInput(bytes)
    let host = FuzzHost(server)
    host.negotiate()
    // Without memory a controller that is enabled fails; with it, whatever lies there is executed.
    if input.byte() & 1 == 1 {
      let map = DMAMap(flags: [.read, .write], fileOffset: 0, address: 0, length: UInt64(FuzzMemory.byteCount))
      host.post(.dmaMap(map), descriptor: FuzzMemory.give())
      // What is executed may be a write.
      FuzzDisk.noteWrites()
    }
    host.flush()
    // Bytes that the reads of a burst are to give.
    var counts: [Int] = []
    func flush() {
      var answers = counts.makeIterator()
      host.flush { answer in
        guard let count = answers.next(), count > 0, answer.error == 0 else { return }
        require(answer.count == RegionAccess.size + count, "a read of another length")
      }
      counts.removeAll(keepingCapacity: true)
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
        host.post(
          .regionWrite(RegionWrite(offset: offset, region: region, data: data)), noReply: head & 32 != 0)
        if head & 32 == 0 { counts.append(0) }
      } else {
        host.post(.regionRead(RegionAccess(offset: offset, region: region, count: UInt32(count))))
        counts.append(count)
      }
      if head & 64 != 0 {
        host.post(.deviceReset)
        counts.append(0)
      }
      if head & 128 != 0 || host.isBurstFull { flush() }
    }
    flush()
    host.end()
  }
}
