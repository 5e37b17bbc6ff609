import LinuxIO
import VFIOUser

/// Memory that doorbells are stored in, and the eventfds that go with it, as a server handed them over.
final class DoorbellMemory: Sendable {
  /// Where one doorbell goes: a word of one of the mappings, if it has one, and the number of its eventfd or -1.
  struct Place: Sendable {
    let word: SharedWord?
    let eventfd: Int32
  }

  private final class Mapping: Sendable {
    let memory: MemoryMapping
    init(_ memory: consuming MemoryMapping) { self.memory = memory }
  }

  private final class Descriptor: Sendable {
    let descriptor: FileDescriptor
    init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }
  }

  private let mappings: [Mapping]
  private let eventfds: [Descriptor]
  /// By the offset of the register in BAR0.
  let places: [UInt64: Place]

  private init(mappings: [Mapping], eventfds: [Descriptor], places: [UInt64: Place]) {
    self.mappings = mappings
    self.eventfds = eventfds
    self.places = places
  }

  /// The slots of POST_WRITE ioeventfds. Entries of another type, of another width, or for certain values only have no
  /// place: KVM would leave such writes to a message.
  ///
  /// - Throws: `missing` for an entry whose descriptor did not come or whose slot lies outside its file.
  static func slots(_ description: consuming RegionIOFDsDescription) throws(HostError) -> DoorbellMemory {
    let entries = description.fds.entries.filter {
      $0.kind == .shadow && $0.length == 4 && $0.flags == [] && $0.shadowOffset % 4 == 0
    }
    // Each file is mapped up to the last slot in it.
    var ends: [UInt32: UInt64] = [:]
    for entry in entries {
      let (end, overflow) = entry.shadowOffset.addingReportingOverflow(4)
      guard !overflow else { throw .missing("slot at \(entry.shadowOffset)") }
      ends[entry.shadowDescriptorIndex] = max(ends[entry.shadowDescriptorIndex] ?? 0, end)
    }
    var mappings: [UInt32: Mapping] = [:]
    for (index, end) in ends {
      guard let file = description.descriptors.take(Int(index)) else { throw .missing("descriptor \(index)") }
      mappings[index] = try map(file, end: end)
    }
    var eventfds: [UInt32: Descriptor] = [:]
    var places: [UInt64: Place] = [:]
    for entry in entries {
      if eventfds[entry.descriptorIndex] == nil {
        guard let event = description.descriptors.take(Int(entry.descriptorIndex)) else {
          throw .missing("descriptor \(entry.descriptorIndex)")
        }
        eventfds[entry.descriptorIndex] = Descriptor(event)
      }
      guard let mapping = mappings[entry.shadowDescriptorIndex], let event = eventfds[entry.descriptorIndex] else {
        continue
      }
      let word = unsafe SharedWord(at: mapping.memory.base + Int(entry.shadowOffset))
      places[entry.offset] = Place(word: word, eventfd: event.descriptor.rawValue)
    }
    return DoorbellMemory(
      mappings: [Mapping](mappings.values), eventfds: [Descriptor](eventfds.values), places: places)
  }

  /// The eventfds of ioeventfds without a value.
  ///
  /// - Throws: `missing` for an entry whose descriptor did not come.
  static func eventfds(_ description: consuming RegionIOFDsDescription) throws(HostError) -> DoorbellMemory {
    let entries = description.fds.entries.filter { $0.kind == .ioeventfd && $0.length == 4 && $0.flags == [] }
    var eventfds: [UInt32: Descriptor] = [:]
    for index in Set(entries.map(\.descriptorIndex)) {
      guard let event = description.descriptors.take(Int(index)) else { throw .missing("descriptor \(index)") }
      eventfds[index] = Descriptor(event)
    }
    var places: [UInt64: Place] = [:]
    for entry in entries {
      guard let event = eventfds[entry.descriptorIndex] else { continue }
      places[entry.offset] = Place(word: nil, eventfd: event.descriptor.rawValue)
    }
    return DoorbellMemory(mappings: [], eventfds: [Descriptor](eventfds.values), places: places)
  }

  private static func map(_ file: borrowing FileDescriptor, end: UInt64) throws(HostError) -> Mapping {
    do throws(Errno) {
      let size = UInt64(max(try file.status().st_size, 0))
      guard end <= size else { throw .badAddress }
      return Mapping(
        try MemoryMapping(fd: file.rawValue, offset: 0, count: Int(end), [.read, .write]))
    } catch .badAddress {
      throw .missing("slots up to \(end) in their file")
    } catch {
      throw .system(error)
    }
  }

  /// The registers of BAR0 that the server lets its client map, from `Doorbell.base` on.
  ///
  /// - Throws: `missing` where it lets it map none.
  static func registers(
    _ description: consuming RegionDescription, from first: UInt64
  ) throws(HostError) -> DoorbellMemory {
    let info = description.info
    let areas = info.areas.isEmpty ? [SparseMmapArea(offset: 0, length: info.length)] : info.areas
    guard info.flags.contains(.mmap), let file = description.descriptors.take(0),
      let area = areas.first(where: { $0.offset <= first && first - $0.offset < $0.length }),
      let count = Int(exactly: area.length), let offset = Int64(exactly: info.fileOffset &+ area.offset)
    else { throw .missing("doorbells of BAR0 that can be mapped") }
    let mapping: Mapping
    do throws(Errno) {
      guard Int64(count) <= Int64(try file.status().st_size) - offset else { throw .badAddress }
      mapping = Mapping(try MemoryMapping(fd: file.rawValue, offset: offset, count: count, [.read, .write]))
    } catch {
      throw .system(error)
    }
    var places: [UInt64: Place] = [:]
    for position in stride(from: Int(first - area.offset), through: count - 4, by: 4) {
      let word = unsafe SharedWord(at: mapping.memory.base + position)
      places[area.offset + UInt64(position)] = Place(word: word, eventfd: -1)
    }
    return DoorbellMemory(mappings: [mapping], eventfds: [], places: places)
  }
}
