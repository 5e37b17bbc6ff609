import NVMeSpec

/// One I/O command between its fetch and its completion: plain data in a fixed slot of its thread's table.
struct Request {
  /// What the command has to do, and so what a completion of its I/O means.
  enum Operation: UInt8 {
    case read
    case write
    case flush
    case compare
    case verify
    /// Write Zeroes, done by a worker thread.
    case zero
    /// Dataset Management, done by a worker thread.
    case deallocate
  }

  /// Who has the request.
  enum State: UInt8 {
    case free
    /// Waits for a bounce buffer; may be aborted.
    case waiting
    /// The kernel's aio has it, or its turn at the next submission.
    case submitted
    /// A worker thread has it.
    case working
    /// Finished, but its completion cannot be posted: Bus Master is off, or the completion queue is not mapped.
    case parked
  }

  /// Where a command came from, and when.
  struct Origin {
    /// The controller's place in the thread's table.
    let port: Int
    /// Submission queue identifier.
    let submissionQueue: Int
    /// The time of the round in which it was fetched.
    let begun: UInt64
  }

  /// Distinguishes the uses of a slot: part of the cookie of its I/O.
  private(set) var generation: UInt32 = 0
  private(set) var operation = Operation.read
  /// Write: Force Unit Access, or the volatile write cache is off.
  private(set) var dataSync = false
  private(set) var commandIdentifier: UInt16 = 0
  var state = State.free
  /// The controller was disabled or its client is gone: no completion is posted.
  var isDiscarded = false { didSet { needCare() } }
  /// A DMA_UNMAP waits for it.
  var isAwaited = false { didSet { needCare() } }
  /// Its namespace goes, and waits for it.
  var isLast = false { didSet { needCare() } }
  /// Flush: the namespaces after this one are meant too.
  var flushesAll = false { didSet { needCare() } }
  /// Write: a worker syncs the image after it.
  var syncsAfter = false { didSet { needCare() } }
  /// How often the kernel asked to try again.
  var attempts: UInt8 = 0 { didSet { needCare() } }
  /// The status of a parked request.
  var status: UInt16 = 0 { didSet { needCare() } }
  /// The result of its I/O that ends the request with success and nothing else to do: all bytes, straight to or from the
  /// guest's memory. `noResult` for a request that needs more care.
  private(set) var simpleResult = Request.noResult
  private(set) var port = 0
  private(set) var submissionQueue = 0
  /// The time of the round in which it was fetched.
  private(set) var begun: UInt64 = 0
  /// Index of the namespace: its identifier - 1.
  var namespace = 0
  /// Bounce buffer, or -1.
  var bounce = -1 { didSet { needCare() } }
  /// The guest's memory: ranges of the segment array of this slot.
  private(set) var segmentCount = 0
  /// Where in the image the transfer begins, in bytes.
  private(set) var offset: UInt64 = 0
  /// Bytes to transfer.
  private(set) var length: UInt64 = 0
  /// The first range that is not wholly transferred (after a short transfer).
  var firstSegment = 0 { didSet { needCare() } }
  /// Bytes transferred, of a transfer that was short.
  var done: UInt64 = 0 { didSet { needCare() } }

  /// No I/O has this result.
  static var noResult: Int64 { Int64.min }

  /// Has its end looked at closely: for what happens to few requests, and the many need not ask for.
  @inline(__always)
  mutating func needCare() { simpleResult = Request.noResult }

  /// Begins a new use of the slot, in which what is not set here has its default: `end` sees to that.
  ///
  /// - Returns: its generation.
  @inline(__always)
  mutating func begin(
    _ operation: Operation, _ command: SubmissionQueueEntry, from origin: Origin, offset: UInt64, length: UInt64,
    segmentCount: Int, dataSync: Bool
  ) -> UInt32 {
    self.operation = operation
    self.dataSync = dataSync
    commandIdentifier = command.commandIdentifier
    state = .submitted
    simpleResult = operation == .read || operation == .write ? Int64(bitPattern: length) : Request.noResult
    port = origin.port
    submissionQueue = origin.submissionQueue
    begun = origin.begun
    namespace = Int(command.namespaceIdentifier) &- 1
    self.segmentCount = segmentCount
    self.offset = offset
    self.length = length
    return generation
  }

  /// Ends the use of the slot.
  mutating func end() { self = Request(generation: generation &+ 1) }

  /// Ends the use of the slot by a request that needed no care, and so has changed nothing but what `begin` sets.
  @inline(__always)
  mutating func endSimply() {
    state = .free
    generation &+= 1
  }
}
