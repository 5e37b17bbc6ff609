import Glibc
import Testing

@testable import LinuxIO

@Suite struct FileDescriptorTests {
  @Test func closesWithItsOwnerUnlessReleased() throws {
    let memory = try SharedMemory(name: "owner", count: 4096)
    let number = memory.descriptor.rawValue
    let before = openDescriptors(ofTheFileBehind: number)
    var released: Int32 = -1
    do {
      let first = try memory.descriptor.duplicate()
      let second = try memory.descriptor.duplicate()
      #expect(openDescriptors(ofTheFileBehind: number) == before + 2)
      #expect(first.rawValue != number && first.rawValue != second.rawValue)
      released = second.release()
    }
    #expect(openDescriptors(ofTheFileBehind: number) == before + 1)
    #expect(close(released) == 0)
    #expect(openDescriptors(ofTheFileBehind: number) == before)
  }

  @Test func opensAFileThatClosesOnExec() throws {
    let directory = try SocketDirectory()
    let path = directory.file("file")
    #expect(throws: Errno.noSuchFile) { _ = try FileDescriptor(path: path, flags: O_RDWR) }
    let file = try FileDescriptor(path: path, flags: O_RDWR | O_CREAT | O_EXCL, mode: 0o640)
    #expect(fcntl(file.rawValue, F_GETFD) & FD_CLOEXEC != 0)
    let status = try file.status()
    #expect(status.st_mode & S_IFMT == S_IFREG)
    #expect(status.st_mode & 0o777 & ~0o640 == 0)
    #expect(throws: Errno.fileExists) { _ = try FileDescriptor(path: path, flags: O_RDWR | O_CREAT | O_EXCL) }
    #expect(throws: Errno(rawValue: ENOTDIR)) { _ = try FileDescriptor(path: path + "/below", flags: O_RDONLY) }
  }

  @Test func aDuplicateIsOfTheSameFileAndClosesOnExec() throws {
    let memory = try SharedMemory(name: "duplicate", count: 4096)
    let copy = try memory.descriptor.duplicate()
    #expect(fcntl(copy.rawValue, F_GETFD) & FD_CLOEXEC != 0)
    #expect(try copy.status().st_ino == memory.descriptor.status().st_ino)
  }

  @Test func setsAndClearsFlags() throws {
    let pair = try UnixSocketPair()
    #expect(fcntl(pair.first.rawValue, F_GETFL) & O_NONBLOCK == 0)
    for _ in 0..<2 {
      try pair.first.setNonBlocking()
      #expect(fcntl(pair.first.rawValue, F_GETFL) & O_NONBLOCK != 0)
    }
    try pair.first.setCloseOnExec(false)
    #expect(fcntl(pair.first.rawValue, F_GETFD) & FD_CLOEXEC == 0)
    try pair.first.setCloseOnExec(true)
    #expect(fcntl(pair.first.rawValue, F_GETFD) & FD_CLOEXEC != 0)
  }

  @Test func aDescriptorThatIsNotOpenIsAnError() {
    let none = FileDescriptor(owning: -1)
    #expect(throws: Errno.badFileDescriptor) { _ = try none.duplicate() }
    #expect(throws: Errno.badFileDescriptor) { _ = try none.status() }
    #expect(throws: Errno.badFileDescriptor) { try none.setNonBlocking() }
    #expect(throws: Errno.badFileDescriptor) { try none.setCloseOnExec(true) }
  }
}
