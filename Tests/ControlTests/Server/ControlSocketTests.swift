import Glibc
import LinuxIO
import Testing

@testable import Control

@Suite struct ControlSocketTests {
  private func withFolder(_ body: (String) throws -> Void) throws {
    var template = Array("/tmp/nvmed-control-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw Errno.current }
    let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    defer { rmdir(folder) }
    try body(folder)
  }

  private func status(_ path: String) throws -> stat {
    var result = stat()
    guard lstat(path, &result) == 0 else { throw Errno.current }
    return result
  }

  @Test func isForItsOwnerAlone() throws {
    try withFolder { folder in
      let listener = try ControlSocket.listen(path: folder + "/s", group: nil)
      #expect(try status(folder + "/s").st_mode & 0o777 == 0o600)
      _ = consume listener
      #expect(access(folder + "/s", F_OK) == -1)
    }
  }

  @Test func isForAGroupToo() throws {
    try withFolder { folder in
      let group = geteuid() == 0 ? 4711 : getegid()
      let listener = try ControlSocket.listen(path: folder + "/s", group: group)
      #expect(try status(folder + "/s").st_mode & 0o777 == 0o660)
      #expect(try status(folder + "/s").st_gid == group)
      _ = consume listener
    }
  }

  @Test func replacesWhatADeadDaemonLeft() throws {
    try withFolder { folder in
      var listener = try ControlSocket.listen(path: folder + "/s", group: nil)
      listener.removesPath = false
      _ = consume listener
      #expect(access(folder + "/s", F_OK) == 0)
      let next = try ControlSocket.listen(path: folder + "/s", group: nil)
      #expect(throws: Errno.addressInUse) { _ = try ControlSocket.listen(path: folder + "/s", group: nil) }
      _ = consume next
    }
  }

  @Test func findsGroups() {
    #expect(ControlSocket.group(named: "root") == 0)
    #expect(ControlSocket.group(named: "4711") == 4711)
    #expect(ControlSocket.group(named: "no such group") == nil)
    #expect(ControlSocket.group(named: "") == nil)
  }
}
