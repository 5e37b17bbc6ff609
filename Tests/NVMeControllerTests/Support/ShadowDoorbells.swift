import LinuxIO

/// The two pages of Doorbell Buffer Config from the host's side, as Linux uses them.
final class ShadowDoorbells {
  let values: UInt64
  let eventIndexes: UInt64
  private let ram: GuestRAM
  /// Doorbells that were stored in memory only.
  private(set) var unannounced = 0
  /// Doorbells that had to be announced.
  private(set) var announced = 0

  /// Fresh pages.
  init(_ ram: GuestRAM) {
    self.ram = ram
    values = ram.allocate()
    eventIndexes = ram.allocate()
  }

  func value(_ queue: UInt16, isHead: Bool = false) -> SharedWord { word(values, queue, isHead) }
  func eventIndex(_ queue: UInt16, isHead: Bool = false) -> SharedWord { word(eventIndexes, queue, isHead) }

  private func word(_ page: UInt64, _ queue: UInt16, _ isHead: Bool) -> SharedWord {
    SharedWord(at: ram.host(page + UInt64(queue) * 8 + (isHead ? 4 : 0)))
  }

  /// Stores a value; whether the register has to be written too. Always for the admin queue, which has no part in it.
  func announces(_ new: UInt32, queue: UInt16, isHead: Bool) -> Bool {
    guard queue > 0 else { return true }
    let value = value(queue, isHead: isHead)
    let old = UInt16(truncatingIfNeeded: value.load())
    value.store(new)
    SharedWord.fullFence()
    let index = UInt16(truncatingIfNeeded: eventIndex(queue, isHead: isHead).load())
    let new = UInt16(truncatingIfNeeded: new)
    let mustAnnounce = new &- index &- 1 < new &- old
    if mustAnnounce { announced += 1 } else { unannounced += 1 }
    return mustAnnounce
  }
}
