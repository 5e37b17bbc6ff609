import LinuxIO
import VFIOUser

/// The doorbells that a server offers with an eventfd (DEVICE_GET_REGION_IO_FDS): with a slot (shadow entries), and this
/// process's mapping of the slots, or without one (plain ioeventfds).
///
/// The entries come from another process: each is checked against the descriptors and the size of the memory.
struct OfferedDoorbells: ~Copyable {
  /// One doorbell register.
  struct Doorbell: Sendable {
    /// Offset in the region.
    let offset: UInt64
    /// Its slot.
    let slot: SharedWord
    /// The address of the slot in this process.
    let slotAddress: UInt64
    /// The number of its eventfd.
    let event: Int32
  }

  /// Bytes of a doorbell register, and of a slot.
  static let width = 4
  /// Most bytes of slots that are mapped.
  private static let largestMemory: Int64 = 1 << 20

  /// The doorbells with a slot, by offset.
  let doorbells: [UInt64: Doorbell]
  /// The eventfds of those without, by offset.
  let plain: [UInt64: Int32]
  /// Hold the mapping and the eventfds that `doorbells` and `plain` name.
  private let memory: MemoryMapping?
  private let events: FixedTable<FileDescriptor?>

  private init(
    doorbells: [UInt64: Doorbell], plain: [UInt64: Int32], memory: consuming MemoryMapping?,
    events: consuming FixedTable<FileDescriptor?>
  ) {
    self.doorbells = doorbells
    self.plain = plain
    self.memory = memory
    self.events = events
  }

  /// Takes what a server offers. Entries that are no doorbells are left to messages.
  ///
  /// - Throws: `EPROTO` for an entry whose descriptor did not come, is no eventfd, or whose slot is not in the memory;
  ///   `mmap(2)`'s.
  static func take(_ offer: consuming RegionIOFDsDescription) throws(Errno) -> OfferedDoorbells {
    let doorbells = offer.fds.entries.filter { $0.length == UInt64(width) && $0.flags == [] }
    let entries = doorbells.filter { $0.kind == .shadow }
    let plainEntries = doorbells.filter { $0.kind == .ioeventfd }
    var events = FixedTable<FileDescriptor?>(count: offer.descriptors.count) { _ in nil }
    var numbers: [UInt32: Int32] = [:]
    for index in Set((entries + plainEntries).map(\.descriptorIndex)) {
      guard let place = Int(exactly: index), place < events.count, let event = offer.descriptors.take(place),
        EventFD.isEventFD(event.rawValue)
      else { throw .protocolError }
      numbers[index] = event.rawValue
      events[place] = consume event
    }
    var plain: [UInt64: Int32] = [:]
    for entry in plainEntries { plain[entry.offset] = numbers[entry.descriptorIndex] }
    guard let memoryIndex = entries.first?.shadowDescriptorIndex else {
      return OfferedDoorbells(doorbells: [:], plain: plain, memory: nil, events: events)
    }
    guard let file = offer.descriptors.take(Int(memoryIndex)) else { throw .protocolError }
    let size = try file.status().st_size
    guard size > 0, size <= largestMemory else { throw .protocolError }
    let memory = try MemoryMapping(fd: file.rawValue, offset: 0, count: Int(size), [.read, .write])
    var slots: [UInt64: Doorbell] = [:]
    for entry in entries {
      guard entry.shadowDescriptorIndex == memoryIndex, entry.shadowOffset % UInt64(width) == 0,
        entry.shadowOffset < UInt64(size), UInt64(size) - entry.shadowOffset >= UInt64(width),
        let event = numbers[entry.descriptorIndex]
      else { throw .protocolError }
      let slot = unsafe memory.base + Int(entry.shadowOffset)
      slots[entry.offset] = Doorbell(
        offset: entry.offset, slot: unsafe SharedWord(at: slot),
        slotAddress: UInt64(UInt(bitPattern: slot)), event: event)
    }
    return OfferedDoorbells(doorbells: slots, plain: plain, memory: memory, events: events)
  }
}
