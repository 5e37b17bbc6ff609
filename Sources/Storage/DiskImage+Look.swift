import CLinux
import Glibc
import LinuxIO

extension DiskImage {
  /// Looks at what a path leads to, and opens nothing: nobody who uses it notices.
  ///
  /// What shows only when it is opened (locks, direct I/O) is not found.
  ///
  /// - Returns: what tells the image from every other; symbolic and hard links to one file lead to the same.
  /// - Throws: why it could not be opened as `options` ask.
  public static func look(at path: String, options: ImageOptions) throws(ImageError) -> ImageIdentity {
    func failure(_ reason: ImageError.Reason) -> ImageError { ImageError(path: path, reason: reason) }

    let found: stat
    do throws(Errno) { found = try FileStatus.of(path) } catch {
      throw failure(ImageOpening.reason(error, "stat", options))
    }
    let isBlockDevice = try ImageOpening.kind(found.st_mode, name: path)
    let mode = options.readOnly ? R_OK : R_OK | W_OK
    do throws(Errno) { try FileStatus.requireAccess(path, mode) } catch {
      throw failure(ImageOpening.reason(error, "faccessat", options))
    }
    let size = UInt64(max(0, found.st_size))
    if !isBlockDevice, size < UInt64(options.logicalBlockSize.rawValue) {
      throw failure(.tooSmall(size: size, blockSize: options.logicalBlockSize))
    }
    return ImageIdentity(of: found)
  }
}
