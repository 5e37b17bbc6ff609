import Glibc
import LinuxIO
import Synchronization

/// Work on a disk image that blocks, and is therefore done by a `WorkerPool` and not by the I/O thread.
///
/// It owns nothing but a reference to the image, so that the image stays open until the work is over. Any thread.
public final class StorageJob: Sendable {
  /// What is to be done.
  public enum Operation: Equatable, Sendable {
    /// Writes zeros.
    ///
    /// - `deallocate`: the space may be given back, as long as it then reads as zeros (DEAC of Write Zeroes).
    /// - `dataSync`: the zeros are durable when the job is done (FUA).
    case writeZeroes(ByteRange, deallocate: Bool, dataSync: Bool)
    /// Gives space back, where that can be done: whole allocation units only, and nothing at all on storage without
    /// the means. What it does not free keeps its data.
    case deallocate([ByteRange])
    /// Makes all that was written before durable (`fdatasync(2)`); for files without an asynchronous sync.
    case flush

    /// Bytes that are cleared, of all ranges together; `Int.max` for more than that.
    public var byteCount: Int {
      switch self {
      case .writeZeroes(let range, _, _): Int(clamping: range.count)
      case .deallocate(let ranges):
        ranges.reduce(0) { sum, range in
          let (total, overflow) = sum.addingReportingOverflow(Int(clamping: range.count))
          return overflow ? .max : total
        }
      case .flush: 0
      }
    }
  }

  /// Comes back with the completion.
  public let token: UInt64
  /// What is worked on.
  public let image: DiskImage
  /// What is to be done.
  public let operation: Operation
  private let cancellation = Atomic(false)

  /// Makes a job.
  ///
  /// - Parameters:
  ///   - token: comes back with the completion.
  ///   - image: what is worked on.
  ///   - operation: what is to be done. Ranges that are not inside the image make it fail with `EINVAL`, before
  ///     anything is changed.
  public init(token: UInt64, image: DiskImage, operation: Operation) {
    self.token = token
    self.image = image
    self.operation = operation
  }

  /// Whether `cancel()` was called.
  public var cancelled: Bool { cancellation.load(ordering: .relaxed) }

  /// Asks the worker to stop after the step it is in; the job then fails with `ECANCELED`, its work half done.
  public func cancel() { cancellation.store(true, ordering: .relaxed) }
}

/// The end of a job.
public struct JobCompletion: Equatable, Sendable {
  /// The job's token.
  public let token: UInt64
  /// Why it failed; nil where it did not.
  public let error: Errno?

  /// Makes a completion of its parts.
  public init(token: UInt64, error: Errno?) {
    self.token = token
    self.error = error
  }
}

extension Errno {
  /// The operation was canceled.
  static let canceled = Errno(rawValue: ECANCELED)
}
