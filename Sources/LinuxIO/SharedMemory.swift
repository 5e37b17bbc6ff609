import CLinux
import Glibc

/// A memfd and this process's mapping of it: memory that can be handed to a peer.
///
/// It is sealed against shrinking and growing before anybody else sees it, so that a peer cannot take it away under us.
public struct SharedMemory: ~Copyable, Sendable {
  /// The memfd.
  public let descriptor: FileDescriptor
  /// This process's mapping, readable and writable.
  public let mapping: MemoryMapping

  /// Creates zeroed shared memory.
  ///
  /// - Parameters:
  ///   - name: shown in `/proc/PID/maps`.
  ///   - count: bytes, more than 0.
  /// - Throws: the `errno` of `memfd_create(2)`, `ftruncate(2)`, `fcntl(2)` or `mmap(2)`.
  public init(name: String, count: Int) throws(Errno) {
    let number = try checked {
      unsafe clinux_memfd_create(
        name, UInt32(CLINUX_MFD_CLOEXEC | CLINUX_MFD_ALLOW_SEALING))
    }
    let descriptor = FileDescriptor(owning: number)
    _ = try checked { ftruncate(number, Int(count)) }
    let seals = CLINUX_F_SEAL_SHRINK | CLINUX_F_SEAL_GROW | CLINUX_F_SEAL_SEAL
    _ = try checked { clinux_add_seals(number, Int32(seals)) }
    let mapping = try MemoryMapping(fd: number, offset: 0, count: count, [.read, .write])
    self.descriptor = descriptor
    self.mapping = mapping
  }

  /// A memfd that holds `bytes`, sealed against any change: for a peer that reads it as a whole.
  ///
  /// - Throws: the `errno` of `memfd_create(2)`, `write(2)` or `fcntl(2)`.
  public static func sealed(_ bytes: Span<UInt8>, name: String) throws(Errno) -> FileDescriptor {
    let number = try checked {
      unsafe clinux_memfd_create(name, UInt32(CLINUX_MFD_CLOEXEC | CLINUX_MFD_ALLOW_SEALING))
    }
    let descriptor = FileDescriptor(owning: number)
    var done = 0
    while done < bytes.count {
      let rest = bytes.extracting(done...)
      done += try unsafe rest.withUnsafeBytes { (buffer) throws(Errno) in
        let written = unsafe write(number, buffer.baseAddress, buffer.count)
        guard written > 0 else { throw Errno.current }
        return written
      }
    }
    let seals = CLINUX_F_SEAL_SHRINK | CLINUX_F_SEAL_GROW | CLINUX_F_SEAL_WRITE | CLINUX_F_SEAL_SEAL
    _ = try checked { clinux_add_seals(number, Int32(seals)) }
    return descriptor
  }
}
