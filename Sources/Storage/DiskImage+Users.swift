import Glibc
import LinuxIO

extension DiskImage {
  /// Why this image, opened without a lock, could not be opened with one: somebody else uses it. Nobody notices, but of
  /// a block device, which is claimed for a moment (`O_EXCL`).
  ///
  /// - Returns: `locked`, `lockFailed` or `deviceBusy`; nil where nobody is in the way.
  public func excludedBy() -> ImageError.Reason? {
    do {
      if try ImageLock.isHeld(fd: fileDescriptor, readOnly: readOnly) { return .locked(readOnly: readOnly) }
    } catch {
      guard case .failed(let error) = error else { return .locked(readOnly: readOnly) }
      return .lockFailed(error)
    }
    guard isBlockDevice, !readOnly else { return nil }
    do throws(Errno) {
      _ = try FileDescriptor(path: path, flags: O_RDONLY | O_EXCL)
      return nil
    } catch { return error == .busy ? .deviceBusy : nil }
  }
}
