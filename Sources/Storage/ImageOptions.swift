/// How a disk image is opened.
public struct ImageOptions: Equatable, Sendable {
  /// Whether the host's page cache stands between the guest and the disk.
  public enum Cache: Equatable, Sendable {
    /// No: `O_DIRECT`. Data goes between guest memory and the disk without a copy.
    case direct
    /// Yes. For filesystems without direct I/O, and for tests; a submitted request then blocks the I/O thread.
    case buffered
  }

  /// Open for reading alone.
  public var readOnly: Bool
  /// The block size of the namespace.
  public var logicalBlockSize: LogicalBlockSize
  /// Direct or buffered I/O.
  public var cache: Cache
  /// Lock the image against other writers.
  public var lock: Bool

  /// Options; by default those of a writable disk with 512-byte blocks, direct I/O and a lock.
  public init(
    readOnly: Bool = false, logicalBlockSize: LogicalBlockSize = .bytes512, cache: Cache = .direct, lock: Bool = true
  ) {
    self.readOnly = readOnly
    self.logicalBlockSize = logicalBlockSize
    self.cache = cache
    self.lock = lock
  }
}
