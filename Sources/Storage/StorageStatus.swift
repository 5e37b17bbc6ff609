import Glibc
import LinuxIO
import NVMeSpec

/// What was done with the storage when it failed.
public enum StorageAction: Sendable, CaseIterable {
  /// Reading blocks.
  case read
  /// Writing blocks, or zeros.
  case write
  /// Making what was written durable.
  case flush
  /// Giving blocks back.
  case deallocate
}

extension Status {
  /// The status of a command whose work on the storage failed with an `errno`.
  ///
  /// The errors of block devices are those of the kernel's block layer (`blk_errors` in `block/blk-core.c`). Whatever is
  /// not known to be the medium's fault, the host's or the space's is an Internal Error.
  ///
  /// - Parameters:
  ///   - error: of the completion, the rejection or the job.
  ///   - action: what failed.
  public init(_ error: Errno, during action: StorageAction) {
    switch error.rawValue {
    case EIO, ENODATA, EILSEQ, EBADMSG, EREMOTEIO, ETIMEDOUT, ETIME, ENOLINK, ENXIO, ENODEV, ENOMEDIUM, EUCLEAN:
      self = action == .read ? .unrecoveredReadError : .writeFault
    case ENOSPC, EDQUOT, EFBIG:
      switch action {
      case .write: self = .capacityExceeded
      // The data was accepted and is lost: for the host no different from a failing medium.
      case .flush: self = .writeFault
      case .read, .deallocate: self = .internalError
      }
    case EROFS, EPERM, EACCES, ETXTBSY:
      self = action == .read ? .internalError.notRetryable() : .namespaceWriteProtected
    case EFAULT:
      self = .dataTransferError
    case EOPNOTSUPP where action == .deallocate:
      // Deallocation is a hint; storage that cannot take it has not failed.
      self = .success
    case EINVAL, EBADF, EOPNOTSUPP, ENOSYS, EOVERFLOW:
      self = .internalError.notRetryable()
    case EBADE:
      self = .reservationConflict
    case ECANCELED:
      self = .abortRequested
    default:
      self = .internalError
    }
  }
}
