import LinuxIO
import NVMeSpec

/// The two pages of Doorbell Buffer Config: NVMe base specification 2.0, section 5.8. They have the layout of the
/// doorbell registers.
struct ShadowDoorbellBuffers {
  let values: HostBuffer
  let eventIndexes: HostBuffer

  /// The words of the doorbell at `offset` of BAR0; nil for the admin queue's, as in Linux, and beyond the pages.
  func doorbell(at offset: UInt64) -> HostShadowDoorbell? {
    guard offset >= ControllerRegister.doorbellBase + 8, offset % 4 == 0,
      let position = Int(exactly: offset - ControllerRegister.doorbellBase),
      position + 4 <= min(values.count, eventIndexes.count)
    else { return nil }
    return unsafe HostShadowDoorbell(
      value: SharedWord(at: values.base + position), eventIndex: SharedWord(at: eventIndexes.base + position))
  }
}
