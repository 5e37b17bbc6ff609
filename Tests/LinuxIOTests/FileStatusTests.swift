import Glibc
import LinuxIO
import Testing

@Suite struct FileStatusTests {
  @Test func followsLinksOrNot() throws {
    #expect(try FileStatus.of("/proc/self/exe").st_mode & S_IFMT == S_IFREG)
    #expect(try FileStatus.at("/proc/self/exe").st_mode & S_IFMT == S_IFLNK)
    #expect(throws: Errno.noSuchFile) { try FileStatus.of("/proc/self/nothing") }
    #expect(throws: Errno.noSuchFile) { try FileStatus.at("/proc/self/nothing") }
  }

  @Test func accessIsThatOfTheUser() throws {
    try FileStatus.requireAccess("/proc/self/status", R_OK)
    #expect(throws: Errno.self) { try FileStatus.requireAccess("/proc/self/status", X_OK) }
    #expect(throws: Errno.noSuchFile) { try FileStatus.requireAccess("/proc/self/nothing", R_OK) }
  }
}
