import KVM
import Testing

@testable import LinuxIO
@testable import MicroVMM
@testable import VFIOUser

/// What a server offers is checked against what it sent.
@Suite struct OfferedDoorbellsTests {
  private static func entry(
    _ offset: UInt64 = 0x1008, kind: IOFDEntry.Kind = .shadow, length: UInt64 = 4, event: UInt32 = 1,
    flags: IOFDEntry.Flags = [], memory: UInt32 = 0, slot: UInt64 = 8
  ) -> IOFDEntry {
    IOFDEntry(
      kind: kind, offset: offset, length: length, descriptorIndex: event, flags: flags,
      shadowDescriptorIndex: memory, shadowOffset: slot)
  }

  /// An offer of a page of slots, an eventfd and a second page.
  private static func take(
    _ entries: [IOFDEntry], _ memory: borrowing SharedMemory, _ event: borrowing EventFD
  ) throws(Errno) -> OfferedDoorbells {
    var descriptors = ReceivedDescriptors(capacity: 16)
    descriptors.append(try memory.descriptor.duplicate())
    descriptors.append(try event.descriptor.duplicate())
    descriptors.append(try memory.descriptor.duplicate())
    return try OfferedDoorbells.take(
      RegionIOFDsDescription(fds: RegionIOFDs(index: .bar0, entries: entries), descriptors: descriptors))
  }

  @Test func aSlotIsAWordOfTheServersMemory() throws {
    let memory = try SharedMemory(name: "slots", count: 4096)
    let event = try EventFD()
    let slots = try Self.take([Self.entry(), Self.entry(0x1FFC, slot: 4092)], memory, event)
    #expect(slots.doorbells.keys.sorted() == [0x1008, 0x1FFC])
    let doorbell = try #require(slots.doorbells[0x1008])
    doorbell.slot.store(77)
    #expect(memory.mapping.base.load(fromByteOffset: 8, as: UInt32.self) == 77)
    let last = try #require(slots.doorbells[0x1FFC])
    #expect(last.slotAddress - doorbell.slotAddress == 4084)
    EventFD.signal(rawValue: doorbell.event)
    #expect(event.drain() == 1)
  }

  @Test func entriesThatAreNoSlotAreLeftToMessages() throws {
    let memory = try SharedMemory(name: "slots", count: 4096)
    let event = try EventFD()
    let entries = [
      Self.entry(kind: .ioeventfd), Self.entry(kind: .ioregionfd), Self.entry(length: 8), Self.entry(length: 0),
      Self.entry(flags: .datamatch), Self.entry(flags: .pio),
    ]
    let slots = try Self.take(entries, memory, event)
    #expect(slots.doorbells.isEmpty)
  }

  @Test(arguments: [
    entry(event: 3), entry(event: .max), entry(event: 2), entry(memory: 3), entry(memory: 1), entry(slot: 4096),
    entry(slot: 4093), entry(slot: 2), entry(slot: .max), entry(slot: .max - 3),
  ])
  func anEntryThatCannotBeIsAnError(_ entry: IOFDEntry) throws {
    let memory = try SharedMemory(name: "slots", count: 4096)
    let event = try EventFD()
    #expect(throws: Errno.protocolError) { _ = try Self.take([entry], memory, event) }
  }

  @Test func slotsInTwoFilesAreAnError() throws {
    let memory = try SharedMemory(name: "slots", count: 4096)
    let event = try EventFD()
    #expect(throws: Errno.protocolError) {
      _ = try Self.take([Self.entry(), Self.entry(0x100C, memory: 2)], memory, event)
    }
  }
}
