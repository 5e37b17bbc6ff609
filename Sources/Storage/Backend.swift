import CLinux
import Glibc

/// Where the blocks of a namespace are, in the form that the I/O path switches on: nothing to retain, nothing to call
/// through. Its owner, a `BlockBackend`, outlives every copy.
@safe public enum Backend: @unchecked Sendable {
  /// An open image: reads and writes go through an `AIOContext`.
  case file(fd: Int32)
  /// Nowhere: reads and writes finish at once and move no data.
  case null
  /// Memory of this process.
  case memory(base: UnsafeMutableRawPointer, count: Int)
}

extension Backend {
  /// Reads from a backend that finishes at once: memory or null.
  ///
  /// - Parameters:
  ///   - iovecs: where the data goes; `count` of them.
  ///   - count: how many of `iovecs` there are.
  ///   - offset: bytes from the start of the backend.
  /// - Returns: bytes read, fewer at the end of the backend; `-EFAULT` past the end; `-EINVAL` for a file.
  public func read(into iovecs: UnsafePointer<iovec>, count: Int, offset: UInt64) -> Int64 {
    unsafe transfer(iovecs, count, offset) { memory, buffer, length in
      unsafe buffer.copyMemory(from: memory, byteCount: length)
    }
  }

  /// Writes to a backend that finishes at once: memory or null.
  ///
  /// - Parameters:
  ///   - iovecs: where the data comes from; `count` of them.
  ///   - count: how many of `iovecs` there are.
  ///   - offset: bytes from the start of the backend.
  /// - Returns: bytes written, fewer at the end of the backend; `-ENOSPC` past the end; `-EINVAL` for a file.
  public func write(from iovecs: UnsafePointer<iovec>, count: Int, offset: UInt64) -> Int64 {
    let result = unsafe transfer(iovecs, count, offset) { memory, buffer, length in
      unsafe memory.copyMemory(from: buffer, byteCount: length)
    }
    return result == -Int64(EFAULT) ? -Int64(ENOSPC) : result
  }

  @inline(__always)
  private func transfer(
    _ iovecs: UnsafePointer<iovec>, _ count: Int, _ offset: UInt64,
    _ copy: (_ memory: UnsafeMutableRawPointer, _ buffer: UnsafeMutableRawPointer, _ length: Int) -> Void
  ) -> Int64 {
    switch self {
    case .file: return -Int64(EINVAL)
    case .null:
      var total: Int64 = 0
      for index in 0..<count { unsafe total &+= Int64(truncatingIfNeeded: iovecs[index].iov_len) }
      return total
    case .memory(let base, let size):
      guard offset < UInt64(size) else { return -Int64(EFAULT) }
      var position = Int(offset)
      for index in 0..<count {
        let part = unsafe iovecs[index]
        let length = unsafe min(part.iov_len, size - position)
        guard length > 0, let buffer = unsafe part.iov_base else { continue }
        unsafe copy(base + position, buffer, length)
        position += length
      }
      return Int64(position - Int(offset))
    }
  }
}
