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

  /// Distinguishes the uses of a slot: part of the cookie of its I/O.
  var generation: UInt32 = 0
  var operation = Operation.read
  var state = State.free
  /// The controller was disabled or its client is gone: no completion is posted.
  var isDiscarded = false
  /// A DMA_UNMAP waits for it.
  var isAwaited = false
  /// Write: Force Unit Access, or the volatile write cache is off.
  var dataSync = false
  /// Flush: the namespaces after this one are meant too.
  var flushesAll = false
  /// How often the kernel asked to try again.
  var attempts: UInt8 = 0
  var port = 0
  var submissionQueue = 0
  var commandIdentifier: UInt16 = 0
  /// Index of the namespace: its identifier - 1.
  var namespace = 0
  /// Bounce buffer, or -1.
  var bounce = -1
  /// The guest's memory: ranges of the segment array of this slot.
  var segmentCount = 0
  /// The first range that is not wholly transferred (after a short transfer).
  var firstSegment = 0
  /// Where in the image the transfer begins, in bytes.
  var offset: UInt64 = 0
  /// Bytes to transfer.
  var length: UInt64 = 0
  /// Bytes transferred.
  var done: UInt64 = 0
  /// Starting LBA, for the error log.
  var slba: UInt64 = 0
  /// The status of a parked request.
  var status: UInt16 = 0
}
