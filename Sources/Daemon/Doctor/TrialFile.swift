import CLinux
import Glibc
import LinuxIO
import Storage

/// A file without a name in a folder, on which everything may be tried; gone when it goes out of scope.
struct TrialFile: ~Copyable {
  private static let size = 1 << 20
  private static let part = 1 << 16

  private let descriptor: FileDescriptor

  /// Makes it.
  ///
  /// - Throws: the `errno` of `open(2)`, or of `ftruncate(2)`.
  init(in folder: String) throws(Errno) {
    let descriptor = try TrialFile.open(folder)
    guard ftruncate(descriptor.rawValue, TrialFile.size) == 0 else { throw Errno.current }
    self.descriptor = descriptor
  }

  private static func open(_ folder: String) throws(Errno) -> FileDescriptor {
    do throws(Errno) {
      return try FileDescriptor(path: folder, flags: O_RDWR | O_DIRECTORY | Int32(CLINUX_O_TMPFILE))
    } catch {
      // File systems without O_TMPFILE say one of these.
      guard [.notSupported, .invalidArgument, Errno(rawValue: EISDIR)].contains(error) else { throw error }
    }
    let path = "\(folder)/.nvmed-doctor-\(getpid())"
    let descriptor = try FileDescriptor(path: path, flags: O_RDWR | O_CREAT | O_EXCL)
    unsafe unlink(path)
    return descriptor
  }

  /// The device that it is on (`st_dev`).
  ///
  /// - Throws: the `errno` of `fstat(2)`.
  func device() throws(Errno) -> UInt64 { UInt64(try descriptor.status().st_dev) }

  /// The file system that it is on.
  var fileSystem: FileSystem { FileSystem(of: descriptor.rawValue) }

  /// Bytes that can still be written there.
  var freeBytes: UInt64? { FileSystem.freeBytes(descriptor.rawValue) }

  /// Makes a hole of what was written. To be tried before direct I/O.
  ///
  /// - Throws: the `errno` of `fallocate(2)`; `EIO` where what is read then is not zero.
  func punchHole() throws(Errno) { try empty(Int32(CLINUX_FALLOC_PUNCH_HOLE)) }

  /// Zeroes what was written, and keeps its space. To be tried before direct I/O.
  ///
  /// - Throws: as `punchHole()`.
  func zeroRange() throws(Errno) { try empty(Int32(CLINUX_FALLOC_ZERO_RANGE)) }

  private func empty(_ mode: Int32) throws(Errno) {
    var bytes = [UInt8](repeating: 0xA5, count: TrialFile.part)
    guard unsafe pwrite(descriptor.rawValue, bytes, bytes.count, 0) == bytes.count else { throw Errno.current }
    guard clinux_fallocate(descriptor.rawValue, mode, 0, TrialFile.part) == 0 else { throw Errno.current }
    let count = bytes.count
    guard unsafe pread(descriptor.rawValue, &bytes, count, 0) == count, bytes.allSatisfy({ $0 == 0 }) else {
      throw .inputOutput
    }
  }

  /// Opens it as the daemon opens an image, by direct I/O.
  ///
  /// - Throws: why it cannot.
  func image(name: String) throws(ImageError) -> DiskImage {
    let copy: FileDescriptor
    do throws(Errno) { copy = try descriptor.duplicate() } catch {
      throw ImageError(path: name, reason: .systemCall("fcntl(F_DUPFD_CLOEXEC)", error))
    }
    let options = ImageOptions(logicalBlockSize: .bytes4096, cache: .direct, lock: false)
    return try DiskImage(descriptor: copy, name: name, options: options)
  }
}
