import Doorbells
import GuestMemory
import LinuxIO

/// The two pages of Doorbell Buffer Config: shadow doorbells, which the host writes, and event indexes, which the
/// controller writes.
///
/// They have the layout of the doorbell registers from 1000h on. The addresses stay when memory is unmapped; until it is
/// mapped again the queues rest, as their registers may lag behind the pages.
struct DoorbellBuffers: Sendable, Equatable {
  /// Bytes of each: a memory page.
  static let byteCount: UInt64 = 4096

  /// The I/O virtual address of the shadow doorbells.
  let shadowDoorbells: UInt64
  /// The I/O virtual address of the event indexes.
  let eventIndexes: UInt64
  private var shadowHost: UInt = 0
  private var eventIndexHost: UInt = 0

  /// Names two pages; not yet looked up.
  init(shadowDoorbells: UInt64, eventIndexes: UInt64) {
    self.shadowDoorbells = shadowDoorbells
    self.eventIndexes = eventIndexes
  }

  /// Whether both pages are mapped.
  var isMapped: Bool { shadowHost != 0 && eventIndexHost != 0 }

  /// Looks the pages up anew; true where both are there to be read and written.
  @discardableResult
  mutating func resolve(_ memory: inout MemoryMap) -> Bool {
    shadowHost = DoorbellBuffers.host(shadowDoorbells, &memory)
    eventIndexHost = DoorbellBuffers.host(eventIndexes, &memory)
    return isMapped
  }

  private static func host(_ iova: UInt64, _ memory: inout MemoryMap) -> UInt {
    unsafe UInt(bitPattern: memory.contiguous(iova, length: byteCount, access: [.read, .write]))
  }

  /// The shadow of a submission queue's tail doorbell; nil while the pages are not mapped, and beyond them.
  func submissionQueueTail(_ identifier: UInt16) -> ShadowDoorbell? { doorbell(UInt(identifier) * 8) }

  /// The shadow of a completion queue's head doorbell.
  func completionQueueHead(_ identifier: UInt16) -> ShadowDoorbell? { doorbell(UInt(identifier) * 8 + 4) }

  private func doorbell(_ offset: UInt) -> ShadowDoorbell? {
    guard isMapped, offset + 4 <= DoorbellBuffers.byteCount,
      let value = unsafe UnsafeMutableRawPointer(bitPattern: shadowHost + offset),
      let eventIndex = unsafe UnsafeMutableRawPointer(bitPattern: eventIndexHost + offset)
    else { return nil }
    return unsafe ShadowDoorbell(value: SharedWord(at: value), eventIndex: SharedWord(at: eventIndex))
  }
}
