import Glibc
import LinuxIO
import Testing

@testable import Daemon

@Suite struct SocketCheckTests {
  @Test func canBeMade() throws {
    let folder = try TestFolder()
    let path = folder.file("vm.sock")
    #expect(try SocketCheck(path: path).findings().only("socket.path").verdict == .ok)
    #expect(folder.entries == [])
  }

  @Test func theAddressHolds107Bytes() throws {
    let folder = try TestFolder()
    let name = String(repeating: "x", count: 107 - folder.path.utf8.count - 1)
    #expect(try SocketCheck(path: folder.file(name)).findings().only("socket.path").verdict == .ok)
    let finding = try SocketCheck(path: folder.file(name + "x")).findings().only("socket.path")
    #expect(finding.verdict == .missing)
    #expect(finding.reason.contains("the path has 108 bytes"))
    #expect(try SocketCheck(path: "").findings().only("socket.path").verdict == .missing)
  }

  @Test func needsAFolder() throws {
    let folder = try TestFolder()
    let missing = try SocketCheck(path: folder.file("none/vm.sock")).findings().only("socket.path")
    #expect(missing.verdict == .missing)
    #expect(missing.remedy == "mkdir -p \(folder.file("none"))")
    let file = try folder.text("file", "")
    #expect(try SocketCheck(path: "\(file)/vm.sock").findings().only("socket.path").verdict == .missing)
    #expect(try SocketCheck(path: file).findings().only("socket.path").reason.contains("no socket"))
  }

  @Test func aListenerIsNotDisturbed() throws {
    let folder = try TestFolder()
    let path = folder.file("vm.sock")
    var listener = try UnixListener(path: path)
    listener.removesPath = false
    let finding = try SocketCheck(path: path).findings().only("socket.path")
    #expect(finding.verdict == .limited)
    #expect(finding.reason.hasPrefix("a process listens there"))
    // Nobody connected.
    let connection = try listener.accept()
    switch connection {
    case .none: break
    case .some: Issue.record("the check connected")
    }
  }

  @Test func aSocketThatNobodyListensOnIsReplaced() throws {
    let folder = try TestFolder()
    let path = folder.file("vm.sock")
    do {
      var listener = try UnixListener(path: path)
      listener.removesPath = false
    }
    #expect(folder.entries == ["vm.sock"])
    let finding = try SocketCheck(path: path).findings().only("socket.path")
    #expect(finding.verdict == .ok)
    #expect(finding.reason.contains("nvmed replaces it"))
  }
}
