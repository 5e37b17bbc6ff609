import Glibc
import LinuxIO
import NVMeHost
import Testing

/// The daemon as a service: what it tells the one that started it, sockets that it is given by name, and its sandbox.
@Suite struct ServiceTests {
  /// Where notifications arrive.
  private struct Manager: ~Copyable {
    let path: String
    let socket: FileDescriptor

    init(_ folder: TestFolder) throws {
      path = folder.file("notify")
      socket = FileDescriptor(owning: Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0))
      var address = sockaddr_un()
      address.sun_family = sa_family_t(AF_UNIX)
      withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
      let number = socket.rawValue
      let result = withUnsafePointer(to: &address) {
        bind(
          number, UnsafeRawPointer($0).assumingMemoryBound(to: sockaddr.self),
          socklen_t(MemoryLayout<sockaddr_un>.size))
      }
      guard result == 0 else { throw Errno.current }
    }

    /// The next notification that begins so; others are passed over.
    func next(_ wanted: String) throws -> String {
      let end = deadline()
      var buffer = [UInt8](repeating: 0, count: 4096)
      while !isOver(end) {
        var entry = pollfd(fd: socket.rawValue, events: Int16(POLLIN), revents: 0)
        guard poll(&entry, 1, 1000) == 1 else { continue }
        let count = recv(socket.rawValue, &buffer, buffer.count, 0)
        let text = String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
        if text.hasPrefix(wanted) { return text }
      }
      throw TestFailure("no notification '\(wanted)'")
    }
  }

  /// Starts the daemon by a shell that sets variables, of which one may be its own process id.
  private func start(_ variables: String, _ arguments: String, handover: [(Int32, Int32)] = []) throws -> DaemonProcess
  {
    try DaemonProcess(
      ["-c", "\(variables) exec \(DaemonProcess.binary) \(arguments)"], program: "/bin/sh",
      handover: handover.map { (descriptor: $0.0, number: $0.1) })
  }

  private func configuration(_ folder: TestFolder, _ controllers: [String]) throws -> String {
    try folder.text("nvmed.toml", controllers.joined(separator: "\n"))
  }

  private func controller(_ name: String, socket: String?, image: String? = nil) -> String {
    let backend = image.map { "image = \"\($0)\"" } ?? "backend = \"memory\"\nsize = \"1MiB\""
    return """
      [[controller]]
      name = "\(name)"
      \(socket.map { "socket = \"\($0)\"" } ?? "")
      post_write = "kernel"
      [[controller.namespace]]
      \(backend)
      """
  }

  @Test func tellsItsManager() throws {
    let folder = try TestFolder()
    let manager = try Manager(folder)
    let file = try configuration(folder, [controller("a", socket: "a.sock")])
    let daemon = try start("NOTIFY_SOCKET=\(manager.path) WATCHDOG_USEC=200000", "serve --config \(file)")
    #expect(try manager.next("READY=1") == "READY=1\nSTATUS=serving 1 controller")
    // Threads that sleep and threads that work are alive.
    _ = try manager.next("WATCHDOG=1")
    let host = try HostController(path: folder.file("a.sock"), memory: try HostMemory(byteCount: 8 << 20))
    try host.initialize()
    for _ in 0..<3 { #expect(try manager.next("WATCHDOG=1") == "WATCHDOG=1") }
    _ = try configuration(folder, [controller("a", socket: "a.sock"), controller("b", socket: "b.sock")])
    kill(daemon.pid, SIGHUP)
    #expect(try manager.next("RELOADING=1").contains("MONOTONIC_USEC="))
    #expect(try manager.next("READY=1") == "READY=1\nSTATUS=serving 2 controllers")
    host.disconnect()
    kill(daemon.pid, SIGTERM)
    _ = try manager.next("STOPPING=1")
    #expect(try daemon.awaitEnd() == .exit(0))
  }

  @Test func takesSocketsByName() throws {
    let folder = try TestFolder()
    let first = try UnixListener(path: folder.file("1.sock"))
    let second = try UnixListener(path: folder.file("2.sock"))
    let file = try configuration(folder, [controller("a", socket: nil), controller("b", socket: nil)])
    let handover = [(second.descriptor.rawValue, Int32(3)), (first.descriptor.rawValue, 4)]
    let daemon = try start(
      "LISTEN_PID=$$ LISTEN_FDS=2 LISTEN_FDNAMES=b:a", "serve --config \(file)", handover: handover)
    try daemon.awaitReady(controllers: 2)
    for (socket, serial) in [("1.sock", "a"), ("2.sock", "b")] {
      let host = try HostController(path: folder.file(socket), memory: try HostMemory(byteCount: 8 << 20))
      try host.initialize()
      #expect(host.identity.serialNumber.hasPrefix(serial))
      host.disconnect()
    }
    try daemon.terminate()

    let refused = try start(
      "LISTEN_PID=$$ LISTEN_FDS=2 LISTEN_FDNAMES=b:c", "serve --config \(file)", handover: handover)
    #expect(try refused.awaitEnd() == .exit(1))
    #expect(
      refused.log.text.contains("controller 'a' has no 'socket', and systemd hands over none named \"a\""),
      "it says: \(refused.log.text)")
  }

  @Test func aCommandLineTakesTheOnlySocket() throws {
    let folder = try TestFolder()
    let listener = try UnixListener(path: folder.file("socket"))
    let daemon = try start(
      "LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=vm1.socket", "serve --null 1MiB --post-write kernel",
      handover: [(listener.descriptor.rawValue, 3)])
    try daemon.awaitReady()
    let host = try HostController(path: folder.file("socket"), memory: try HostMemory(byteCount: 8 << 20))
    try host.initialize()
    host.disconnect()
    try daemon.terminate()
  }

  /// A line of `/proc/PID/status`.
  private func status(_ daemon: DaemonProcess, _ key: String) throws -> String {
    let file = try FileDescriptor(path: "/proc/\(daemon.pid)/status", flags: O_RDONLY)
    var bytes = [UInt8](repeating: 0, count: 8192)
    let count = read(file.rawValue, &bytes, bytes.count)
    let lines = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self).split(separator: "\n")
    return lines.first { $0.hasPrefix("\(key):") }.map { String($0.dropFirst(key.count + 2)) } ?? ""
  }

  @Test func entersItsSandbox() throws {
    let served = try ServedController()
    #expect(try status(served.daemon, "Seccomp") == "2")
    #expect(try status(served.daemon, "NoNewPrivs") == "1")
    #expect(try status(served.daemon, "CapEff") == "0000000000000000")
    #expect(served.daemon.log.text.contains("sandbox: system calls are filtered"))
    try served.daemon.terminate()
    let open = try ServedController(options: ["--sandbox", "off"])
    #expect(try status(open.daemon, "Seccomp") == environmentSeccomp)
    try open.daemon.terminate()
  }

  /// What the tests themselves run under.
  private var environmentSeccomp: String {
    get throws {
      let file = try FileDescriptor(path: "/proc/self/status", flags: O_RDONLY)
      var bytes = [UInt8](repeating: 0, count: 8192)
      let count = read(file.rawValue, &bytes, bytes.count)
      let lines = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self).split(separator: "\n")
      return lines.first { $0.hasPrefix("Seccomp:") }.map { String($0.dropFirst(9)) } ?? ""
    }
  }

  /// While it runs, an image comes from the folders that it may open, or not at all.
  @Test func opensImagesOfItsFoldersOnly() throws {
    let (folder, inside, outside) = (try TestFolder(), try TestFolder(), try TestFolder())
    let (first, second) = (
      try inside.image("1", byteCount: 1 << 20), try inside.image("2", byteCount: 1 << 20)
    )
    let third = try outside.image("3", byteCount: 1 << 20)
    let a = controller("a", socket: "a.sock", image: first.path)
    let file = try configuration(folder, [a])
    let daemon = try DaemonProcess(["serve", "--config", file])
    try daemon.awaitReady()
    guard daemon.log.text.contains("files are limited") else { return try daemon.terminate() }
    _ = try configuration(folder, [a, controller("b", socket: "b.sock", image: third.path)])
    kill(daemon.pid, SIGHUP)
    try daemon.awaitLog("\(third.path): the sandbox does not leave its folder open; add it to daemon.image_folders")
    _ = try configuration(folder, [a, controller("b", socket: "b.sock", image: second.path)])
    kill(daemon.pid, SIGHUP)
    try daemon.awaitReady(controllers: 2)
    let host = try HostController(path: folder.file("b.sock"), memory: try HostMemory(byteCount: 8 << 20))
    try host.initialize()
    host.disconnect()
    try daemon.terminate()
  }

  @Test(.enabled(if: geteuid() == 0, "only root can become somebody else")) func becomesAUser() throws {
    let folder = try TestFolder()
    chmod(folder.path, 0o711)
    let image = try folder.image("disk", byteCount: 1 << 20)
    let file = try folder.text(
      "nvmed.toml", "[daemon]\nuser = \"nobody\"\n" + controller("a", socket: "a.sock", image: image.path))
    let daemon = try DaemonProcess(["serve", "--config", file])
    try daemon.awaitReady()
    #expect(try status(daemon, "Uid").hasPrefix("65534"))
    #expect(try status(daemon, "Groups").split(separator: " ") == ["65534"])
    #expect(try status(daemon, "CapPrm") == "0000000000000000")
    var found = stat()
    #expect(stat(folder.file("a.sock"), &found) == 0 && found.st_uid == 65534)
    let host = try HostController(path: folder.file("a.sock"), memory: try HostMemory(byteCount: 8 << 20))
    try host.initialize()
    host.disconnect()
    try daemon.terminate()
    let absent = try folder.text(
      "bad.toml", "[daemon]\nuser = \"nobody-of-that-name\"\n" + controller("a", socket: "a.sock"))
    let (end, text) = try runToEnd(["serve", "--config", absent])
    #expect(end == .exit(1))
    #expect(text.contains("daemon.user: this host has no user 'nobody-of-that-name'"), "it says: \(text)")
  }
}
