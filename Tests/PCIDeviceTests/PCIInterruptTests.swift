import Testing

@testable import PCIDevice

@Suite struct PCIInterruptTests {
  @Test func interruptsAsVFIONumbersThem() throws {
    #expect(PCIInterrupt.count == 5)
    let msix = try layout(65)
    let expected: [(PCIInterrupt, UInt32, UInt32, UInt32)] = [
      (.intx, 0, 0, 0), (.msi, 1, 0, 0), (.msix, 2, 65, 1), (.error, 3, 1, 1), (.request, 4, 0, 0),
    ]
    for (interrupt, index, count, flags) in expected {
      #expect(interrupt.rawValue == index)
      #expect(
        interrupt.info(msix: msix) == PCIInterruptInfo(count: count, flags: PCIInterruptFlags(rawValue: flags)))
    }
    #expect(PCIInterrupt(rawValue: 5) == nil)
  }

  @Test func configurationSpaceAgrees() throws {
    let msix = try layout(33)
    let space = ConfigurationSpace(msix: msix)
    // Interrupt Pin 0 means no INTx; Message Control holds the vectors less one.
    #expect(try space.value(0x3d, 1) == 0)
    #expect(try space.value(0x52, 2) & 0x7ff == PCIInterrupt.msix.info(msix: msix).count - 1)
  }
}
