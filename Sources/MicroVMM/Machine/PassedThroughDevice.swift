import LinuxIO
import VFIOUser

/// A PCI function that another process serves over vfio-user, as the VMM has it: its configuration, BAR0, interrupts and
/// doorbells. The guest itself sees BAR0 only.
///
/// One thread at a time. Errors of every call: what the server answers; `EPROTO` for an answer that cannot be; what the
/// socket says.
struct PassedThroughDevice: ~Copyable {
  private var client: ClientConnection
  /// Where the guest sees BAR0.
  let address: UInt64
  /// Bytes of BAR0.
  let size: UInt64
  /// The doorbells with a slot.
  let slots: OfferedDoorbells

  /// Attaches to a device: agrees on a version, hands the guest's memory over, asks for its parts.
  ///
  /// - Parameters:
  ///   - socket: connected to the server.
  ///   - memory: all of the guest's memory, at guest-physical address 0.
  ///   - address: where BAR0 will go; below 4 GiB, aligned to its size.
  init(
    _ socket: consuming FileDescriptor, memory: borrowing SharedMemory, at address: UInt64
  ) throws(Errno) {
    var client = try ClientConnection.attach(socket, memory: memory)
    let size = try client.regionInfo(.bar0).info.length
    guard size > 0, size & (size - 1) == 0, address % size == 0 else { throw .protocolError }
    let slots = try OfferedDoorbells.take(try client.regionIOFDs(.bar0))
    self.address = address
    self.size = size
    self.slots = slots
    self.client = client
  }

  /// Writes BAR0's address as firmware does, and lets the device decode it and do DMA.
  mutating func place(_ placement: MicroVMM.Placement) throws(Errno) {
    switch placement {
    case .known: try place(at: address)
    case .moved(let first):
      try place(at: first)
      try place(at: address)
    case .hidden: try client.writeConfiguration(at: PCIConfiguration.command, PCIConfiguration.enabledCommand, count: 2)
    }
  }

  private mutating func place(at address: UInt64) throws(Errno) {
    let bar = try client.readConfiguration(at: PCIConfiguration.baseAddress0, count: 4)
    try client.writeConfiguration(at: PCIConfiguration.baseAddress0, address & 0xFFFF_FFFF, count: 4)
    if bar & PCIConfiguration.memoryTypeMask == PCIConfiguration.memoryType64 {
      try client.writeConfiguration(at: PCIConfiguration.baseAddress0 + 4, address >> 32, count: 4)
    }
    let placed = try client.readConfiguration(at: PCIConfiguration.baseAddress0, count: 4)
    guard placed & ~0xF == address & 0xFFFF_FFFF else { throw .protocolError }
    try client.writeConfiguration(at: PCIConfiguration.command, PCIConfiguration.enabledCommand, count: 2)
  }

  /// Lets MSI-X vectors 0, 1 and so on signal the eventfds numbered `numbers`, and turns MSI-X on.
  mutating func installInterrupts(_ numbers: [Int32]) throws(Errno) {
    let set = SetIRQs(
      index: .msix, start: 0, count: UInt32(truncatingIfNeeded: numbers.count), action: .trigger,
      data: .eventFDs(numbers.count))
    try client.setIRQs(set, descriptors: numbers)
    guard let capability = try client.capability(PCIConfiguration.msix) else { throw .protocolError }
    let control = capability + PCIConfiguration.msixMessageControl
    let value = try client.readConfiguration(at: control, count: 2)
    try client.writeConfiguration(at: control, value | PCIConfiguration.msixEnable, count: 2)
  }

  /// The offset in BAR0 of an access of the guest; nil where it is not all inside.
  func offset(of address: UInt64, count: Int) -> UInt64? {
    guard address >= self.address, address - self.address <= size - min(UInt64(count), size) else { return nil }
    return address - self.address
  }

  /// Reads a register of BAR0.
  mutating func read(at offset: UInt64, count: Int) throws(Errno) -> UInt64 {
    try client.regionRead(.bar0, offset: offset, count: UInt32(truncatingIfNeeded: count)).value
  }

  /// Delivers a write to BAR0.
  mutating func write(
    at offset: UInt64, count: Int, _ value: UInt64, _ writes: RegisterWrites, _ counts: inout MMIOCounts
  ) throws(Errno) {
    try writes.deliver(at: offset, count: count, value, slots: slots, &client, &counts)
  }
}
