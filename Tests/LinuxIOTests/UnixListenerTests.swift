import Glibc
import Testing

@testable import LinuxIO

@Suite struct UnixListenerTests {
  private func exists(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0
  }

  private func accepts(_ listener: borrowing UnixListener) throws -> Bool {
    LinuxIOTests.exists(try listener.accept())
  }

  @Test func acceptsWhoConnects() throws {
    let directory = try SocketDirectory()
    let path = directory.file("socket")
    let listener = try UnixListener(path: path)
    #expect(listener.path == path)
    #expect(UnixSocket.isListening(listener.descriptor.rawValue))
    #expect(try !accepts(listener))

    let client = try UnixSocket.connect(path: path)
    if let accepted = try listener.accept() {
      #expect(fcntl(accepted.rawValue, F_GETFL) & O_NONBLOCK != 0)
      #expect(fcntl(accepted.rawValue, F_GETFD) & FD_CLOEXEC != 0)
      _ = try UnixSocket.send(client.rawValue, [9].span, wait: true)
      var buffer: [UInt8] = [0]
      var descriptors = ReceivedDescriptors(capacity: 0)
      _ = try UnixSocket.receive(accepted.rawValue, into: &buffer, at: 0..<1, descriptors: &descriptors, wait: true)
      #expect(buffer == [9])
    } else {
      Issue.record("nobody was accepted")
    }
    #expect(try !accepts(listener))
  }

  @Test(arguments: [0o600, 0o660] as [mode_t]) func theFileHasTheModeAskedForAndGoesAway(mode: mode_t) throws {
    let directory = try SocketDirectory()
    let path = directory.file("socket")
    do {
      let listener = try UnixListener(path: path, mode: mode)
      var status = stat()
      #expect(lstat(listener.path ?? "", &status) == 0)
      #expect(status.st_mode == S_IFSOCK | mode)
    }
    #expect(!exists(path))
  }

  @Test func replacesTheFileOfADeadDaemon() throws {
    let directory = try SocketDirectory()
    let path = directory.file("socket")
    do {
      var dead = try UnixListener(path: path)
      dead.removesPath = false
    }
    #expect(exists(path))
    #expect(throws: Errno.connectionRefused) { _ = try UnixSocket.connect(path: path) }
    let listener = try UnixListener(path: path)
    let client = try UnixSocket.connect(path: path)
    #expect(client.rawValue >= 0)
    #expect(try accepts(listener))
  }

  @Test func refusesThePathOfALivingDaemon() throws {
    let directory = try SocketDirectory()
    let path = directory.file("socket")
    let living = try UnixListener(path: path, backlog: 0)
    #expect(throws: Errno.addressInUse) { _ = try UnixListener(path: path) }
    // Also while its backlog is full: the probe above waits in it.
    #expect(throws: Errno.addressInUse) { _ = try UnixListener(path: path) }
    #expect(exists(path))
    #expect(UnixSocket.isListening(living.descriptor.rawValue))
  }

  @Test func neverRemovesAFileThatIsNoSocket() throws {
    let directory = try SocketDirectory()
    let path = directory.file("data")
    _ = try FileDescriptor(path: path, flags: O_CREAT | O_WRONLY)
    #expect(throws: Errno.addressInUse) { _ = try UnixListener(path: path) }
    #expect(exists(path))
    let link = directory.file("link")
    #expect(symlink("missing", link) == 0)
    #expect(throws: Errno.addressInUse) { _ = try UnixListener(path: link) }
    #expect(exists(link))
  }

  @Test func leavesThePathOfASuccessor() throws {
    let directory = try SocketDirectory()
    let path = directory.file("socket")
    do {
      let first = try UnixListener(path: path)
      #expect(unlink(path) == 0)
      let second = try UnixListener(path: path)
      _ = consume first
      #expect(exists(path))
      _ = try UnixSocket.connect(path: path)
      #expect(try accepts(second))
    }
    #expect(!exists(path))
  }

  @Test func takesAnInheritedSocketAndLeavesItsPath() throws {
    let directory = try SocketDirectory()
    let path = directory.file("socket")
    let original = try UnixListener(path: path)
    do {
      let inherited = try UnixListener(inheriting: try original.descriptor.duplicate())
      #expect(inherited.path == nil)
      _ = try UnixSocket.connect(path: path)
      #expect(try accepts(inherited))
    }
    #expect(exists(path))
  }

  @Test func refusesToInheritWhatDoesNotListen() throws {
    let pair = try UnixSocketPair()
    #expect(throws: Errno.invalidArgument) { _ = try UnixListener(inheriting: try pair.first.duplicate()) }
    let memory = try SharedMemory(name: "test", count: 4096)
    #expect(throws: Errno.invalidArgument) { _ = try UnixListener(inheriting: try memory.descriptor.duplicate()) }
  }

  @Test func refusesBadPaths() throws {
    let directory = try SocketDirectory()
    let missing = directory.file("missing/socket")
    #expect(throws: Errno.noSuchFile) { _ = try UnixListener(path: missing) }
    #expect(throws: Errno.invalidArgument) { _ = try UnixListener(path: "") }
    let long = directory.file(String(repeating: "x", count: 108))
    #expect(throws: Errno(rawValue: ENAMETOOLONG)) { _ = try UnixListener(path: long) }
  }
}
