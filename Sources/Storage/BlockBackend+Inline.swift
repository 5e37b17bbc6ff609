import CLinux
import Glibc
import LinuxIO

extension BlockBackend {
  /// Does at once what a `StorageJob` does for an image, on a backend without one.
  ///
  /// - Parameters:
  ///   - operation: what is to be done.
  ///   - handle: memory or null.
  /// - Returns: why it failed: `EINVAL` for a range outside the memory, and for a file, whose work blocks.
  public static func perform(_ operation: StorageJob.Operation, on handle: Backend) -> Errno? {
    switch handle {
    case .file: return .invalidArgument
    case .null: return nil
    case .memory(let base, let count):
      let size = UInt64(count)
      switch operation {
      case .flush: return nil
      case .writeZeroes(let range, _, _):
        guard range.isWithin(size) else { return .invalidArgument }
        unsafe clear(base, range)
      case .deallocate(let ranges):
        guard ranges.allSatisfy({ $0.isWithin(size) }) else { return .invalidArgument }
        for range in ranges { unsafe clear(base, range) }
      }
      return nil
    }
  }

  /// Zeros a range: whole pages by giving them back, the rest by writing.
  private static func clear(_ base: UnsafeMutableRawPointer, _ range: ByteRange) {
    guard range.count > 0 else { return }
    let start = Int(range.offset)
    let end = start + Int(range.count)
    let pages = range.shrunk(toWhole: 4096)
    // The mapping is private and anonymous: pages given back read as zeros.
    guard pages.count > 0, unsafe madvise(base + Int(pages.offset), Int(pages.count), MADV_DONTNEED) == 0 else {
      unsafe memset(base + start, 0, end - start)
      return
    }
    let pagesEnd = Int(pages.offset + pages.count)
    unsafe memset(base + start, 0, Int(pages.offset) - start)
    unsafe memset(base + pagesEnd, 0, end - pagesEnd)
  }
}
