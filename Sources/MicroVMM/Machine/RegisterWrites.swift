import LinuxIO
import NVMeSpec
import VFIOUser

/// Takes what a guest writes to BAR0, and KVM did not take, to the server.
struct RegisterWrites {
  /// How doorbells go.
  let doorbells: DoorbellPath

  /// Delivers a write, and counts it.
  ///
  /// - Parameters:
  ///   - offset: in BAR0.
  ///   - slots: the doorbells with a slot.
  /// - Throws: what the server and the socket throw.
  func deliver(
    at offset: UInt64, count: Int, _ value: UInt64, slots: borrowing OfferedDoorbells, _ client: inout ClientConnection,
    _ counts: inout MMIOCounts
  ) throws(Errno) {
    let data = RegionData(value, count: count)
    guard offset >= ControllerRegister.doorbellBase else {
      try client.regionWrite(.bar0, offset: offset, data)
      counts.registerWrites += 1
      return
    }
    switch doorbells {
    case .softwarePost:
      // What KVM does with POST_WRITE: store first, then signal. Other widths do not match a doorbell.
      guard count == OfferedDoorbells.width, let doorbell = slots.doorbells[offset] else { break }
      doorbell.slot.store(UInt32(truncatingIfNeeded: value))
      EventFD.signal(rawValue: doorbell.event)
      counts.storedDoorbells += 1
      return
    case .postedMessage:
      try client.regionWrite(.bar0, offset: offset, data, posted: true)
      counts.postedDoorbells += 1
      return
    // A doorbell that KVM could not store, or has no eventfd for, comes here. Its reply is awaited, so that no later one
    // overtakes it.
    case .postWrite, .ioeventfd, .messageWithReply: break
    }
    try client.regionWrite(.bar0, offset: offset, data)
    counts.doorbellsWithReply += 1
  }
}
