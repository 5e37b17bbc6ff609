import Testing

@testable import MicroVMM

@Suite struct PowerPortsTests {
  @Test(
    arguments: [
      (0x600, 1, 0x34, .powerOff), (0x600, 1, 0x14, nil), (0x600, 1, 0x24, nil), (0x600, 2, 0x34, nil),
      (0xCF9, 1, 0x06, .reset), (0xCF9, 1, 0x02, nil), (0xCF9, 4, 0x06, nil), (0x64, 1, 0xFE, .reset),
      (0x64, 1, 0xAA, nil), (0x92, 1, 0x03, .reset), (0x92, 1, 0x02, nil), (0x80, 1, 0xFE, nil),
    ] as [(UInt16, Int, UInt32, PowerPorts.Effect?)])
  func writes(port: UInt16, count: Int, value: UInt32, effect: PowerPorts.Effect?) {
    #expect(PowerPorts.effect(port: port, count: count, value) == effect)
  }

  @Test func reads() {
    #expect(PowerPorts.read(port: 0x600) == 0)
    #expect(PowerPorts.read(port: 0x601) == 0)
    // No controller, and nothing to wait for: output full, input empty.
    #expect(PowerPorts.read(port: 0x64) == 1)
    #expect(PowerPorts.read(port: 0x80) == nil)
  }
}

@Suite struct StatusLineTests {
  @Test(
    arguments: [
      ("0\n", 0), ("255\r\n", 255), ("12\n34\n", 34), ("7\nx\n", 7), ("256\n", nil), ("1 2\n", nil), ("\n", nil),
      ("12", nil), ("0000000000000001\n", nil), ("-1\n", nil), ("x\n3\n", 3),
    ] as [(String, UInt8?)])
  func theLastLineThatIsANumberCounts(text: String, status: UInt8?) {
    var line = StatusLine()
    for byte in text.utf8 { line.receive(byte) }
    #expect(line.status == status)
  }
}
