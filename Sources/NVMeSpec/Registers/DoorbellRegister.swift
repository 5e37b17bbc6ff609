/// The doorbell registers: one pair for each queue identifier, from 1000h of BAR0 on (NVMe over PCIe 1.0, 3.1).
///
/// `stride` is CAP.DSTRD: doorbells lie 2^(2 + stride) bytes apart. A shadow doorbell or event index has the same
/// offset in its buffer as its doorbell has from 1000h on (NVMe base 2.0, 5.11).
public enum DoorbellRegister {
  /// What one doorbell is for.
  @frozen public struct Register: Equatable, Sendable {
    /// The queue.
    public var queueIdentifier: UInt16
    /// Whether it is the head of the completion queue, or else the tail of the submission queue.
    public var isCompletionQueueHead: Bool

    /// Names a doorbell.
    @inlinable public init(queueIdentifier: UInt16, isCompletionQueueHead: Bool) {
      self.queueIdentifier = queueIdentifier
      self.isCompletionQueueHead = isCompletionQueueHead
    }
  }

  /// The offset in BAR0 of SQyTDBL.
  @inlinable public static func submissionQueueTail(_ queueIdentifier: UInt16, stride: UInt8 = 0) -> UInt64 {
    ControllerRegister.doorbellBase &+ (UInt64(queueIdentifier) &* 2) &* (4 &<< UInt64(stride & 0xF))
  }

  /// The offset in BAR0 of CQyHDBL.
  @inlinable public static func completionQueueHead(_ queueIdentifier: UInt16, stride: UInt8 = 0) -> UInt64 {
    ControllerRegister.doorbellBase &+ (UInt64(queueIdentifier) &* 2 &+ 1) &* (4 &<< UInt64(stride & 0xF))
  }

  /// The doorbell at `offset` of BAR0, or nil where none can be.
  @inlinable public static func register(at offset: UInt64, stride: UInt8 = 0) -> Register? {
    guard offset >= ControllerRegister.doorbellBase else { return nil }
    let distance = offset &- ControllerRegister.doorbellBase
    let step: UInt64 = 4 &<< UInt64(stride & 0xF)
    guard distance % step == 0, let queueIdentifier = UInt16(exactly: distance / step / 2) else { return nil }
    return Register(queueIdentifier: queueIdentifier, isCompletionQueueHead: distance / step % 2 == 1)
  }

  /// How many bytes of BAR0 the doorbells of queues 0 to `queueCount` - 1 take, from 1000h on.
  @inlinable public static func byteCount(queueCount: UInt16, stride: UInt8 = 0) -> UInt64 {
    UInt64(queueCount) &* 2 &* (4 &<< UInt64(stride & 0xF))
  }
}
