import LinuxIO

/// The memory that a `DoorbellTracer` stores one client's doorbells into: a page of slots, as `DoorbellSlots` has it, and
/// a page that counts the stores into each of them.
///
/// The client does not see it. Control thread, but for the words.
public final class TracedPage: Sendable {
  /// Bytes: two pages.
  static let byteCount = 2 * DoorbellSlots.byteCount
  /// Where a page is in the memory of the tracer.
  static func offset(_ index: Int) -> Int { DoorbellProgram.filterSize + index * byteCount }
  /// Where the doorbells begin in BAR0 (NVMe over PCIe transport 1.0, section 3.1.2).
  private static let doorbellOffset: UInt64 = 0x1000

  private struct State {
    var place: DoorbellProgram.Place?
    var isEnded = false
  }

  private let tracer: DoorbellTracer
  private let index: Int
  private let process: UInt32
  private let state = Locked(State())

  init(_ tracer: DoorbellTracer, index: Int, process: UInt32) {
    self.tracer = tracer
    self.index = index
    self.process = process
  }

  deinit { end() }

  /// Follows BAR0. When it returns, writes to the doorbells at the new address are stored, and those at the old one are
  /// not, except for what a vCPU has begun already: the guest gets no answer to the move of its BAR before.
  ///
  /// - Parameter bar0: its guest-physical address; nil while the function does not decode memory.
  /// - Throws: the `errno` of `bpf(2)`; `EEXIST` where another function of the VM is at this address.
  public func place(bar0: UInt64?) throws(Errno) {
    try state.withLock { state throws(Errno) in
      guard !state.isEnded else { return }
      let address = bar0.flatMap { base -> UInt64? in
        let (sum, overflows) = base.addingReportingOverflow(TracedPage.doorbellOffset)
        return overflows ? nil : sum
      }
      let new = address.map { DoorbellProgram.Place(process: process, address: $0) }
      guard new != state.place else { return }
      if let old = state.place {
        state.place = nil
        try tracer.remove(old)
      }
      guard let new else { return }
      try tracer.insert(new, page: index)
      state.place = new
    }
  }

  /// Takes the client's entry out, and gives the page back when nothing stores into it any more. Takes tens of ms.
  public func end() {
    let isFirst = state.withLock { state in
      defer { state.isEnded = true }
      if let place = state.place {
        // Only a key of another size is refused.
        do throws(Errno) { try tracer.remove(place) } catch {}
        state.place = nil
      }
      return !state.isEnded
    }
    if isFirst { tracer.giveBack(index, process: process) }
  }

  /// The first byte of the slots.
  var slots: UnsafeMutableRawPointer { unsafe tracer.base(ofPage: index) }

  /// How often the program has stored into the slot at an offset of the page, a multiple of 4 below 4096; wraps.
  public func stores(at offset: Int) -> UInt32 {
    precondition(offset >= 0 && offset < DoorbellSlots.byteCount && offset % 4 == 0)
    return unsafe SharedWord(at: slots + DoorbellSlots.byteCount + offset).load()
  }
}
