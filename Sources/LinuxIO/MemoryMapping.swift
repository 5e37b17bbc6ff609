import CLinux
import Glibc

/// The owner of an `mmap(2)`ed range; unmaps it when it goes out of scope.
///
/// The memory may be shared with other processes: its users copy once, check once and use the copy.
@safe public struct MemoryMapping: ~Copyable, @unchecked Sendable {
  /// First byte.
  public let base: UnsafeMutableRawPointer
  /// Length in bytes.
  public let count: Int

  /// The access that the mapping allows: `PROT_*` bits.
  public struct Protection: OptionSet, Sendable {
    /// `PROT_*` bits.
    public let rawValue: Int32
    /// Wraps `PROT_*` bits.
    public init(rawValue: Int32) { self.rawValue = rawValue }
    /// `PROT_READ`.
    public static let read = Protection(rawValue: PROT_READ)
    /// `PROT_WRITE`.
    public static let write = Protection(rawValue: PROT_WRITE)
  }

  /// Maps `count` bytes of a file, shared.
  ///
  /// - Parameters:
  ///   - fd: an open file whose owner the caller keeps alive during the call.
  ///   - offset: where in the file; a multiple of the page size (of the huge page size on hugetlbfs).
  ///   - count: bytes, more than 0.
  ///   - protection: whether it may be written to.
  /// - Throws: the `errno` of `mmap(2)`.
  public init(fd: Int32, offset: Int64, count: Int, _ protection: Protection) throws(Errno) {
    let address = unsafe mmap(nil, count, protection.rawValue, MAP_SHARED, fd, Int(offset))
    guard let address = unsafe address, unsafe address != MAP_FAILED else { throw Errno.current }
    unsafe base = address
    self.count = count
  }

  /// Maps `count` bytes of zeroed private memory.
  ///
  /// - Throws: the `errno` of `mmap(2)`.
  public init(anonymous count: Int) throws(Errno) {
    let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
    let address = unsafe mmap(nil, count, PROT_READ | PROT_WRITE, flags, -1, 0)
    guard let address = unsafe address, unsafe address != MAP_FAILED else { throw Errno.current }
    unsafe base = address
    self.count = count
  }

  deinit { unsafe munmap(base, count) }
}
