import LinuxIO

/// The shared page in which a controller's doorbell values arrive: one 32-bit slot for each doorbell register.
///
/// Slot n stands for the doorbell register at BAR0 offset 1000h + 4n (CAP.DSTRD 0), so that the page has the layout of
/// the doorbell registers themselves. KVM stores into it (POST_WRITE, `post_addr`), the control thread stores what came
/// over the socket, and a client may map it in place of the registers. A peer can write to it: values are untrusted.
public final class DoorbellSlots: Sendable {
  /// Bytes of the page: room for 512 queue pairs.
  public static let byteCount = 4096
  /// Where the page begins in the memfd of a page to map: there the doorbells begin in BAR0, and clients map a part of
  /// a region at its offset in the region.
  public static let mappedOffset = 4096

  private let memory: SharedMemory
  private let start: Int

  /// Creates a page of zeros in a sealed memfd.
  ///
  /// - Parameter isMapped: whether clients map the page in place of the registers.
  /// - Throws: what `SharedMemory` throws.
  public init(isMapped: Bool = false) throws(Errno) {
    start = isMapped ? DoorbellSlots.mappedOffset : 0
    memory = try SharedMemory(name: "nvmed-doorbells", count: start + DoorbellSlots.byteCount)
  }

  /// The memfd, to hand to the client.
  public var descriptor: Int32 { memory.descriptor.rawValue }

  /// The slot of the tail doorbell of the submission queue with this identifier, or nil beyond the page.
  public func submissionQueueTail(_ queue: UInt16) -> SharedWord? { word(Int(queue) * 2) }

  /// The slot of the head doorbell of the completion queue with this identifier, or nil beyond the page.
  public func completionQueueHead(_ queue: UInt16) -> SharedWord? { word(Int(queue) * 2 + 1) }

  /// Where in the page the slot of the doorbell register at `offset` from 1000h lies: at the same offset.
  public static func slotOffset(doorbellOffset offset: UInt64) -> UInt64 { offset }

  /// Forgets every value: when a controller is reset.
  public func clear() {
    for index in 0..<DoorbellSlots.byteCount / 4 { word(index)?.store(0) }
  }

  private func word(_ index: Int) -> SharedWord? {
    guard index >= 0, index * 4 + 4 <= DoorbellSlots.byteCount else { return nil }
    return unsafe SharedWord(at: memory.mapping.base + start + index * 4)
  }
}
