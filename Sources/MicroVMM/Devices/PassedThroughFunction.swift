import KVM
import LinuxIO
import VFIOUser

/// A PCI function that another process serves over vfio-user, as a guest with a PCI bus has it.
///
/// Configuration space is the server's, but for what only the VMM can do: where the BARs are, and MSI-X. BAR0's doorbells
/// go to KVM while the guest can reach BAR0, and follow it when it moves.
/// One thread at a time. Errors of every call: what the server answers; `EPROTO` for an answer that cannot be; what the
/// socket and KVM say.
struct PassedThroughFunction: ~Copyable {
  /// What the function has beside BARs, and where in its configuration space.
  private struct Capabilities {
    var msix: UInt64
    var express: UInt64?
    /// Where the table and the pending bits are.
    var table: Place
    var pendingBits: Place
  }

  /// An offset in a region.
  struct Place: Equatable, Sendable {
    var region: RegionIndex
    var offset: UInt64
  }

  /// Bytes of configuration space that the ports reach.
  private static let configurationSize: UInt64 = 256
  private static let commandRange = PCIConfiguration.command..<PCIConfiguration.command + 2

  private var client: ClientConnection
  private var bars: BaseAddressRegisters
  /// The command register as the guest wrote it last.
  private var command: UInt64
  private let capabilities: Capabilities
  private var table: MSIXTable
  private var delivery: MSIXDelivery
  private let slots: OfferedDoorbells
  private let writes: RegisterWrites
  /// Which doorbells KVM has.
  private(set) var registrations: DoorbellRegistrations

  /// Attaches to a device, and asks for its parts.
  ///
  /// - Parameters:
  ///   - socket: connected to the server.
  ///   - memory: all of the guest's memory, at guest-physical address 0.
  ///   - doorbells: how doorbells reach the server.
  init(
    _ socket: consuming FileDescriptor, memory: borrowing SharedMemory, doorbells: DoorbellPath
  ) throws(Errno) {
    var client = try ClientConnection.attach(socket, memory: memory)
    var sizes: [UInt64] = []
    var kinds: [UInt32] = []
    for (index, region) in [RegionIndex.bar0, .bar1, .bar2, .bar3, .bar4, .bar5].enumerated() {
      sizes.append(try client.regionInfo(region).info.length)
      let register = BaseAddressRegisters.offsets.lowerBound + UInt64(4 * index)
      kinds.append(UInt32(truncatingIfNeeded: try client.readConfiguration(at: register, count: 4)))
    }
    let command = try client.readConfiguration(at: PCIConfiguration.command, count: 2)
    let (capabilities, vectorCount) = try PassedThroughFunction.findCapabilities(&client)
    let slots = try OfferedDoorbells.take(try client.regionIOFDs(.bar0))
    bars = BaseAddressRegisters(kinds: kinds, sizes: sizes)
    self.command = command
    self.capabilities = capabilities
    table = MSIXTable(vectorCount: vectorCount)
    delivery = MSIXDelivery(vectorCount: vectorCount)
    let registers = sizes[0]
    registrations = DoorbellRegistrations(
      slots.events(doorbells).filter { $0.address < registers && registers - $0.address >= UInt64($0.length) })
    self.slots = slots
    writes = RegisterWrites(doorbells: doorbells)
    self.client = client
  }

  private static func findCapabilities(
    _ client: inout ClientConnection
  ) throws(Errno) -> (Capabilities, vectorCount: Int) {
    guard let msix = try client.capability(PCIConfiguration.msix) else { throw .protocolError }
    let control = try client.readConfiguration(at: msix + PCIConfiguration.msixMessageControl, count: 2)
    let vectorCount = Int(control & PCIConfiguration.msixTableSize) + 1
    guard try client.irqInfo(.msix).count >= vectorCount else { throw .protocolError }
    func place(_ register: UInt64) throws(Errno) -> Place {
      guard let region = RegionIndex(rawValue: UInt32(register & PCIConfiguration.barIndicator)), region != .rom,
        region != .config
      else { throw .protocolError }
      return Place(region: region, offset: register & ~PCIConfiguration.barIndicator)
    }
    let capabilities = Capabilities(
      msix: msix, express: try client.capability(PCIConfiguration.express),
      table: try place(try client.readConfiguration(at: msix + PCIConfiguration.msixTable, count: 4)),
      pendingBits: try place(try client.readConfiguration(at: msix + PCIConfiguration.msixPendingBits, count: 4)))
    return (capabilities, vectorCount)
  }

  /// Whether the guest let the function answer at its BARs.
  private var decodesMemory: Bool { command & PCIConfiguration.memorySpaceEnable != 0 }

  // MARK: Configuration space

  /// Reads 1 to 4 bytes inside of one doubleword of configuration space, at an offset below 256.
  mutating func readConfiguration(at offset: UInt64, count: Int) throws(Errno) -> UInt32 {
    if BaseAddressRegisters.offsets.contains(offset) { return bars.read(at: offset, count: count) }
    return UInt32(truncatingIfNeeded: try client.readConfiguration(at: offset, count: count))
  }

