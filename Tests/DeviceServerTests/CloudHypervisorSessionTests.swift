import Glibc
import LinuxIO
import NVMeSpec
import Testing

@testable import DeviceServer

/// What cloud-hypervisor's `vfio_user` crate (0.1.5) sends. It never looks at the Error bit: a reply that is shorter than
/// it expects leaves it waiting for ever, so every question that it asks must be answered in full.
@Suite struct CloudHypervisorSessionTests {
  private let json =
    "{\"capabilities\":{\"max_msg_fds\":1,\"max_data_xfer_size\":1048576,\"migration\":{\"pgsize\":4096}}}"

  @Test func aSessionFromStartToEnd() throws {
    let device = try ServedDevice()
    let client = try device.connectSilently()
    #expect(
      try client.exchange(command(Number.version, id: 0, version(json, minor: 1)))
        == reply(Number.version, id: 0, version(serverJSON, minor: 1)))
    // argsz counts the header.
    #expect(
      try client.exchange(command(Number.getInfo, id: 1, u32(32, 0, 0, 0)))
        == reply(Number.getInfo, id: 1, u32(16, 3, 9, 5)))
    // Every region, also those that are not there: 48 bytes each.
    let sizes: [UInt32: UInt64] = [Region.bar0: 0x4000, Region.bar4: 0x2000, Region.config: 0x1000]
    for index in 0..<9 as Range<UInt32> {
      let size = sizes[index] ?? 0
      let answer = try client.exchange(command(Number.getRegionInfo, regionInfo(index)))
      #expect(answer == reply(Number.getRegionInfo, regionInfo(index, flags: size == 0 ? 0 : 3, size: size)))
      #expect(answer.count == 48)
    }
    // Every kind of interrupt, likewise: 32 bytes each.
    for index in 0..<5 as Range<UInt32> {
      #expect(try client.exchange(command(Number.getIRQInfo, irqInfo(index))).count == 32)
    }
    // Configuration space in registers of four bytes; BARs are sized.
    #expect(try client.read(Region.config, 0, 4) == 0x10f0_1af4)
    for (offset, size) in [(0x10, 0xffff_c004), (0x14, 0xffff_ffff), (0x18, 0), (0x20, 0xffff_e004)]
      as [(UInt64, UInt64)]
    {
      try client.write(Region.config, offset, 0xffff_ffff, 4)
      #expect(try client.read(Region.config, offset, 4) == size)
      try client.write(Region.config, offset, 0, 4)
    }
    // Guest memory, always readable and writable, with one descriptor.
    let driver = try Driver(client, base: 0)
    // An unmap of what is not mapped is answered with all of its 24 bytes.
    let stray = dmaUnmap(0x4000_0000, 0x1000)
    #expect(try client.exchange(command(Number.dmaUnmap, stray)) == reply(Number.dmaUnmap, stray))

    // The whole table, 16 vectors a message, whatever was negotiated.
    let vectors = try (0..<65).map { _ in try Interrupt() }
    try client.setBusMaster(true)
    try client.write(Region.config, 0x52, 0x8040, 2)
    for start in stride(from: 0, to: 65, by: 16) {
      try client.installVectors(UInt32(start), vectors[start..<min(start + 16, 65)].map(\.rawValue))
    }
    try driver.enable()
    try driver.createQueues(vector: 64)
    for vector in vectors { _ = vector.take() }
    #expect(try driver.identifies())
    #expect(vectors[0].take() == 1)
    let read = Driver.transfer(0x02, block: 0, prp1: driver.address(Driver.dataPage))
    #expect(try driver.execute(read, queue: 1).status == .success)
    #expect(vectors[64].wait())
    #expect(vectors[1..<64].allSatisfy { $0.take() == 0 })
    // No ioeventfds: it can receive one descriptor, and a doorbell needs two.
    #expect(
      try client.exchange(command(Number.getRegionIOFDs, u32(4096, 0, 0, 0)))
        == reply(Number.getRegionIOFDs, u32(16, 0, 0, 0)))

    // The end: interrupts off, memory unmapped.
    #expect(
      try client.exchange(command(Number.setIRQs, setIRQs(IRQ.msix, IRQ.none | IRQ.trigger, count: 0)))
        == reply(Number.setIRQs))
    try driver.unmap()
    #expect(try driver.ram.mappings() == 0)
    try client.reset()
    client.disconnect()
    _ = try device.connect(json)
  }
}
