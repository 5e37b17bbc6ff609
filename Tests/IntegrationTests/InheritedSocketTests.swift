import Glibc
import LinuxIO
import NVMeHost
import NVMeSpec
import Testing

/// `nvmed serve --fd`: a socket that whoever starts the daemon hands over.
@Suite struct InheritedSocketTests {
  @Test func servesAConnectedSocketUntilItCloses() throws {
    let folder = try TestFolder()
    let image = try folder.image("disk", byteCount: 1 << 20)
    let pair = try UnixSocketPair()
    let daemon = try DaemonProcess(
      ["serve", "--fd", "7", "--image", image.path, "--post-write", "kernel"], handover: [(pair.second.rawValue, 7)])
    let socket = try pair.first.duplicate()
    _ = consume pair
    let host = try HostController(
      socket: socket, memory: try HostMemory(byteCount: 8 << 20), options: HostOptions(doorbells: .slots, vectors: 2))
    try host.initialize()
    var queue = try host.createQueue(1, depth: 64, vector: 1)
    let data = try host.memory.allocate(64 << 10)
    try queue.writePattern(data, slba: 100, version: 1, blockByteCount: 512)
    // It goes with commands in flight.
    while queue.submit(.flush(nsid: 1)) != nil {}
    queue.ring()
    host.disconnect()
    let end = try daemon.awaitEnd()
    #expect(end == .exit(0), "it says: \(daemon.log.text)")
    #expect(try image.read(at: 51_200, count: data.count) == data.bytes)
  }

  @Test func endsWhenTheClientIsGoneBeforeItStarts() throws {
    let pair = try UnixSocketPair()
    let daemon = try DaemonProcess(["serve", "--fd", "9", "--null", "1MiB"], handover: [(pair.second.rawValue, 9)])
    _ = consume pair
    let end = try daemon.awaitEnd()
    #expect(end == .exit(0), "it says: \(daemon.log.text)")
  }

  @Test func servesAListeningSocketForEver() throws {
    let folder = try TestFolder()
    let image = try folder.image("disk", byteCount: 1 << 20)
    let listener = try UnixListener(path: folder.file("socket"))
    let daemon = try DaemonProcess(
      ["serve", "--fd", "3", "--image", image.path, "--post-write", "kernel"],
      handover: [(listener.descriptor.rawValue, 3)])
    for version in 1...3 as ClosedRange<UInt64> {
      // Nobody waits for the daemon: a connection waits in the socket until it is ready.
      let host = try HostController(path: folder.file("socket"), memory: try HostMemory(byteCount: 8 << 20))
      try host.initialize()
      var queue = try host.createQueue(1, depth: 16)
      let data = try host.memory.allocate(4096)
      if version > 1 { try queue.readPattern(data, slba: 0, version: version - 1, blockByteCount: 512) }
      try queue.writePattern(data, slba: 0, version: version, blockByteCount: 512)
      host.disconnect()
    }
    try daemon.terminate()
    #expect(access(folder.file("socket"), F_OK) == 0, "the socket file is not the daemon's")
  }

  @Test func refusesWhatIsNoSocket() throws {
    let null = try FileDescriptor(path: "/dev/null", flags: O_RDWR)
    let daemon = try DaemonProcess(["serve", "--fd", "5", "--null", "1MiB"], handover: [(null.rawValue, 5)])
    #expect(try daemon.awaitEnd() == .exit(1))
    #expect(daemon.log.text.contains("descriptor 5 is no AF_UNIX stream socket"), "it says: \(daemon.log.text)")
    let (end, text) = try runToEnd(["serve", "--fd", "77", "--null", "1MiB"])
    #expect(end == .exit(1))
    #expect(text.contains("--fd 77: no descriptor 77 was inherited"), "it says: \(text)")
  }
}
