import LinuxIO
import Synchronization

/// The shared page in which a controller's doorbell values arrive: one 32-bit slot for each doorbell register.
///
/// Slot n stands for the doorbell register at BAR0 offset 1000h + 4n (CAP.DSTRD 0), so that the page has the layout of
/// the doorbell registers themselves. KVM stores into it (POST_WRITE, `post_addr`), the control thread stores what came
/// over the socket, and a client may map it in place of the registers. A peer can write to it: values are untrusted.
/// For a client whose doorbells a `DoorbellTracer` stores, the page is one of the tracer's and not that of the memfd.
public final class DoorbellSlots: Sendable {
  /// Bytes of the page: room for 512 queue pairs.
  public static let byteCount = 4096
  private static let count = byteCount / 4
  /// Where the page begins in the memfd of a page to map: there the doorbells begin in BAR0, and clients map a part of
  /// a region at its offset in the region.
  public static let mappedOffset = 4096

  private let memory: SharedMemory
  /// The address of the first slot. Not in the memory, once the slots are traced.
  private let base: Atomic<UInt>
  private let tracing = Locked<Tracing?>(nil)

  /// What was counted of traced slots.
  private struct Tracing {
    let page: TracedPage
    /// The counter of the admin queue's tail when the slots were cleared.
    var clearedTails: UInt32
    /// The page's counters when the slots were cleared, or BAR0 moved.
    var stores: [UInt32]
    /// Values that came by message since.
    var messages: [UInt32]

    init(_ page: TracedPage, clearedTails: UInt32? = nil) {
      self.page = page
      stores = (0..<DoorbellSlots.count).map { page.stores(at: $0 * 4) }
      messages = Array(repeating: 0, count: DoorbellSlots.count)
      self.clearedTails = clearedTails ?? stores[0]
    }
  }

  /// Creates a page of zeros in a sealed memfd.
  ///
  /// - Parameter isMapped: whether clients map the page in place of the registers.
  /// - Throws: what `SharedMemory` throws.
  public init(isMapped: Bool = false) throws(Errno) {
    let start = isMapped ? DoorbellSlots.mappedOffset : 0
    memory = try SharedMemory(name: "nvmed-doorbells", count: start + DoorbellSlots.byteCount)
    base = Atomic(UInt(bitPattern: unsafe memory.mapping.base + start))
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
    if let start = unsafe UnsafeMutableRawPointer(bitPattern: base.load(ordering: .acquiring)) {
      for index in 0..<DoorbellSlots.count { unsafe SharedWord(at: start + index * 4).store(0) }
    }
    tracing.withLock { tracing in tracing = tracing.map { Tracing($0.page) } }
  }

  private func word(_ index: Int) -> SharedWord? {
    guard index >= 0, index < DoorbellSlots.count,
      let base = unsafe UnsafeMutableRawPointer(bitPattern: base.load(ordering: .acquiring))
    else { return nil }
    return unsafe SharedWord(at: base + index * 4)
  }

  // MARK: Values by message

  /// Takes the value of a doorbell that came by message.
  ///
  /// Of a traced slot, a message whose value the program has stored already is only news: the slot may hold a later value
  /// by now, as the guest goes on while a posted message is under way, and an old tail would be a whole ring of commands.
  /// The program has seen each message's write before the VMM has, so that it has stored at least as often as messages
  /// came. Where it has not, it does not see this client's doorbells (BAR0 is elsewhere), and the value is stored here.
  ///
  /// - Parameters:
  ///   - value: what the message carries.
  ///   - offset: of the register, from 1000h; a multiple of 4. Others, and those beyond the page, are ignored.
  public func take(message value: UInt32, at offset: UInt64) {
    guard offset % 4 == 0, let index = Int(exactly: offset / 4), let slot = word(index) else { return }
    let isStored = tracing.withLock { tracing in
      guard let page = tracing?.page, let before = tracing?.stores[index] else { return false }
      tracing?.messages[index] &+= 1
      return page.stores(at: index * 4) &- before >= tracing?.messages[index] ?? 0
    }
    if !isStored { slot.store(value) }
  }

  // MARK: Tracing

  /// Has a tracer's page be the slots from now on. Before a queue uses a slot.
  public func trace(_ page: TracedPage) {
    tracing.withLock { $0 = Tracing(page) }
    base.store(UInt(bitPattern: unsafe page.slots), ordering: .releasing)
  }

  /// BAR0 has moved: what the program has seen before says nothing of whether it sees what comes now.
  ///
  /// Messages of before were all taken, as that of the move came after them.
  public func noteMove() {
    tracing.withLock { tracing in tracing = tracing.map { Tracing($0.page, clearedTails: $0.clearedTails) } }
  }

  /// How many values of the admin submission queue's tail a tracer has stored since `clear`; nil where there is none.
  ///
  /// KVM signals once for each of them, afterwards: an eventfd that was signalled more often than this, counted before,
  /// has announced a value that was lost.
  public var tracedAdminTails: UInt32? {
    tracing.withLock { tracing in tracing.map { $0.page.stores(at: 0) &- $0.clearedTails } }
  }
}
