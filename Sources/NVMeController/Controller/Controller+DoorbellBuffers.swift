import Doorbells
import GuestMemory
import LinuxIO
import NVMeSpec

/// Doorbell Buffer Config: NVMe base specification 2.0, section 5.8 and Annex B.5. The admin queue has no part in it.
extension Controller {
  func configureDoorbellBuffers(_ command: DoorbellBufferConfigCommand) -> Outcome {
    guard description.shadowDoorbells != .off else { return .complete(.invalidOpcode) }
    var buffers = DoorbellBuffers(
      shadowDoorbells: command.shadowDoorbellBuffer, eventIndexes: command.eventIndexBuffer)
    guard buffers.shadowDoorbells & (DoorbellBuffers.byteCount - 1) == 0,
      buffers.eventIndexes & (DoorbellBuffers.byteCount - 1) == 0,
      buffers.shadowDoorbells != buffers.eventIndexes, buffers.resolve(&memory)
    else { return .complete(.invalidField) }
    doorbellBuffers = buffers
    report?(.usesShadowDoorbells)
    let lifetime = epoch
    broadcast({ lane, token in .setDoorbellBuffers(port: lane.port, buffers, token: token) }) { [self] in
      completeLater(command.entry, .success, lifetime: lifetime)
    }
    return .pending
  }

  /// Begins the doorbells of a new submission queue, wherever they lie, at 0: here, as its I/O thread may hear of the
  /// queue only after the host has rung.
  func clearDoorbell(submissionQueue identifier: UInt16) {
    slots.submissionQueueTail(identifier)?.store(0)
    doorbellBuffers?.submissionQueueTail(identifier)?.clear()
  }

  /// Begins those of a new completion queue.
  func clearDoorbell(completionQueue identifier: UInt16) {
    slots.completionQueueHead(identifier)?.store(0)
    doorbellBuffers?.completionQueueHead(identifier)?.clear()
  }

  /// An eventfd without a value was signalled, and no buffer holds the value.
  func doorbellWithoutValue() {
    guard registers.status.ready, !isDisabling, doorbellBuffers == nil else { return }
    fail(
      "the guest's driver does not use shadow doorbells (Doorbell Buffer Config), which shadow_doorbells = \"required\" "
        + "needs")
  }
}
