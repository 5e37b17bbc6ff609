import Testing

@testable import MicroVMM

@Suite struct UART8250Tests {
  private static let data: UInt16 = 0
  private static let ier: UInt16 = 1
  private static let iir: UInt16 = 2
  private static let lcr: UInt16 = 3
  private static let mcr: UInt16 = 4
  private static let lsr: UInt16 = 5
  private static let msr: UInt16 = 6
  private static let scratch: UInt16 = 7

  @Test func transmitsAtOnceAndIsAlwaysReady() {
    var uart = UART8250()
    #expect(uart.read(Self.lsr) == 0x60)
    #expect(uart.write(Self.data, 0x41) == 0x41)
    #expect(uart.read(Self.lsr) == 0x60)
    #expect(uart.read(Self.data) == 0)
  }

  @Test func theFirstTwoRegistersAreTheDivisorWithDLAB() {
    var uart = UART8250()
    _ = uart.write(Self.ier, 0x05)
    _ = uart.write(Self.lcr, 0x83)
    #expect(uart.write(Self.data, 0x34) == nil)
    _ = uart.write(Self.ier, 0x12)
    #expect(uart.read(Self.data) == 0x34)
    #expect(uart.read(Self.ier) == 0x12)
    _ = uart.write(Self.lcr, 0x03)
    #expect(uart.read(Self.lcr) == 0x03)
    #expect(uart.read(Self.ier) == 0x05)
  }

  /// What Linux's driver looks at to find that there is a port, and which (autoconfig of 8250_port.c).
  @Test func isFoundAsA16550A() {
    var uart = UART8250()
    _ = uart.write(Self.ier, 0)
    #expect(uart.read(Self.ier) & 0x0F == 0)
    _ = uart.write(Self.ier, 0xFF)
    #expect(uart.read(Self.ier) == 0x0F)
    _ = uart.write(Self.ier, 0)
    // In loopback, OUT2 and RTS come back as DCD and CTS.
    _ = uart.write(Self.mcr, 0x1A)
    #expect(uart.read(Self.msr) & 0xF0 == 0x90)
    _ = uart.write(Self.mcr, 0)
    #expect(uart.read(Self.iir) == 0x01)
    _ = uart.write(Self.iir, 0x01)
    #expect(uart.read(Self.iir) == 0xC1)
    _ = uart.write(Self.scratch, 0xA5)
    #expect(uart.read(Self.scratch) == 0xA5)
  }

  @Test func aTransmitterThatBecomesEmptyInterruptsUntilItIsTold() {
    var uart = UART8250()
    _ = uart.write(Self.mcr, 0x08)
    #expect(!uart.interruptLine)
    _ = uart.write(Self.ier, 0x02)
    #expect(uart.interruptLine)
    #expect(uart.read(Self.iir) == 0x02)
    #expect(!uart.interruptLine)
    #expect(uart.read(Self.iir) == 0x01)
    _ = uart.write(Self.data, 0x42)
    #expect(uart.interruptLine)
    _ = uart.write(Self.ier, 0)
    #expect(!uart.interruptLine)
    // Turned on again, it interrupts again (the test of Linux's driver for ports that do not).
    _ = uart.write(Self.ier, 0x02)
    #expect(uart.read(Self.iir) == 0x02)
  }

  @Test func withoutOUT2TheLineIsNotConnected() {
    var uart = UART8250()
    _ = uart.write(Self.ier, 0x02)
    #expect(!uart.interruptLine)
    _ = uart.write(Self.mcr, 0x08)
    #expect(uart.interruptLine)
  }

  @Test func loopbackReceivesWhatItTransmits() {
    var uart = UART8250()
    _ = uart.write(Self.mcr, 0x18)
    _ = uart.write(Self.ier, 0x03)
    #expect(uart.write(Self.data, 0x5A) == nil)
    #expect(uart.read(Self.lsr) == 0x61)
    // Received data comes before the empty transmitter.
    #expect(uart.read(Self.iir) == 0x04)
    #expect(uart.read(Self.data) == 0x5A)
    #expect(uart.read(Self.lsr) == 0x60)
    #expect(uart.read(Self.iir) == 0x02)
    _ = uart.write(Self.data, 0x5B)
    _ = uart.write(Self.iir, 0x03)
    #expect(uart.read(Self.lsr) == 0x60)
  }

  @Test func statusRegistersCannotBeWritten() {
    var uart = UART8250()
    let before = uart
    _ = uart.write(Self.lsr, 0xFF)
    _ = uart.write(Self.msr, 0xFF)
    #expect(uart == before)
    #expect(uart.read(Self.msr) == 0xB0)
  }
}
