import LinuxIO

/// Which doorbell registers a client may have signalled without a message, given how many descriptors it can receive.
///
/// Source: vfio-user GET_REGION_IO_FDS, sub-region type 2 (shadow ioeventfd). One memfd holds all slots; a submission
/// tail and a completion head have an eventfd per I/O thread each. Traced doorbells are of type 0 (ioeventfd): the slots
/// are not the client's business, and there is no memfd. A client that takes fewer gets tails only (heads
/// then come by message, which costs no wake-up of an I/O thread); one that takes none gets no entry.
public struct DoorbellPlan: Sendable, Equatable {
  /// One doorbell register that a client can hand to KVM.
  public struct Entry: Sendable, Equatable {
    /// Offset in BAR0.
    public let offset: UInt64
    /// Index into the descriptors of the reply: the eventfd.
    public let eventIndex: Int
    /// Offset of the slot in the memfd; nil: the eventfd alone, as the value is in guest memory.
    public let slotOffset: UInt64?
  }

  /// What a descriptor of the reply is.
  public enum Descriptor: Sendable, Equatable {
    /// The memfd of the slots.
    case slots
    /// The event, without a slot, of the submission queue tails of an I/O thread.
    case valueless(thread: Int)
    /// The event of submission queue tails; the owner: nil for the admin queue, else the number of the I/O thread.
    case submission(thread: Int?)
    /// The event of completion queue heads.
    case completion(thread: Int?)
  }

  /// The descriptors of the reply, in order; the first is the memfd, where the client gets slots.
  public private(set) var descriptors: [Descriptor] = []
  /// The entries of the reply.
  public private(set) var entries: [Entry] = []

  /// Plans the entries of queue identifiers 0 to `queues`.
  ///
  /// - Parameters:
  ///   - queues: the number of I/O queue pairs.
  ///   - budget: the descriptors that fit in one reply (`max_msg_fds`).
  ///   - isTraced: whether a `DoorbellTracer` stores the values.
  ///   - threads: how many I/O threads there are.
  ///   - thread: the I/O thread a queue identifier belongs to, from 0 to `threads` - 1.
  public init(queues: UInt16, budget: Int, isTraced: Bool = false, threads: Int, thread: (UInt16) -> Int) {
    // The admin queue's tail, then the threads' tails, then heads, as far as they fit.
    let slots: [Descriptor] = isTraced ? [] : [.slots]
    guard budget > slots.count else { return }
    descriptors = slots
    var wanted: [Descriptor] = [.submission(thread: nil)]
    wanted += (0..<threads).map { .submission(thread: $0) }
    wanted += (0..<threads).map { .completion(thread: $0) }
    wanted.append(.completion(thread: nil))
    // Tails of one thread without those of another would leave two paths for no gain: all of a kind or none.
    let tails = Array(wanted.prefix(threads + 1))
    let heads = Array(wanted.suffix(threads + 1))
    if slots.count + tails.count <= budget {
      descriptors += tails
      if slots.count + tails.count + heads.count <= budget { descriptors += heads }
    } else {
      descriptors.append(.submission(thread: nil))
    }
    for queue in 0...queues {
      let owner = queue == 0 ? nil : thread(queue)
      add(.submission(thread: owner), offset: UInt64(queue) * 8)
      add(.completion(thread: owner), offset: UInt64(queue) * 8 + 4)
    }
  }

  /// Plans eventfds without slots for the tails of I/O queues 1 to `queues`, whose values are in guest memory
  /// (`ShadowDoorbellMode.required`). Other doorbells come by message.
  ///
  /// Source: vfio-user GET_REGION_IO_FDS, sub-region type 0 (ioeventfd). Parameters as for the other plan; with fewer
  /// descriptors than threads there are no entries.
  public init(valuelessQueues queues: UInt16, budget: Int, threads: Int, thread: (UInt16) -> Int) {
    guard queues > 0, threads <= budget else { return }
    descriptors = (0..<threads).map { .valueless(thread: $0) }
    entries = (1...queues).map { queue in
      Entry(offset: 0x1000 + UInt64(queue) * 8, eventIndex: thread(queue), slotOffset: nil)
    }
  }

  private mutating func add(_ descriptor: Descriptor, offset: UInt64) {
    guard let index = descriptors.firstIndex(of: descriptor) else { return }
    entries.append(
      Entry(
        offset: 0x1000 + offset, eventIndex: index, slotOffset: DoorbellSlots.slotOffset(doorbellOffset: offset)))
  }
}
