import CLinux
import Glibc
import LinuxIO
import Synchronization

/// An open raw image file or block device: what a namespace's blocks are kept in.
///
/// Its descriptor is the target of asynchronous I/O and of the worker pool's jobs. Any thread.
public final class DiskImage: Sendable {
  /// The path, or the name given with an inherited descriptor.
  public let path: String
  /// How it was opened.
  public let options: ImageOptions
  /// Whether it is a block device, and not a file.
  public let isBlockDevice: Bool
  /// What reads and writes must be aligned to.
  public let alignment: DirectAlignment
  /// The unit in which the filesystem or the device allocates and frees space, in bytes: smaller writes may cost a
  /// read, smaller deallocations free nothing.
  public let allocationUnit: Int

  private let opened: OpenImage
  private let currentSize: Atomic<UInt64>
  /// The first error of a sync; 0 while there was none.
  private let syncError = Atomic<Int32>(0)
  /// Held by the worker that syncs.
  private let syncTurn = Locked(())
  let calls: StorageCalls

  /// The open file; valid as long as this object lives.
  public var fileDescriptor: Int32 { opened.descriptor.rawValue }

  /// What tells it from every other image of this host.
  public var identity: ImageIdentity { opened.identity }

  /// Tells when it is closed: when the last reference to this object has gone.
  public var closing: ImageClosing { opened.closing }

  /// Whether writes are refused.
  public var readOnly: Bool { options.readOnly }

  /// Its length in bytes, as found at the opening or at the last `refreshSize()`.
  public var size: UInt64 { currentSize.load(ordering: .relaxed) }

  /// Whole logical blocks in it.
  public var blockCount: UInt64 { size >> UInt64(options.logicalBlockSize.shift) }

  /// Bytes behind the last whole block, which the guest cannot reach; 0 where the length is a multiple of the block.
  public var tailBytes: Int { Int(size & UInt64(options.logicalBlockSize.rawValue - 1)) }

  /// Whether deallocated blocks read as zeros: in a file a hole does; a device promises nothing.
  public var deallocatedReadsZero: Bool { !isBlockDevice }

  /// Opens an image by its path.
  ///
  /// - Throws: one sentence on what is wrong and what to do.
  public convenience init(path: String, options: ImageOptions = ImageOptions()) throws(ImageError) {
    try self.init(path: path, options: options, calls: .system)
  }

  /// Takes an image that was opened by somebody else and handed over.
  ///
  /// The status flags of the open file are set as `options` ask (`O_DIRECT`) and as positioned writes need (`O_APPEND`
  /// is cleared), also for the other holders of it.
  ///
  /// - Parameters:
  ///   - descriptor: an open regular file or block device.
  ///   - name: stands for the path in messages.
  ///   - options: how it is to be used.
  /// - Throws: one sentence on what is wrong and what to do.
  public convenience init(
    descriptor: consuming FileDescriptor, name: String, options: ImageOptions = ImageOptions()
  ) throws(ImageError) {
    try self.init(descriptor: descriptor, name: name, options: options, calls: .system)
  }

  /// As the public one, with the system calls of its jobs replaced.
  convenience init(path: String, options: ImageOptions, calls: StorageCalls) throws(ImageError) {
    let descriptor = try ImageOpening.open(path: path, options: options)
    try self.init(opened: descriptor, name: path, options: options, calls: calls)
  }

  /// As the public one, with the system calls of its jobs replaced.
  convenience init(
    descriptor: consuming FileDescriptor, name: String, options: ImageOptions, calls: StorageCalls
  ) throws(ImageError) {
    try ImageOpening.adopt(descriptor.rawValue, name: name, options: options)
    try self.init(opened: descriptor, name: name, options: options, calls: calls)
  }

  private init(
    opened descriptor: consuming FileDescriptor, name: String, options: ImageOptions, calls: StorageCalls
  ) throws(ImageError) {
    let facts = try ImageOpening.examine(descriptor.rawValue, name: name, options: options)
    path = name
    self.options = options
    self.calls = calls
    isBlockDevice = facts.isBlockDevice
    alignment = facts.alignment
    allocationUnit = facts.allocationUnit
    currentSize = Atomic(facts.size)
    opened = OpenImage(
      descriptor: descriptor, identity: facts.identity, options: options, closing: ImageClosing())
  }

  /// Looks at the length again, after somebody has grown or shrunk the image.
  ///
  /// - Returns: whether it is another than before.
  /// - Throws: `systemCall`.
  public func refreshSize() throws(ImageError) -> Bool {
    let found = try ImageOpening.size(fileDescriptor, isBlockDevice: isBlockDevice, name: path)
    return currentSize.exchange(found, ordering: .relaxed) != found
  }

  // MARK: Syncs that failed

  /// The error of the first sync that failed, which every later flush must report again; nil while all went well.
  ///
  /// After a failed `fdatasync(2)` the kernel marks the lost pages clean and tells each open file once: the next call
  /// succeeds, though data that the guest believes safe is gone. What is on the disk is unknown from then on, and only
  /// opening the image anew, when somebody has looked at it, ends that.
  public var failedSync: Errno? {
    let error = syncError.load(ordering: .acquiring)
    return error == 0 ? nil : Errno(rawValue: error)
  }

  /// Whether a sync has failed; see `failedSync`.
  public var writeCacheFailed: Bool { failedSync != nil }

  /// Notes the error of a sync, so that `failedSync` has it from now on; the first one stays.
  ///
  /// To be called for each flush that failed. Errors that say that the sync was not tried are not noted.
  public func noteFailedSync(_ error: Errno) {
    guard error.rawValue > 0, !DiskImage.saysNotTried(error) else { return }
    _ = syncError.compareExchange(expected: 0, desired: error.rawValue, ordering: .releasing)
  }

  /// Makes all that was written before durable (`fdatasync(2)`). Blocks.
  ///
  /// One at a time: of two that the kernel does at once, after a write-back that failed, only one gets the error. What an
  /// asynchronous sync beside it was told counts, if that is known by now.
  ///
  /// - Returns: why it failed, or an earlier one did.
  func sync() -> Errno? {
    syncTurn.withLock { _ in
      if let earlier = failedSync { return earlier }
      while let error = calls.dataSync(fileDescriptor) {
        if error == .interrupted { continue }
        noteFailedSync(error)
        return error
      }
      return failedSync
    }
  }

  private static func saysNotTried(_ error: Errno) -> Bool {
    switch error {
    case .interrupted, .wouldBlock, .outOfMemory, .invalidArgument, .notSupported, .badFileDescriptor: true
    case Errno(rawValue: ENOSYS), Errno(rawValue: ECANCELED): true
    default: false
    }
  }
}
