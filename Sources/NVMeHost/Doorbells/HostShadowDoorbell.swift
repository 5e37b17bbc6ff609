import LinuxIO

/// A doorbell's words in the buffers of Doorbell Buffer Config, as a driver uses them.
///
/// Source: NVMe base specification 2.0, Annex B.5; `nvme_dbbuf_update_and_check_event` of Linux.
@frozen public struct HostShadowDoorbell: Sendable {
  @usableFromInline let value: SharedWord
  @usableFromInline let eventIndex: SharedWord

  init(value: SharedWord, eventIndex: SharedWord) {
    self.value = value
    self.eventIndex = eventIndex
  }

  /// Stores a value, whose commands are in memory already.
  ///
  /// - Returns: whether the register must be written too: the value has passed the event index.
  @inlinable @inline(__always)
  public func store(_ new: UInt32) -> Bool {
    let old = UInt16(truncatingIfNeeded: value.load())
    value.store(new)
    // The controller stores its index and then looks at the value: one of both sees the other's store.
    SharedWord.fullFence()
    let index = UInt16(truncatingIfNeeded: eventIndex.load())
    let new = UInt16(truncatingIfNeeded: new)
    return new &- index &- 1 < new &- old
  }
}
