/// The ports by which a PC reaches PCI configuration space: CONFIG_ADDRESS at CF8h, CONFIG_DATA at CFCh to CFFh.
///
/// Source: PCI Local Bus Specification 3.0, 3.2.2.3.2 "Software Generation of Configuration Transactions".
struct PCIConfigurationPorts: Equatable, Sendable {
  /// Where an access goes.
  struct Target: Equatable, Sendable {
    /// Bus number.
    var bus: UInt8
    /// Device number in bits 7:3, function number in bits 2:0.
    var deviceFunction: UInt8
    /// Offset in its configuration space, 0 to 255; the access does not pass the doubleword that it is in.
    var offset: UInt64
  }

  /// CONFIG_ADDRESS.
  static let addressPort: UInt16 = 0xCF8
  /// CONFIG_DATA, a doubleword of which each byte is a port.
  static let dataPorts: ClosedRange<UInt16> = 0xCFC...0xCFF
  /// CONFIG_ADDRESS bit 31: accesses of CONFIG_DATA become configuration accesses.
  private static let enable: UInt32 = 1 << 31
  /// CONFIG_ADDRESS bits 30:24 and 1:0 are 0.
  private static let addressMask: UInt32 = 0x80FF_FFFC

  /// CONFIG_ADDRESS as it was written.
  private(set) var address: UInt32 = 0

  /// Writes CONFIG_ADDRESS. Only an access of the whole doubleword does.
  ///
  /// - Returns: whether it was one; otherwise it is an access of some other port there.
  mutating func writeAddress(port: UInt16, count: Int, _ value: UInt32) -> Bool {
    guard port == PCIConfigurationPorts.addressPort, count == 4 else { return false }
    address = value & PCIConfigurationPorts.addressMask
    return true
  }

  /// Where an access of `count` bytes of CONFIG_DATA goes; nil: nowhere, it reads all ones.
  func target(port: UInt16, count: Int) -> Target? {
    guard address & PCIConfigurationPorts.enable != 0, PCIConfigurationPorts.dataPorts.contains(port),
      count <= Int(PCIConfigurationPorts.dataPorts.upperBound - port) + 1
    else { return nil }
    return Target(
      bus: UInt8(truncatingIfNeeded: address >> 16), deviceFunction: UInt8(truncatingIfNeeded: address >> 8),
      offset: UInt64(address & 0xFC) + UInt64(port - PCIConfigurationPorts.dataPorts.lowerBound))
  }
}
