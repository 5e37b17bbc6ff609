import CLinux
import Glibc

/// A Linux AIO context (`io_setup(2)`): asynchronous reads, writes and syncs of one I/O thread.
///
/// The caller numbers its requests with slots below `capacity`; a slot is free again once its completion or rejection
/// has been seen. A burst is prepared, submitted with one system call, and reaped without any: completions are read
/// from the ring that the kernel maps into this process. Nothing here allocates after `init`.
///
/// One thread at a time. Destroying it waits for every request in flight, so it lives as long as its thread.
@safe public struct AIOContext: ~Copyable, @unchecked Sendable {
  /// How completions are fetched.
  public enum Reaping: Sendable {
    /// From the mapped ring where its layout is the known one, else by `io_getevents(2)`.
    case automatic
    /// By `io_getevents(2)` always.
    case systemCall
  }

  @usableFromInline let context: io_context_t
  @usableFromInline let eventfd: UInt32
  private let submitLimit: Int
  @usableFromInline var iocbs: FixedTable<iocb>
  /// Prepared requests in order: `batchStart..<batchEnd` wait for `io_submit`.
  @usableFromInline var batch: FixedTable<UnsafeMutablePointer<iocb>?>
  @usableFromInline var batchStart = 0
  @usableFromInline var batchEnd = 0
  @usableFromInline var rejections: FixedTable<AIORejection>
  @usableFromInline var reaper: AIOReaper

  /// The most requests of one `io_submit(2)`.
  ///
  /// The kernel holds back the requests of a call of more than two until it has gone through all of them (`blk_plug` in
  /// `fs/aio.c`): in one call for a batch of 32, the disk would idle until the last is prepared. Measured on virtio-blk
  /// with 32 random reads in flight, calls of 8 move 1.2 times the data that calls of any size do, as much as calls of
  /// one; `nvmed-bench relay --submit-limit` measures it.
  public static let defaultSubmitLimit = 8

  /// Whether the last `submit(until:)` left requests pending because of its deadline.
  public private(set) var wasCut = false

  /// How many requests it takes at a time; slots are below it. May be less than was asked for.
  public let capacity: Int

  /// Requests that were submitted and not reaped yet.
  @inlinable public var inFlight: Int { submittedCount }
  @usableFromInline var submittedCount = 0

  /// Calls of `io_submit(2)` so far.
  public private(set) var submitCalls: UInt64 = 0

  /// Whether the requests prepared from now on signal the eventfd when they finish.
  ///
  /// While the thread polls the ring it needs no signal, and the kernel is spared sending one. A thread that wants to
  /// sleep looks at `silentInFlight` first.
  public var signalsEventFD = true

  /// Requests pending or in flight that will not signal the eventfd: who sleeps while this is not 0 may not be woken.
  @inlinable public var silentInFlight: Int { silentCount }
  @usableFromInline var silentCount = 0

  /// Prepared requests that the kernel has not taken yet.
  @inlinable public var pendingCount: Int { batchEnd - batchStart }

  /// Whether completions are read from the mapped ring.
  public var readsRing: Bool { reaper.readsRing }

  /// Creates a context.
  ///
  /// Contexts count against `fs.aio-max-nr`, which all processes share. Where that is reached, half the capacity is
  /// tried, and half of that, down to `minimum`.
  ///
  /// - Parameters:
  ///   - capacity: requests in flight at a time, at least 1.
  ///   - minimum: the least that is of use to the caller.
  ///   - eventfd: signalled for each completion (`IOCB_FLAG_RESFD`); its owner outlives the context.
  ///   - reaping: how completions are fetched.
  ///   - submitLimit: the most requests of one `io_submit(2)`, at least 1.
  /// - Throws: what `io_setup(2)` said at the last attempt, and what to do about it.
  public init(
    capacity: Int, minimum: Int = 64, eventfd: Int32, reaping: Reaping = .automatic,
    submitLimit: Int = AIOContext.defaultSubmitLimit
  ) throws(AIOSetupError) {
    var attempt = max(1, min(capacity, Int(Int32.max)))
    let least = max(1, min(minimum, attempt))
    var created: io_context_t?
    while true {
      let result = unsafe io_setup(Int32(attempt), &created)
      if result == 0 { break }
      let error = Errno(rawValue: -result)
      guard error == .wouldBlock, attempt > least else {
        throw AIOSetupError(
          error: error, requested: capacity, minimum: attempt,
          inUse: AIOSetupError.systemValue("aio-nr"), limit: AIOSetupError.systemValue("aio-max-nr"))
      }
      attempt = max(least, attempt / 2)
    }
    guard let created = unsafe created else {
      throw AIOSetupError(error: .badAddress, requested: capacity, minimum: attempt, inUse: nil, limit: nil)
    }
    unsafe context = created
    self.eventfd = UInt32(truncatingIfNeeded: eventfd)
    self.capacity = attempt
    self.submitLimit = max(1, submitLimit)
    unsafe iocbs = FixedTable(count: attempt) { _ in unsafe iocb() }
    unsafe batch = FixedTable(count: attempt) { _ in nil }
    rejections = FixedTable(count: attempt) { _ in AIORejection(cookie: 0, error: Errno(rawValue: 0)) }
    unsafe reaper = AIOReaper(context: created, reaping: reaping)
  }

