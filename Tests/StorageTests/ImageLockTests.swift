import CLinux
import Glibc
import LinuxIO
import Testing

@testable import Storage

@Suite struct ImageLockTests {
  private let file: TestImage

  init() throws { file = try TestImage(size: 8192) }

  private func open(readOnly: Bool, lock: Bool = true) throws -> DiskImage {
    try DiskImage(path: file.path, options: ImageOptions(readOnly: readOnly, cache: .buffered, lock: lock))
  }

  /// The lock of another process, which this one knows nothing of.
  private func hold(readOnly: Bool) throws -> FileDescriptor {
    let descriptor = try FileDescriptor(path: file.path, flags: readOnly ? O_RDONLY : O_RDWR)
    try ImageLock.acquire(fd: descriptor.rawValue, readOnly: readOnly)
    return descriptor
  }

  private func expectLocked(readOnly: Bool) {
    #expect(throws: ImageError(path: file.path, reason: .locked(readOnly: readOnly))) {
      _ = try open(readOnly: readOnly)
    }
  }

  /// Locks as `fcntl(F_OFD_SETLK)` does; whether it was granted.
  private func lock(_ fd: Int32, _ type: Int32, _ start: Int, _ length: Int) -> Bool {
    var lock = flock()
    lock.l_type = Int16(type)
    lock.l_whence = Int16(SEEK_SET)
    lock.l_start = start
    lock.l_len = length
    return fcntl(fd, Int32(CLINUX_F_OFD_SETLK), &lock) == 0
  }

  /// Whether a lock of somebody else excludes an exclusive one on `byte`.
  private func conflict(_ fd: Int32, _ byte: Int) -> Bool {
    var lock = flock()
    lock.l_type = Int16(F_WRLCK)
    lock.l_whence = Int16(SEEK_SET)
    lock.l_start = byte
    lock.l_len = 1
    #expect(fcntl(fd, Int32(CLINUX_F_OFD_GETLK), &lock) == 0)
    return Int32(lock.l_type) != F_UNLCK
  }

  @Test func aWriterIsAlone() throws {
    do {
      let writer = try hold(readOnly: false)
      expectLocked(readOnly: false)
      expectLocked(readOnly: true)
      // Who takes no lock is not stopped.
      _ = try open(readOnly: false, lock: false)
      expectLocked(readOnly: false)
      _ = writer.rawValue
    }
    _ = try onceUnlocked { try open(readOnly: false) }
  }

  @Test func whoIsInTheWayIsToldWithoutALock() throws {
    let (writer, reader) = (try open(readOnly: false, lock: false), try open(readOnly: true, lock: false))
    #expect(writer.excludedBy() == nil)
    do {
      let other = try hold(readOnly: true)
      #expect(writer.excludedBy() == .locked(readOnly: false))
      #expect(reader.excludedBy() == nil)
      _ = other.rawValue
    }
    try onceUnlocked { if let reason = writer.excludedBy() { throw ImageError(path: file.path, reason: reason) } }
    // Having asked excludes nobody.
    let other = try hold(readOnly: false)
    #expect(writer.excludedBy() == .locked(readOnly: false))
    #expect(reader.excludedBy() == .locked(readOnly: true))
    _ = other.rawValue
  }

  @Test func readersShare() throws {
    let first = try hold(readOnly: true)
    do { withExtendedLifetime(try open(readOnly: true)) {} }
    expectLocked(readOnly: false)
    _ = first.rawValue
  }

  @Test func theLockLivesAsLongAsTheOpenFile() throws {
    let kept: FileDescriptor
    do {
      let writer = try open(readOnly: false)
      kept = FileDescriptor(owning: fcntl(writer.fileDescriptor, F_DUPFD_CLOEXEC, 0))
    }
    // As across a restart: the descriptor was kept elsewhere, and the lock with it.
    expectLocked(readOnly: false)
    do {
      let taken = try DiskImage(
        descriptor: kept.duplicate(), name: "kept", options: ImageOptions(cache: .buffered))
      withExtendedLifetime(taken) {}
    }
    expectLocked(readOnly: false)
    _ = kept.rawValue
  }

  @Test func respectsTheLocksOfQEMU() throws {
    // A guest's writable disk: consistent read, write, and resize in use; nobody else may write or resize.
    let qemu = try FileDescriptor(path: file.path, flags: O_RDWR)
    for byte in [100, 101, 103, 201, 203] { try #require(lock(qemu.rawValue, F_RDLCK, byte, 1)) }
    expectLocked(readOnly: false)
    expectLocked(readOnly: true)
    // Read-only for the guest: consistent read in use, nobody may write.
    for byte in [101, 103] { try #require(lock(qemu.rawValue, F_UNLCK, byte, 1)) }
    expectLocked(readOnly: false)
    let reader = try open(readOnly: true)
    withExtendedLifetime(reader) {}
  }

  @Test func respectsAnExclusiveLockOfTheWholeFile() throws {
    let other = try FileDescriptor(path: file.path, flags: O_RDWR)
    try #require(lock(other.rawValue, F_WRLCK, 0, 0))
    expectLocked(readOnly: false)
    expectLocked(readOnly: true)
  }

  @Test func showsQEMUAWriter() throws {
    let writer = try open(readOnly: false)
    let qemu = try FileDescriptor(path: file.path, flags: O_RDWR)
    // What QEMU asks before it uses consistent read and write, and before it denies write.
    #expect(!conflict(qemu.rawValue, 200))
    #expect(conflict(qemu.rawValue, 201))
    #expect(conflict(qemu.rawValue, 101))
    #expect(!lock(qemu.rawValue, F_WRLCK, 0, 0))
    withExtendedLifetime(writer) {}
  }

  @Test func showsQEMUAReader() throws {
    let reader = try open(readOnly: true)
    let qemu = try FileDescriptor(path: file.path, flags: O_RDWR)
    #expect(conflict(qemu.rawValue, 201))
    #expect(!conflict(qemu.rawValue, 101))
    #expect(!conflict(qemu.rawValue, 200))
    withExtendedLifetime(reader) {}
  }
}
