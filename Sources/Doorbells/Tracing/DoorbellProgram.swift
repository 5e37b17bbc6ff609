import BPF

/// The program that stores doorbell values for a KVM without POST_WRITE: it runs at the tracepoint `kvm_mmio`.
///
/// KVM passes the tracepoint in the vCPU's thread when a guest has written to an address without memory, before it looks
/// for an ioeventfd of that address (`write_mmio` on x86, `io_mem_abort` on arm64). So the value is in its slot when the
/// eventfd is signalled: the order of POST_WRITE. Who has read the eventfd sees the value of that write or a later one.
///
/// Every MMIO access of every VM of the host passes here. Reads and writes of other widths end after a few instructions;
/// other writes of processes without a client at a byte that is 0, in nearly all cases; a client's own cost one look-up
/// of {process, page}.
enum DoorbellProgram {
  /// The tracepoint: `TP_PROTO(int type, int len, u64 gpa, void *val)` (include/trace/events/kvm.h); `val` is an address
  /// of the kernel.
  static let tracepoint = "kvm_mmio"
  /// `KVM_TRACE_MMIO_WRITE`.
  static let write: UInt64 = 2

  /// Where the doorbells of a client are: the key of a map entry.
  struct Place: Equatable, BitwiseCopyable {
    /// The process that runs the VM (TGID).
    var process: UInt32
    /// 0: there is no padding in a key.
    var zero: UInt32 = 0
    /// The guest-physical address of the page of doorbells.
    var address: UInt64
  }

  /// Bytes at the begin of the memory, one for each value of the lowest bits of a process number: 1 where a client's
  /// process has it. A hash table without collisions to speak of, which costs one load.
  static let filterSize = 4096

  /// What the program returns; a tracepoint ignores it, a test does not.
  enum Outcome: UInt32 {
    /// No write of a doorbell.
    case ignored = 0
    /// The value could not be read: nothing was stored.
    case unreadable = 1
    /// The value was stored.
    case stored = 2
  }

  /// The program.
  ///
  /// - Parameters:
  ///   - places: the map from `Place` to the offset of the client's pages in the memory.
  ///   - memory: the map of the memory: the filter; then of each client a page of slots and one of counters, as
  ///     `TracedPage` has it.
  ///   - size: bytes of the memory.
  static func instructions(
    places: Int32, memory: Int32, size: Int
  ) throws(BPFAssembler.Failure) -> [BPFInstruction] {
    let page = Int32(DoorbellSlots.byteCount)
    var code = BPFAssembler()
    let ignored = code.label()
    let unreadable = code.label()

    code.add(.calculate(.move, .r6, .r1))
    code.add(.load(.doubleWord, .r1, .r6, 0))
    code.jump32(.notEqual, .r1, Int32(write), to: ignored)
    code.add(.load(.doubleWord, .r1, .r6, 8))
    code.jump32(.notEqual, .r1, 4, to: ignored)

    code.add(.call(.currentProcessAndThread))
    code.add(.calculate(.shiftRight, .r0, 32))
    code.add(BPFInstruction.mapValue(.r1, descriptor: memory, offset: 0))
    code.add(.calculate(.move, .r2, .r0))
    code.add(.calculate(.and, .r2, Int32(filterSize) - 1))
    code.add(.calculate(.add, .r1, .r2))
    code.add(.load(.byte, .r1, .r1, 0))
    code.jump(.equal, .r1, 0, to: ignored)

    // The key on the stack, 16 bytes: the process as 64 bits, whose upper half is 0, and the page.
    code.add(.store(.doubleWord, .r10, -16, .r0))
    code.add(.load(.doubleWord, .r7, .r6, 16))
    code.add(.calculate(.move, .r1, .r7))
    code.add(.calculate(.and, .r1, -page))
    code.add(.store(.doubleWord, .r10, -8, .r1))
    code.add(BPFInstruction.map(.r1, descriptor: places))
    code.add(.calculate(.move, .r2, .r10))
    code.add(.calculate(.add, .r2, -16))
    code.add(.call(.mapLookup))
    code.jump(.equal, .r0, 0, to: ignored)
    code.add(.load(.doubleWord, .r8, .r0, 0))

    // A write that is not aligned is no doorbell: it matches no ioeventfd and comes as a message.
    code.add(.calculate(.and, .r7, page - 1))
    code.add(.calculate(.move, .r1, .r7))
    code.add(.calculate(.and, .r1, 3))
    code.jump(.notEqual, .r1, 0, to: ignored)
    code.add(.calculate(.add, .r8, .r7))
    // For the verifier, to which the entry may hold anything: the slot, and its counter a page after it, are aligned and
    // inside.
    code.add(.calculate(.and, .r8, -4))
    code.jump(.greater, .r8, Int32(truncatingIfNeeded: size) - page - 4, to: ignored)

    code.add(.store(.doubleWord, .r10, -24, 0))
    code.add(.calculate(.move, .r1, .r10))
    code.add(.calculate(.add, .r1, -24))
    code.add(.calculate(.move, .r2, 4))
    code.add(.load(.doubleWord, .r3, .r6, 24))
    code.add(.call(.probeReadKernel))
    code.jump(.notEqual, .r0, 0, to: unreadable)

    // One aligned store, so that no reader ever sees half a value; then the counter.
    code.add(BPFInstruction.mapValue(.r1, descriptor: memory, offset: 0))
    code.add(.calculate(.add, .r1, .r8))
    code.add(.load(.word, .r2, .r10, -24))
    code.add(.store(.word, .r1, 0, .r2))
    code.add(.calculate(.move, .r2, 1))
    code.add(.atomicAdd(.word, .r1, Int16(page), .r2))
    code.add(.calculate(.move, .r0, Int32(Outcome.stored.rawValue)))
    code.add(.exit)

    code.place(unreadable)
    code.add(.calculate(.move, .r0, Int32(Outcome.unreadable.rawValue)))
    code.add(.exit)
    code.place(ignored)
    code.add(.calculate(.move, .r0, Int32(Outcome.ignored.rawValue)))
    code.add(.exit)
    return try code.assemble()
  }
}
