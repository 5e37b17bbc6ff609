import CLinux
import Glibc
import LinuxIO

/// The lock of a disk image against other programs, in the way of QEMU (`block/file-posix.c`, image locking).
///
/// A user takes shared locks on single bytes: byte 100 + n says that it uses permission n, byte 200 + n that it does
/// not let others use permission n. Then it asks whether anybody else locked the byte that contradicts it. The locks
/// are advisory locks of the open file description (`F_OFD_SETLK`), so that they last until its last descriptor is
/// closed, and two users inside one process exclude each other too. Programs that lock the whole file exclusively
/// (Cloud Hypervisor) conflict with them as well. Who holds a lock is not told: the kernel gives no pid.
enum ImageLock {
  /// Permissions of QEMU's block layer (`BLK_PERM_*`), as bit numbers.
  enum Permission: Int64, CaseIterable {
    case consistentRead = 0
    case write = 1
    case writeUnchanged = 2
    case resize = 3
  }

  static let usedBase: Int64 = 100
  static let deniedBase: Int64 = 200

  /// Why there is no lock.
  enum Failure: Error, Equatable {
    /// Somebody else uses the image in a way that excludes ours.
    case held
    /// The kernel or the filesystem has no such locks.
    case failed(Errno)
  }

  /// Takes the locks of a writer, or of a reader; others may read while we read, and do nothing while we write.
  static func acquire(fd: Int32, readOnly: Bool) throws(Failure) {
    // First say it, then ask: of two that start together at least one sees the other.
    for permission in used(readOnly) { try set(fd, usedBase + permission.rawValue) }
    for permission in denied { try set(fd, deniedBase + permission.rawValue) }
    try checkOthers(fd, readOnly: readOnly)
  }

  /// Whether somebody else uses the image in a way that excludes a writer, or a reader. Takes no lock: nobody notices.
  ///
  /// - Throws: `failed`.
  static func isHeld(fd: Int32, readOnly: Bool) throws(Failure) -> Bool {
    do throws(Failure) {
      try checkOthers(fd, readOnly: readOnly)
      return false
    } catch {
      guard error == .held else { throw error }
      return true
    }
  }

  private static func checkOthers(_ fd: Int32, readOnly: Bool) throws(Failure) {
    for permission in used(readOnly) { try check(fd, deniedBase + permission.rawValue) }
    for permission in denied { try check(fd, usedBase + permission.rawValue) }
  }

  private static func used(_ readOnly: Bool) -> [Permission] {
    readOnly ? [.consistentRead] : [.consistentRead, .write]
  }

  /// A guest cannot follow a resize that it is not told of, so nobody else may do it.
  private static let denied: [Permission] = [.write, .resize]

  private static func set(_ fd: Int32, _ byte: Int64) throws(Failure) {
    try control(fd, Int32(CLINUX_F_OFD_SETLK), F_RDLCK, byte)
  }

  private static func check(_ fd: Int32, _ byte: Int64) throws(Failure) {
    let found = try control(fd, Int32(CLINUX_F_OFD_GETLK), F_WRLCK, byte)
    if found != F_UNLCK { throw .held }
  }

  @discardableResult
  private static func control(_ fd: Int32, _ command: Int32, _ type: Int32, _ byte: Int64) throws(Failure) -> Int32 {
    var lock = flock()
    lock.l_type = Int16(type)
    lock.l_whence = Int16(SEEK_SET)
    lock.l_start = off_t(byte)
    lock.l_len = 1
    while unsafe fcntl(fd, command, &lock) == -1 {
      switch Errno.current {
      case .interrupted: continue
      case .wouldBlock, .accessDenied: throw .held
      case let error: throw .failed(error)
      }
    }
    return Int32(lock.l_type)
  }
}
