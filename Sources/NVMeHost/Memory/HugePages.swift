import CLinux
import Glibc
import LinuxIO

/// Huge pages of 2 MiB that the kernel reserves as long as this lives, beside those that are there
/// (`Documentation/admin-guide/mm/hugetlbpage.rst`). Needs root.
///
/// Any thread.
public final class HugePages: Sendable {
  /// Bytes of one.
  public static let byteCount = 2 << 20
  /// Whether this process may have some.
  public static let isPossible = (try? HugePages(1)) != nil

  private let count: Int

  /// Reserves `count` of them.
  ///
  /// - Throws: `outOfMemory` where there are not so many, or what the kernel says to who may not ask.
  public init(_ count: Int) throws(Errno) {
    self.count = count
    guard try HugePages.change(by: count) == count else { throw Errno.outOfMemory }
  }

  deinit { _ = try? HugePages.change(by: -count) }

  /// A file of `byteCount` bytes in huge pages, without seals. They are reserved when it is mapped.
  public static func file(name: String, byteCount: Int) throws(Errno) -> FileDescriptor {
    // MFD_HUGE_2MB, in the bits of the size's logarithm.
    let number = unsafe clinux_memfd_create(name, UInt32(CLINUX_MFD_CLOEXEC | CLINUX_MFD_HUGETLB) | 21 << 26)
    guard number >= 0 else { throw Errno.current }
    let file = FileDescriptor(owning: number)
    guard ftruncate(number, byteCount) == 0 else { throw Errno.current }
    return file
  }

  /// Has the kernel reserve more, or fewer: all of them or none. Whoever else changes the number as well waits meanwhile.
  ///
  /// - Returns: how many more there are.
  private static func change(by count: Int) throws(Errno) -> Int {
    let path = "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages"
    let file = try FileDescriptor(path: path, flags: O_RDWR)
    guard flock(file.rawValue, LOCK_EX) == 0 else { throw Errno.current }
    let before = number(file)
    write(max(before + count, 0), file)
    let after = number(file)
    guard count > 0, after < before + count else { return after - before }
    write(before, file)
    return 0
  }

  private static func number(_ file: borrowing FileDescriptor) -> Int {
    var bytes = [UInt8](repeating: 0, count: 32)
    let count = unsafe pread(file.rawValue, &bytes, bytes.count, 0)
    return Int(String(decoding: bytes.prefix(max(count, 0)).prefix { $0 != 10 }, as: UTF8.self)) ?? 0
  }

  private static func write(_ number: Int, _ file: borrowing FileDescriptor) {
    let text = Array("\(number)\n".utf8)
    _ = unsafe pwrite(file.rawValue, text, text.count, 0)
  }
}
