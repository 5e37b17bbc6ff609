import KVM
import LinuxIO

/// The guest's PCI bus 0: a host bridge, and one function at 00:01.0.
struct PCIBus: ~Copyable {
  /// Device and function numbers: the device in bits 7:3.
  private static let hostBridge: UInt8 = 0 << 3
  private static let function: UInt8 = 1 << 3

  /// The ports by which the guest reaches configuration space.
  private var ports = PCIConfigurationPorts()
  /// The function that is passed through.
  private(set) var device: PassedThroughFunction
  /// Exits for its BARs.
  private(set) var counts = FunctionCounts()
  /// Exits for configuration space.
  private(set) var configurationAccesses = 0

  /// A bus with a function.
  init(_ device: consuming PassedThroughFunction) { self.device = device }

  // MARK: Ports

  /// Reads a port.
  ///
  /// - Returns: nil for a port that is not the bus's.
  /// - Throws: what the function throws.
  mutating func read(port: UInt16, count: Int) throws(Errno) -> UInt32? {
    if port == PCIConfigurationPorts.addressPort, count == 4 { return ports.address }
    guard PCIConfigurationPorts.dataPorts.contains(port) else { return nil }
    configurationAccesses += 1
    guard let target = ports.target(port: port, count: count), target.bus == 0 else { return .unanswered(count) }
    switch target.deviceFunction {
    case PCIBus.hostBridge: return HostBridge.read(at: target.offset, count: count)
    case PCIBus.function: return try device.readConfiguration(at: target.offset, count: count)
    default: return .unanswered(count)
    }
  }

  /// Writes a port.
  ///
  /// - Returns: whether it is the bus's.
  /// - Throws: what the function throws.
  mutating func write(
    port: UInt16, count: Int, _ value: UInt32, _ machine: borrowing VirtualMachine
  ) throws(Errno) -> Bool {
    if ports.writeAddress(port: port, count: count, value) { return true }
    guard PCIConfigurationPorts.dataPorts.contains(port) else { return false }
    configurationAccesses += 1
    if let target = ports.target(port: port, count: count), target.bus == 0,
      target.deviceFunction == PCIBus.function
    {
      try device.writeConfiguration(at: target.offset, count: count, value, machine)
    }
    return true
  }

  // MARK: Memory

  /// Reads an address.
  ///
  /// - Returns: nil for an address that no BAR has.
  /// - Throws: what the function throws.
  mutating func read(address: UInt64, count: Int) throws(Errno) -> UInt64? {
    guard let place = device.place(of: address, count: count) else { return nil }
    return try device.read(place, count: count, &counts)
  }

  /// Writes an address.
  ///
  /// - Returns: whether a BAR has it.
  /// - Throws: what the function throws.
  mutating func write(
    address: UInt64, count: Int, _ value: UInt64, _ machine: borrowing VirtualMachine
  ) throws(Errno) -> Bool {
    guard let place = device.place(of: address, count: count) else { return false }
    try device.write(place, count: count, value, machine, &counts)
    return true
  }
}
