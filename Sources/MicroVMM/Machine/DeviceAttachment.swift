import LinuxIO
import VFIOUser

extension ClientConnection {
  /// How long an answer of a device's server is awaited, in ms: it may have been started just now, on a busy machine.
  private static let deviceTimeout: Int32 = 60_000

  /// Attaches to a device: agrees on a version, and hands the guest's memory over.
  ///
  /// - Parameters:
  ///   - socket: connected to the server.
  ///   - memory: all of the guest's memory, at guest-physical address 0.
  /// - Throws: `EPROTO` where it is no PCI device.
  static func attach(
    _ socket: consuming FileDescriptor, memory: borrowing SharedMemory
  ) throws(Errno) -> ClientConnection {
    var client = ClientConnection(socket, timeout: deviceTimeout)
    var capabilities = Capabilities.server
    capabilities.maxMessageFDs = 16
    try client.negotiate(json: capabilities.json)
    try client.dmaMap(
      DMAMap(flags: [.read, .write], fileOffset: 0, address: 0, length: UInt64(memory.mapping.count)),
      descriptor: memory.descriptor.rawValue)
    guard try client.deviceInfo().flags.contains(.pci) else { throw .protocolError }
    return client
  }

  /// Reads 1 to 4 bytes of configuration space.
  mutating func readConfiguration(at offset: UInt64, count: Int) throws(Errno) -> UInt64 {
    try regionRead(.config, offset: offset, count: UInt32(truncatingIfNeeded: count)).value
  }

  /// Writes 1 to 4 bytes of configuration space.
  mutating func writeConfiguration(at offset: UInt64, _ value: UInt64, count: Int) throws(Errno) {
    try regionWrite(.config, offset: offset, RegionData(value, count: count))
  }

  /// Where a capability of configuration space is; nil where the device does not have it.
  ///
  /// - Throws: `EPROTO` for a list without an end.
  mutating func capability(_ identifier: UInt8) throws(Errno) -> UInt64? {
    var offset = try readConfiguration(at: PCIConfiguration.capabilitiesPointer, count: 1)
    for _ in 0..<PCIConfiguration.maximumCapabilities {
      // The two lowest bits are reserved; the first capability follows the header.
      offset &= PCIConfiguration.capabilityMask
      guard offset >= PCIConfiguration.headerSize else { return nil }
      let header = try readConfiguration(at: offset, count: 2)
      if header & 0xFF == UInt64(identifier) { return offset }
      offset = header >> 8
    }
    throw .protocolError
  }
}
