import CLinux
import Glibc
import LinuxIO

/// The owner of one mapped range of guest memory: the mapping itself and its guard against SIGBUS.
final class DMAMapping: Sendable {
  let region: MemoryRegion
  private let source: Source?
  private let mapping: OptionalMapping
  private let guardSlot: Int32
  private let share: MappingShare?

  private enum OptionalMapping: ~Copyable, Sendable {
    case none
    case mapped(MemoryMapping)
  }

  /// Which bytes of which file a range is.
  struct Source: Equatable, Sendable {
    let device: UInt64
    let inode: UInt64
    let offset: UInt64

    /// - Throws: the `errno` of `fstat(2)`.
    init(_ descriptor: borrowing FileDescriptor, offset: UInt64) throws(Errno) {
      let status = try descriptor.status()
      device = UInt64(status.st_dev)
      inode = UInt64(status.st_ino)
      self.offset = offset
    }
  }

  /// Whether mapping this once more would change nothing.
  func isSame(_ iova: UInt64, _ size: UInt64, _ other: Source, _ access: MemoryRegion.Access) -> Bool {
    region.iova == iova && region.size == size && region.access == access && source == other
  }

  /// A range that came without a file: accepted, and never reachable.
  init(unreachable iova: UInt64, size: UInt64) {
    region = unsafe MemoryRegion(iova: iova, size: size, host: nil, access: [])
    source = nil
    mapping = .none
    guardSlot = -1
    share = nil
  }

  /// Whether an access hit a truncated file.
  var hasFaulted: Bool { clinux_sigbus_faulted(guardSlot) }

  /// Refuses what is no memory, without a word to the file system behind it: that could be one that the client itself
  /// serves (FUSE), or a server far away, and every access would wait for as long as they like.
  ///
  /// Memory is a file of shared memory or huge pages, which alone know seals, or a file on a block device.
  ///
  /// - Throws: `EINVAL` for anything else, `EBADF` for a name without access (`O_PATH`).
  static func checkMemory(_ descriptor: borrowing FileDescriptor) throws(Errno) {
    if clinux_get_seals(descriptor.rawValue) >= 0 { return }
    let error = Errno.current
    guard error == .invalidArgument else { throw error }
    guard clinux_is_on_block_device(descriptor.rawValue) else { throw .invalidArgument }
  }

  /// Maps a file's range.
  ///
  /// - Parameters:
  ///   - faultEvent: the eventfd that a SIGBUS in the range signals.
  ///   - share: what the mapping was taken from; it is given back with the mapping, and not where this throws.
  /// - Throws: `EINVAL` where the file is not a regular one or is shorter than the range, `EACCES` where it is not open
  ///   for what is asked, `ENOMEM` where the process has too many mappings.
  init(
    iova: UInt64, size: UInt64, descriptor: borrowing FileDescriptor, offset: UInt64, access: MemoryRegion.Access,
    faultEvent: Int32, share: MappingShare
  ) throws(Errno) {
    let status = try descriptor.status()
    guard status.st_mode & S_IFMT == S_IFREG else { throw .invalidArgument }
    let (end, overflow) = offset.addingReportingOverflow(size)
    guard !overflow, status.st_size >= 0, end <= UInt64(status.st_size) else { throw .invalidArgument }
    // hugetlbfs maps whole huge pages only, and reports their size as the file's block size.
    let page = UInt64(max(status.st_blksize, 4096))
    let granule = page.nonzeroBitCount == 1 && page <= 1 << 30 ? page : 4096
    let first = offset & ~(granule - 1)
    let lead = offset - first
    let count = (lead + size + granule - 1) & ~(granule - 1)
    var protection: MemoryMapping.Protection = []
    if access.contains(.read) { protection.insert(.read) }
    if access.contains(.write) { protection.insert([.read, .write]) }
    guard let length = Int(exactly: count), let start = Int64(exactly: first) else { throw .invalidArgument }
    let identity = try Source(descriptor, offset: offset)
    let mapped = try MemoryMapping(fd: descriptor.rawValue, offset: start, count: length, protection)
    let slot = unsafe clinux_sigbus_guard(mapped.base, mapped.count, faultEvent)
    guard slot >= 0 else { throw .outOfMemory }
    guardSlot = slot
    self.share = share
    source = identity
    region = unsafe MemoryRegion(iova: iova, size: size, host: mapped.base + Int(lead), access: access)
    mapping = .mapped(mapped)
  }

  deinit {
    if guardSlot >= 0 { clinux_sigbus_release(guardSlot) }
    // The mapping ends a moment later, which the reserve has room for.
    share?.give()
  }
}
