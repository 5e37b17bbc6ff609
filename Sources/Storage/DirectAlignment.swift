import CLinux
import Glibc
import LinuxIO

/// What direct I/O on a file asks of its callers; all powers of two, in bytes.
public struct DirectAlignment: Equatable, Sendable {
  /// Addresses of buffers are multiples of it.
  public let memory: Int
  /// Offsets in the file, and lengths of buffers, are multiples of it.
  public let offset: Int

  /// Makes an alignment of its parts.
  public init(memory: Int, offset: Int) {
    self.memory = memory
    self.offset = offset
  }

  /// Buffered I/O takes everything.
  public static let none = DirectAlignment(memory: 1, offset: 1)

  /// The alignment of an open file, by the first of these that knows: `statx(2)`, the block device's sector size, and
  /// trying.
  ///
  /// - Returns: nil where the file has no direct I/O.
  static func of(fd: Int32, isBlockDevice: Bool, size: UInt64) -> DirectAlignment? {
    var memory: UInt32 = 0
    var offset: UInt32 = 0
    if unsafe clinux_direct_alignment(fd, &memory, &offset) == 1 {
      guard memory > 0, offset > 0 else { return nil }
      return DirectAlignment(memory: Int(memory), offset: Int(offset))
    }
    if isBlockDevice, let sector = sectorSize(fd: fd) { return DirectAlignment(memory: sector, offset: sector) }
    return probe(fd: fd, size: size)
  }

  /// The logical block size of a block device.
  static func sectorSize(fd: Int32) -> Int? {
    var size: Int32 = 0
    guard unsafe ioctl(fd, UInt(CLINUX_BLKSSZGET), &size) == 0, size > 0 else { return nil }
    return Int(size)
  }

  /// Finds the least alignment of 512 to 4096 bytes with which a direct read works.
  ///
  /// The file is open with `O_DIRECT`. Memory is tried with the same alignment as the offset: a filesystem that knows
  /// no better says nothing of either.
  static func probe(fd: Int32, size: UInt64) -> DirectAlignment? {
    guard let buffer = try? MemoryMapping(anonymous: 3 * 4096) else { return nil }
    var alignment = 512
    while alignment <= 4096 {
      // The second block, so that the offset and not only the length is tried.
      let offset = size >= UInt64(2 * alignment) ? alignment : 0
      let count = unsafe pread(fd, buffer.base + alignment, alignment, off_t(offset))
      if count >= 0 { return DirectAlignment(memory: alignment, offset: alignment) }
      guard Errno.current == .invalidArgument else { return nil }
      alignment *= 2
    }
    return nil
  }
}
