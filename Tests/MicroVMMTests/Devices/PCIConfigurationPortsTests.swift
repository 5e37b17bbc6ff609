import Testing

@testable import MicroVMM

@Suite struct PCIConfigurationPortsTests {
  private static func ports(_ address: UInt32) -> PCIConfigurationPorts {
    var ports = PCIConfigurationPorts()
    let isTaken = ports.writeAddress(port: 0xCF8, count: 4, address)
    #expect(isTaken)
    return ports
  }

  @Test func decodesTheAddress() {
    let ports = Self.ports(0x8012_AB44)
    #expect(ports.address == 0x8012_AB44)
    #expect(
      ports.target(port: 0xCFC, count: 4)
        == PCIConfigurationPorts.Target(bus: 0x12, deviceFunction: 0xAB, offset: 0x44))
  }

  @Test(arguments: [(0xCFC, 1, 0x44), (0xCFD, 1, 0x45), (0xCFE, 2, 0x46), (0xCFF, 1, 0x47)] as [(UInt16, Int, UInt64)])
  func partsOfTheDoublewordAreBytesOfTheRegister(port: UInt16, count: Int, offset: UInt64) {
    #expect(Self.ports(0x8000_0844).target(port: port, count: count)?.offset == offset)
  }

  @Test(arguments: [(0xCFD, 4), (0xCFF, 2), (0xCFE, 4), (0xCFB, 1), (0xD00, 1), (0xCFC, 8)] as [(UInt16, Int)])
  func accessesThatPassTheDoublewordGoNowhere(port: UInt16, count: Int) {
    #expect(Self.ports(0x8000_0844).target(port: port, count: count) == nil)
  }

  @Test func withoutTheEnableBitThereIsNoTarget() {
    #expect(Self.ports(0x0000_0844).target(port: 0xCFC, count: 4) == nil)
    #expect(PCIConfigurationPorts().target(port: 0xCFC, count: 4) == nil)
  }

  @Test func reservedBitsReadZero() { #expect(Self.ports(0xFFFF_FFFF).address == 0x80FF_FFFC) }

  @Test(arguments: [(0xCF8, 1), (0xCF8, 2), (0xCF9, 1), (0xCFA, 2), (0xCFC, 4)] as [(UInt16, Int)])
  func otherAccessesDoNotChangeTheAddress(port: UInt16, count: Int) {
    var ports = Self.ports(0x8000_0844)
    let isTaken = ports.writeAddress(port: port, count: count, 0x8000_1000)
    #expect(!isTaken)
    #expect(ports.address == 0x8000_0844)
  }

  @Test func theHostBridgeSaysThatItIsOne() {
    #expect(HostBridge.read(at: 0, count: 4) == 0x0008_1B36)
    #expect(HostBridge.read(at: 2, count: 2) == 0x0008)
    #expect(HostBridge.read(at: 1, count: 1) == 0x1B)
    // Class: bridge, host.
    #expect(HostBridge.read(at: 0xA, count: 2) == 0x0600)
    #expect(HostBridge.read(at: 0xB, count: 1) == 0x06)
    #expect(HostBridge.read(at: 0xE, count: 1) == 0)
    #expect(HostBridge.read(at: 0xFC, count: 4) == 0)
  }
}
