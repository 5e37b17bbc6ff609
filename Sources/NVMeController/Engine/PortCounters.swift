import Synchronization

/// What one I/O thread has done for one controller; read by any thread, written by that thread alone.
///
/// A statement of the SMART / Health log (NVMe base specification 2.0, section 5.16.1.3) and of the metrics.
public final class PortCounters: Sendable {
  /// Plain sums that the thread keeps, and publishes once per round.
  struct Sums {
    var readCommands: UInt64 = 0
    var writeCommands: UInt64 = 0
    var readBytes: UInt64 = 0
    var writtenBytes: UInt64 = 0
    var flushCommands: UInt64 = 0
    var otherCommands: UInt64 = 0
    var mediaErrors: UInt64 = 0
  }

  private let readCommandCount = Atomic<UInt64>(0)
  private let writeCommandCount = Atomic<UInt64>(0)
  private let readByteCount = Atomic<UInt64>(0)
  private let writtenByteCount = Atomic<UInt64>(0)
  private let flushCommandCount = Atomic<UInt64>(0)
  private let otherCommandCount = Atomic<UInt64>(0)
  private let mediaErrorCount = Atomic<UInt64>(0)

  init() {}

  func publish(_ sums: Sums) {
    readCommandCount.store(sums.readCommands, ordering: .relaxed)
    writeCommandCount.store(sums.writeCommands, ordering: .relaxed)
    readByteCount.store(sums.readBytes, ordering: .relaxed)
    writtenByteCount.store(sums.writtenBytes, ordering: .relaxed)
    flushCommandCount.store(sums.flushCommands, ordering: .relaxed)
    otherCommandCount.store(sums.otherCommands, ordering: .relaxed)
    mediaErrorCount.store(sums.mediaErrors, ordering: .relaxed)
  }

  /// Read, Compare and Verify commands completed.
  public var readCommands: UInt64 { readCommandCount.load(ordering: .relaxed) }
  /// Write, Write Zeroes commands completed.
  public var writeCommands: UInt64 { writeCommandCount.load(ordering: .relaxed) }
  /// Bytes read.
  public var readBytes: UInt64 { readByteCount.load(ordering: .relaxed) }
  /// Bytes written.
  public var writtenBytes: UInt64 { writtenByteCount.load(ordering: .relaxed) }
  /// Flush commands completed.
  public var flushCommands: UInt64 { flushCommandCount.load(ordering: .relaxed) }
  /// Commands of other kinds, or that failed their checks.
  public var otherCommands: UInt64 { otherCommandCount.load(ordering: .relaxed) }
  /// Commands that failed because of the media or the host's file.
  public var mediaErrors: UInt64 { mediaErrorCount.load(ordering: .relaxed) }
}
