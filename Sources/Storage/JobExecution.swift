import CLinux
import Glibc
import LinuxIO

/// The work of one job, in steps that each make one system call: between them a worker looks whether the job was
/// cancelled, and lets others have their turn. One thread at a time.
struct JobExecution {
  /// What a step came to.
  enum Outcome: Equatable {
    case unfinished
    case finished(Errno?)
  }

  /// Bytes of one `fallocate(2)` or discard.
  static let allocationStep: UInt64 = 64 << 20
  /// Bytes of one write of zeros.
  static let writeStep: UInt64 = 1 << 20

  /// The ways to empty a range, tried in order until one is supported.
  private enum Method {
    /// A hole: reads as zeros and takes no space.
    case punchHole
    /// Unwritten extents: read as zeros and keep their space.
    case zeroRange
    /// A device's discard, which promises nothing about what is read afterwards.
    case discard
    /// Writing zeros.
    case write
  }

  private let job: StorageJob
  private var methods: [Method]
  private var ranges: [ByteRange]
  private var syncs: Bool
  /// The range worked on, and how far.
  private var rangeIndex = 0
  private var done: UInt64 = 0
  private let invalid: Bool

  init(_ job: StorageJob) {
    self.job = job
    let image = job.image
    let size = image.size
    switch job.operation {
    case .writeZeroes(let range, let deallocate, let dataSync):
      invalid = !range.isWithin(size)
      methods = deallocate ? [.punchHole, .zeroRange, .write] : [.zeroRange, .write]
      ranges = [range]
      syncs = dataSync
    case .deallocate(let list):
      invalid = !list.allSatisfy { $0.isWithin(size) }
      methods = image.isBlockDevice ? [.punchHole, .discard] : [.punchHole]
      // Part of a unit frees nothing, and would cost a write.
      ranges = list.map { $0.shrunk(toWhole: UInt64(image.allocationUnit)) }
      syncs = false
    case .flush:
      invalid = false
      methods = []
      ranges = []
      syncs = true
    }
  }

  /// Makes one step.
  ///
  /// - Parameter zeros: `writeStep` bytes of zeros, page-aligned.
  mutating func step(zeros: UnsafeRawPointer) -> Outcome {
    if job.cancelled { return .finished(.canceled) }
    if invalid { return .finished(.invalidArgument) }
    while rangeIndex < ranges.count, done >= ranges[rangeIndex].count {
      rangeIndex += 1
      done = 0
    }
    guard rangeIndex < ranges.count else { return .finished(syncs ? job.image.sync() : nil) }
    guard let method = methods.first else {
      // Deallocation without any means for it: nothing is done, which is allowed.
      return .finished(nil)
    }
    let range = ranges[rangeIndex]
    let left = range.count - done
    let offset = range.offset + done
    switch method {
    case .write: return unsafe write(offset, min(left, JobExecution.writeStep), zeros)
    case .punchHole: return allocate(CLINUX_FALLOC_PUNCH_HOLE, offset, min(left, JobExecution.allocationStep))
    case .zeroRange: return allocate(CLINUX_FALLOC_ZERO_RANGE, offset, min(left, JobExecution.allocationStep))
    case .discard:
      let count = min(left, JobExecution.allocationStep)
      return note(job.image.calls.discard(job.image.fileDescriptor, offset, count), count)
    }
  }

  private mutating func allocate(_ mode: Int, _ offset: UInt64, _ count: UInt64) -> Outcome {
    note(job.image.calls.allocate(job.image.fileDescriptor, Int32(mode), offset, count), count)
  }

  /// Goes on after a call that worked; to the next method after one that is not supported; else ends the job.
  private mutating func note(_ error: Errno?, _ count: UInt64) -> Outcome {
    switch error {
    case nil:
      done += count
    case .interrupted:
      break
    // EINVAL: a filesystem, or a buffered device, that wants another alignment.
    case Errno.notSupported, Errno.invalidArgument, Errno.notATerminal, Errno(rawValue: ENOSYS):
      methods.removeFirst()
    case let error:
      return .finished(error)
    }
    return .unfinished
  }

  private mutating func write(_ offset: UInt64, _ count: UInt64, _ zeros: UnsafeRawPointer) -> Outcome {
    let written = unsafe pwrite(
      job.image.fileDescriptor, zeros, Int(count), off_t(truncatingIfNeeded: offset))
    if written > 0 {
      done += UInt64(written)
      return .unfinished
    }
    let error = written == 0 ? Errno.inputOutput : Errno.current
    return error == .interrupted ? .unfinished : .finished(error)
  }
}
