/// The ACPI tables that tell Linux what the machine is: one CPU, an I/O APIC, a PCI host bridge, two serial ports.
///
/// The machine is of the hardware-reduced kind: no power management timer, no fixed events, no legacy interrupts; sleep
/// and reset are registers of their own. Source: ACPI Specification 6.5, 5.2 "ACPI System Description Tables".
enum ACPITables {
  /// A serial port and its interrupt.
  struct SerialPort: Equatable, Sendable {
    /// The name of its device.
    var name: String
    /// The first of its ports.
    var port: UInt16
    /// Its interrupt line, and GSI.
    var interrupt: UInt8
  }

  /// COM1 is the console.
  static let console = SerialPort(name: "COM1", port: 0x3F8, interrupt: 4)
  /// COM2 takes the guest's status.
  static let status = SerialPort(name: "COM2", port: 0x2F8, interrupt: 3)

  private static let headerSize = 36
  private static let localAPICAddress: UInt32 = 0xFEE0_0000
  private static let ioAPICAddress: UInt32 = 0xFEC0_0000
  /// MADT flags: the machine has two 8259 as well. They are never used.
  private static let hasPICs: UInt32 = 1 << 0

  /// The tables as they lie in memory from `address` on. The first is the RSDP.
  ///
  /// - Parameters:
  ///   - address: below 4 GiB, a multiple of 16.
  ///   - window: the addresses where the guest may place BARs.
  static func image(at address: UInt32, window: ClosedRange<UInt32>) -> [UInt8] {
    var image = [UInt8](repeating: 0, count: 48)  // The RSDP goes there last: it must know the others.
    func append(_ table: [UInt8]) -> UInt64 {
      let place = UInt64(address) + UInt64(image.count)
      image += table
      image += [UInt8](repeating: 0, count: (16 - image.count % 16) % 16)
      return place
    }
    let dsdt = append(differentiated(window: window))
    let fadt = append(fixed(dsdt: dsdt))
    let madt = append(interruptControllers())
    let xsdt = append(table("XSDT", revision: 1, littleEndian(fadt) + littleEndian(madt)))
    image.replaceSubrange(0..<36, with: rootPointer(xsdt: xsdt))
    return image
  }

  // MARK: Tables

  private static func rootPointer(xsdt: UInt64) -> [UInt8] {
    var bytes = Array("RSD PTR ".utf8) + [0] + Array("NVMED ".utf8) + [2]
    bytes += littleEndian(UInt32(0)) + littleEndian(UInt32(36)) + littleEndian(xsdt) + [0, 0, 0, 0]
    bytes[8] = checksum(bytes[0..<20])
    bytes[32] = checksum(bytes[...])
    return bytes
  }

  /// FADT (5.2.9), revision 6.
  private static func fixed(dsdt: UInt64) -> [UInt8] {
    /// Generic address structure (5.2.3.2): a port of one byte.
    func port(_ number: UInt16) -> [UInt8] { [1, 8, 0, 1] + littleEndian(UInt64(number)) }
    /// IAPC_BOOT_ARCH: no VGA, no CMOS clock; without bit 1 there is no keyboard controller to look for.
    let bootArchitecture: UInt16 = 1 << 2 | 1 << 5
    /// Flags: WBINVD works; no fixed power and sleep buttons; there is a reset register; hardware-reduced.
    let flags: UInt32 = 1 << 0 | 1 << 4 | 1 << 5 | 1 << 10 | 1 << 20
    var body = [UInt8](repeating: 0, count: 276 - headerSize)
    func put(_ bytes: [UInt8], at offset: Int) {
      body.replaceSubrange(offset - headerSize..<offset - headerSize + bytes.count, with: bytes)
    }
    put(littleEndian(bootArchitecture), at: 109)
    put(littleEndian(flags), at: 112)
    put(port(PowerPorts.resetPort), at: 116)
    put([PowerPorts.resetValue], at: 128)
    put(littleEndian(dsdt), at: 140)
    put(port(PowerPorts.sleepControlPort), at: 244)
    put(port(PowerPorts.sleepControlPort + 1), at: 256)
    return table("FACP", revision: 6, body)
  }

  /// MADT (5.2.12): local APIC 0, and the I/O APIC with GSIs from 0 on.
  private static func interruptControllers() -> [UInt8] {
    var body = littleEndian(localAPICAddress) + littleEndian(hasPICs)
    body += [0, 8, 0, 0] + littleEndian(UInt32(1))
    body += [1, 12, 0, 0] + littleEndian(ioAPICAddress) + littleEndian(UInt32(0))
    return table("APIC", revision: 4, body)
  }

  /// DSDT: the devices.
  private static func differentiated(window: ClosedRange<UInt32>) -> [UInt8] {
    let bridge = AML.device(
      "PCI0",
      [
        AML.name("_HID", AML.eisaID("PNP", 0x0A03)),
        AML.name("_UID", AML.byte(0)),
        AML.name(
          "_CRS",
          AML.resources([
            AML.buses(0...0), AML.ports(PCIConfigurationPorts.addressPort, count: 8), AML.memory(window),
          ])),
      ])
    let serialPorts = [console, status].enumerated().map { index, serial in
      AML.device(
        serial.name,
        [
          AML.name("_HID", AML.eisaID("PNP", 0x0501)),
          AML.name("_UID", AML.byte(UInt8(truncatingIfNeeded: index))),
          AML.name(
            "_CRS",
            AML.resources([
              AML.interrupt(UInt32(serial.interrupt)),
              AML.ports(serial.port, count: UInt8(truncatingIfNeeded: UART8250.portCount)),
            ])),
        ])
    }
    let softOff = AML.name(
      "_S5_", AML.package(of: [AML.byte(PowerPorts.softOffType), AML.byte(0), AML.byte(0), AML.byte(0)]))
    return table("DSDT", revision: 2, AML.scope("\\_SB_", [bridge] + serialPorts) + softOff)
  }

  // MARK: Header

  /// A table with its header (5.2.6).
  private static func table(_ signature: String, revision: UInt8, _ body: [UInt8]) -> [UInt8] {
    var bytes = Array(signature.utf8) + littleEndian(UInt32(truncatingIfNeeded: headerSize + body.count))
    bytes += [revision, 0] + Array("NVMED ".utf8) + Array("MICROVMM".utf8) + littleEndian(UInt32(1))
    bytes += Array("NVMD".utf8) + littleEndian(UInt32(1)) + body
    bytes[9] = checksum(bytes[...])
    return bytes
  }

  /// What makes the sum of all bytes 0.
  private static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt8 { 0 &- bytes.reduce(0, &+) }
}