  /// Writes 1 to 4 bytes inside of one doubleword of configuration space, at an offset below 256.
  ///
  /// The server hears of every write, so that it knows where BAR0 is.
  mutating func writeConfiguration(
    at offset: UInt64, count: Int, _ value: UInt32, _ machine: borrowing VirtualMachine
  ) throws(Errno) {
    let written = offset..<offset + UInt64(count)
    let control = capabilities.msix + PCIConfiguration.msixMessageControl
    if written.overlaps(PassedThroughFunction.commandRange) || BaseAddressRegisters.offsets.contains(offset) {
      if BaseAddressRegisters.offsets.contains(offset) {
        bars.write(at: offset, count: count, value)
      } else {
        command = command.replacing(bytesOf: written, with: UInt64(value), at: PCIConfiguration.command)
      }
      // KVM stops before the server hears that BAR0 moves, so that no doorbell comes by the old way after it.
      if bar0Address != registrations.address { try registrations.move(to: nil, machine) }
      try client.writeConfiguration(at: offset, UInt64(value), count: count)
      return try registrations.move(to: bar0Address, machine)
    }
    try client.writeConfiguration(at: offset, UInt64(value), count: count)
    if written.overlaps(control..<control + 2) {
      let now = UInt64(table.control).replacing(bytesOf: written, with: UInt64(value), at: control)
      table.setControl(UInt16(truncatingIfNeeded: now))
      try delivery.update(table, 0..<table.vectorCount, machine, &client)
    }
    if let express = capabilities.express {
      let register = express + PCIConfiguration.deviceControl
      let bits = (0 as UInt64).replacing(bytesOf: written, with: UInt64(value), at: register)
      if bits & PCIConfiguration.functionLevelReset != 0 { try functionLevelReset(machine) }
    }
  }

  /// The server has reset the function: BARs, command and MSI-X are as at the begin.
  private mutating func functionLevelReset(_ machine: borrowing VirtualMachine) throws(Errno) {
    bars.reset()
    command = 0
    table.reset()
    try registrations.move(to: nil, machine)
    try delivery.update(table, 0..<table.vectorCount, machine, &client)
  }

  private var bar0Address: UInt64? { decodesMemory ? bars.window(.bar0)?.address : nil }

  // MARK: Memory

  /// The place in a BAR that the guest accesses; nil: none of this function.
  func place(of address: UInt64, count: Int) -> Place? {
    guard decodesMemory else { return nil }
    for window in bars.windows {
      if let offset = window.offset(of: address, count: count) { return Place(region: window.region, offset: offset) }
    }
    return nil
  }

  /// Reads 1 to 8 bytes of a BAR.
  mutating func read(_ place: Place, count: Int, _ counts: inout FunctionCounts) throws(Errno) -> UInt64 {
    if let offset = place.offset(in: capabilities.table, size: table.size) {
      counts.interruptTable += 1
      return table.read(at: offset, count: count)
    }
    let pendingSize = UInt64(table.vectorCount + 63) / 64 * 8
    if let offset = place.offset(in: capabilities.pendingBits, size: pendingSize) {
      counts.interruptTable += 1
      return (0..<count * 8).reduce(0) { bits, bit in
        delivery.isPending(Int(offset) * 8 + bit) ? bits | 1 << UInt64(bit) : bits
      }
    }
    counts.registers.reads += 1
    return try client.regionRead(place.region, offset: place.offset, count: UInt32(truncatingIfNeeded: count)).value
  }

  /// Writes 1 to 8 bytes of a BAR.
  mutating func write(
    _ place: Place, count: Int, _ value: UInt64, _ machine: borrowing VirtualMachine, _ counts: inout FunctionCounts
  ) throws(Errno) {
    if let offset = place.offset(in: capabilities.table, size: table.size) {
      counts.interruptTable += 1
      table.write(at: offset, count: count, value)
      let first = Int(offset / MSIXTable.entrySize)
      return try delivery.update(table, first..<first + 2, machine, &client)
    }
    guard place.region == .bar0 else {
      counts.registers.registerWrites += 1
      return try client.regionWrite(place.region, offset: place.offset, RegionData(value, count: count))
    }
    try writes.deliver(at: place.offset, count: count, value, slots: slots, &client, &counts.registers)
  }
}

/// Exits to the VMM for a function's BARs.
struct FunctionCounts: Equatable, Sendable {
  /// Those for registers and doorbells.
  var registers = MMIOCounts()
  /// Those for the MSI-X table and its pending bits, which the VMM answers itself.
  var interruptTable = 0
}

extension PassedThroughFunction.Place {
  /// The offset in a structure of `size` bytes that begins at `start`; nil: not in it.
  fileprivate func offset(in start: PassedThroughFunction.Place, size: UInt64) -> UInt64? {
    guard region == start.region, offset >= start.offset, offset - start.offset < size else { return nil }
    return offset - start.offset
  }
}

extension UInt64 {
  /// This register, which begins at `register`, after a write of `value` to the offsets `written`: bytes of the write
  /// that are not the register's have no effect.
  fileprivate func replacing(bytesOf written: Range<UInt64>, with value: UInt64, at register: UInt64) -> UInt64 {
    var result = self
    for offset in written where offset >= register && offset - register < 8 {
      let byte = value >> ((offset - written.lowerBound) * 8)
      result = result.replacing(from: Int(offset - register), count: 1, with: byte)
    }
    return result
  }
}