  deinit { unsafe _ = io_destroy(context) }

  // MARK: Preparing

  /// Adds a read to the batch.
  ///
  /// - Parameters:
  ///   - slot: a free slot.
  ///   - fd: an open file whose owner outlives the request.
  ///   - iovecs: where the data goes; they stay as they are until `submit()` has taken the request, their memory
  ///     until it has finished.
  ///   - count: how many, at most `IOV_MAX` (1024).
  ///   - offset: bytes from the start of the file.
  ///   - cookie: comes back with the completion.
  @inlinable
  public mutating func prepareRead(
    slot: Int, fd: Int32, iovecs: UnsafePointer<iovec>, count: Int, offset: Int64, cookie: UInt64
  ) {
    unsafe transfer(
      slot, single: IO_CMD_PREAD, vector: IO_CMD_PREADV, fd, iovecs, count, offset, cookie, dataSync: false)
  }

  /// Adds a write to the batch; parameters as for `prepareRead`.
  ///
  /// - Parameters:
  ///   - slot: a free slot.
  ///   - fd: the file.
  ///   - iovecs: where the data is; they stay until the completion.
  ///   - count: how many of them.
  ///   - offset: bytes from the start of the file.
  ///   - cookie: comes back with the completion.
  ///   - dataSync: the write finishes only when its data is durable (`RWF_DSYNC`).
  @inlinable
  public mutating func prepareWrite(
    slot: Int, fd: Int32, iovecs: UnsafePointer<iovec>, count: Int, offset: Int64, cookie: UInt64, dataSync: Bool
  ) {
    unsafe transfer(
      slot, single: IO_CMD_PWRITE, vector: IO_CMD_PWRITEV, fd, iovecs, count, offset, cookie, dataSync: dataSync)
  }

  /// Adds an `fdatasync(2)` to the batch (`IOCB_CMD_FDSYNC`): it covers the writes that had finished before.
  ///
  /// It is rejected with `EINVAL` where the kernel or the file has no asynchronous sync.
  @inlinable
  public mutating func prepareDataSync(slot: Int, fd: Int32, cookie: UInt64) {
    unsafe prepare(slot, IO_CMD_FDSYNC, fd, nil, 0, 0, cookie, dataSync: false)
  }

  @inlinable @inline(__always)
  mutating func transfer(
    _ slot: Int, single: io_iocb_cmd, vector: io_iocb_cmd, _ fd: Int32, _ iovecs: UnsafePointer<iovec>, _ count: Int,
    _ offset: Int64, _ cookie: UInt64, dataSync: Bool
  ) {
    // One buffer needs no iovec array, whose import costs the kernel a copy and a walk.
    if count == 1 {
      let only = unsafe iovecs.pointee
      unsafe prepare(
        slot, single, fd, only.iov_base, UInt(bitPattern: only.iov_len), offset, cookie, dataSync: dataSync)
    } else {
      unsafe prepare(
        slot, vector, fd, iovecs, UInt(bitPattern: count), offset, cookie, dataSync: dataSync)
    }
  }

