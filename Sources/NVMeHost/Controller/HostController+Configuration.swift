import LinuxIO
import VFIOUser

/// Configuration space.
extension HostController {
  /// Reads bytes of configuration space.
  ///
  /// - Throws: `message`, as every call here.
  public func readConfiguration(at offset: UInt64, count: UInt32) throws(HostError) -> [UInt8] {
    try readRegion(.config, at: offset, count: count)
  }

  /// Writes bytes of configuration space.
  public func writeConfiguration(at offset: UInt64, _ bytes: [UInt8]) throws(HostError) {
    try writeRegion(.config, at: offset, bytes)
  }

  /// Reads 16 bits of configuration space.
  public func readConfiguration16(at offset: UInt64) throws(HostError) -> UInt16 {
    let bytes = try readConfiguration(at: offset, count: 2)
    return UInt16(bytes[0]) | UInt16(bytes[1]) << 8
  }

  /// Writes 16 bits of configuration space.
  public func writeConfiguration16(at offset: UInt64, _ value: UInt16) throws(HostError) {
    try writeConfiguration(
      at: offset, [UInt8(truncatingIfNeeded: value), UInt8(truncatingIfNeeded: value >> 8)])
  }

  /// Sets and clears bits of 16 bits of configuration space.
  public func updateConfiguration16(at offset: UInt64, set: UInt16 = 0, clear: UInt16 = 0) throws(HostError) {
    try writeConfiguration16(at: offset, try readConfiguration16(at: offset) & ~clear | set)
  }

  /// Where a PCI capability is.
  ///
  /// - Throws: `missing` where the device does not have it.
  public func capabilityOffset(_ identifier: UInt8) throws(HostError) -> UInt64 {
    var offset = try readConfiguration(at: PCIConfiguration.capabilitiesPointer, count: 1)[0]
    for _ in 0..<PCIConfiguration.maximumCapabilities where offset != 0 {
      let header = try readConfiguration(at: UInt64(offset), count: 2)
      if header[0] == identifier { return UInt64(offset) }
      offset = header[1]
    }
    throw .missing("PCI capability \(identifier)")
  }

  /// Lets the device decode its BARs and do DMA, and turns INTx off, as a driver's probe does.
  public func enableDevice() throws(HostError) {
    typealias Command = PCIConfiguration.Command
    try updateConfiguration16(
      at: PCIConfiguration.command, set: Command.memorySpace | Command.busMaster | Command.interruptDisable)
  }

  /// Lets the device do DMA, or forbids it.
  public func setBusMaster(_ on: Bool) throws(HostError) {
    let bit = PCIConfiguration.Command.busMaster
    try updateConfiguration16(at: PCIConfiguration.command, set: on ? bit : 0, clear: on ? 0 : bit)
  }

  /// Gives BAR0 another address, as firmware or a kernel does that assigns resources anew: decoding is off meanwhile,
  /// and the size is asked for by writing ones.
  ///
  /// - Parameter address: a multiple of the size of BAR0.
  public func moveRegisters(to address: UInt64) throws(HostError) {
    let space = PCIConfiguration.Command.memorySpace
    try updateConfiguration16(at: PCIConfiguration.command, clear: space)
    for half in 0..<2 as Range<UInt64> {
      let offset = PCIConfiguration.bar0 + half * 4
      try writeConfiguration(at: offset, [UInt8](repeating: 0xFF, count: 4))
      _ = try readConfiguration(at: offset, count: 4)
      let value = UInt32(truncatingIfNeeded: address >> (half * 32))
      try writeConfiguration(at: offset, (0..<4).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) })
    }
    try updateConfiguration16(at: PCIConfiguration.command, set: space)
  }

  /// Function level reset: everything is as at power-on; the driver has to begin anew. Memory stays mapped.
  public func functionLevelReset() throws(HostError) {
    let express = try capabilityOffset(PCIConfiguration.Express.identifier)
    try updateConfiguration16(
      at: express + PCIConfiguration.Express.deviceControl, set: PCIConfiguration.Express.initiateFunctionLevelReset)
    adminQueue = nil
  }

  /// DEVICE_RESET: as a VMM resets the machine. The driver has to begin anew. Memory stays mapped.
  public func deviceReset() throws(HostError) {
    try connection.withClient { (client) throws(Errno) in try client.deviceReset() }
    adminQueue = nil
  }
}
