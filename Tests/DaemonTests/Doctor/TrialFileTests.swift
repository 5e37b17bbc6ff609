import Glibc
import LinuxIO
import Testing

@testable import Daemon

@Suite struct TrialFileTests {
  @Test func leavesNothing() throws {
    let folder = try TestFolder()
    let file = try TrialFile(in: folder.path)
    #expect(folder.entries == [])
    var found = stat()
    try #require(stat(folder.path, &found) == 0)
    #expect(try file.device() == UInt64(found.st_dev))
    #expect(file.fileSystem.type != 0)
    #expect(file.freeBytes ?? 0 > 0)
  }

  @Test func needsAFolder() throws {
    let folder = try TestFolder()
    #expect(throws: Errno.noSuchFile) { _ = try TrialFile(in: folder.file("none")) }
    let file = try folder.text("file", "")
    #expect(throws: Errno(rawValue: ENOTDIR)) { _ = try TrialFile(in: file) }
  }

  /// A memory file system makes holes everywhere, and zeroes ranges nowhere.
  @Test func saysWhatTheFileSystemDoes() throws {
    guard FolderCheck.isFolder("/dev/shm") else { return }
    let file = try TrialFile(in: "/dev/shm")
    guard file.fileSystem.name == "tmpfs" else { return }
    #expect(file.fileSystem.isVolatile)
    try file.punchHole()
    #expect(throws: Errno.notSupported) { try file.zeroRange() }
  }
}