  @inlinable @inline(__always)
  mutating func prepare(
    _ slot: Int, _ opcode: io_iocb_cmd, _ fd: Int32, _ buffer: UnsafeRawPointer?, _ count: UInt, _ offset: Int64,
    _ cookie: UInt64, dataSync: Bool
  ) {
    // As many slots as places in the batch, which checks itself.
    precondition(unsafe iocbs.has(slot))
    let address = unsafe iocbs.base + slot
    unsafe clinux_iocb_fill(
      address, cookie, Int32(bitPattern: opcode.rawValue), fd, buffer, count, offset,
      dataSync ? Int32(CLINUX_RWF_DSYNC) : 0, signalsEventFD ? UInt32(CLINUX_IOCB_FLAG_RESFD) : 0, eventfd)
    unsafe batch[batchEnd] = address
    batchEnd &+= 1
    if !signalsEventFD { silentCount &+= 1 }
  }

  // MARK: Submitting

  /// Hands the batch to the kernel (`io_submit(2)`).
  ///
  /// A request that the kernel refuses does not stop those behind it. Where the kernel has no room (`EAGAIN`), the rest
  /// stays pending, in order, and goes first at the next call: call again after completions have been reaped, or, where
  /// nothing is in flight, a little later.
  ///
  /// - Parameter deadline: when to leave the rest pending, though the kernel has room (`wasCut`): CLOCK_MONOTONIC in ns;
  ///   looked at between the calls, each of which may take long.
  /// - Returns: how many requests were refused; see `rejection(at:)`.
  public mutating func submit(until deadline: UInt64 = .max) -> Int {
    var rejected = 0
    wasCut = false
    // Room in the ring is counted by the head that the kernel sees.
    reaper.publishHead()
    while batchStart < batchEnd {
      let count = min(batchEnd - batchStart, submitLimit)
      submitCalls &+= 1
      let result = unsafe io_submit(context, count, batch.base + batchStart)
      if result > 0 {
        let taken = min(Int(result), count)
        batchStart += taken
        submittedCount += taken
        if batchStart < batchEnd, isOver(deadline) { break }
      } else if result == 0 || result == -EAGAIN || result == -EINTR {
        break
      } else {
        reject(Errno(rawValue: 0 &- result), at: rejected)
        rejected += 1
      }
    }
    moveBatchToFront()
    return rejected
  }

  /// Whether a batch of which there is more is cut.
  @inline(never)
  private mutating func isOver(_ deadline: UInt64) -> Bool {
    wasCut = Clock.monotonic >= deadline
    return wasCut
  }

  /// Takes back every pending request: each becomes a rejection with `ECANCELED`.
  ///
  /// - Returns: how many; see `rejection(at:)`.
  public mutating func withdrawPending() -> Int {
    var rejected = 0
    while batchStart < batchEnd {
      reject(Errno(rawValue: ECANCELED), at: rejected)
      rejected += 1
    }
    moveBatchToFront()
    return rejected
  }

  /// A request that the last `submit()` or `withdrawPending()` refused, `index` counted from 0.
  public borrowing func rejection(at index: Int) -> AIORejection { rejections[index] }

  /// Takes the first pending request out of the batch.
  private mutating func reject(_ error: Errno, at index: Int) {
    guard let first = unsafe batch[batchStart] else { return }
    let cookie = unsafe UInt64(UInt(bitPattern: first.pointee.data))
    rejections[index] = AIORejection(cookie: cookie, error: error)
    if unsafe first.pointee.u.c.flags & UInt32(CLINUX_IOCB_FLAG_RESFD) == 0 { silentCount -= 1 }
    batchStart += 1
  }

  private mutating func moveBatchToFront() {
    let count = batchEnd - batchStart
    if batchStart > 0, count > 0 { unsafe batch.base.update(from: batch.base + batchStart, count: count) }
    batchStart = 0
    batchEnd = count
  }

  // MARK: Reaping

  /// The next finished request, or nil where none has finished since.
  ///
  /// Buffered I/O finishes inside `submit()`, so look here after each, before sleeping.
  @inlinable
  public mutating func nextCompletion() -> AIOCompletion? {
    guard let event = unsafe reaper.next() else { return nil }
    submittedCount &-= 1
    if silentCount > 0 { unsafe noteSilent(event) }
    return unsafe AIOCompletion(
      cookie: UInt64(UInt(bitPattern: event.data)), result: Int64(Int(bitPattern: event.res)))
  }

  @usableFromInline @inline(never)
  mutating func noteSilent(_ event: io_event) {
    guard let request = unsafe event.obj else { return }
    if unsafe request.pointee.u.c.flags & UInt32(CLINUX_IOCB_FLAG_RESFD) == 0 { silentCount -= 1 }
  }
}
