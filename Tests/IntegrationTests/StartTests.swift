import Glibc
import LinuxIO
import NVMeHost
import Testing

/// What keeps the daemon from starting: each in one sentence, with a status that is not 0.
@Suite struct StartTests {
  @Test func locksItsImageAgainstASecondDaemon() throws {
    let served = try ServedController()
    let other = served.folder.file("other")
    let path = served.images[0].path
    for options in [[], ["--read-only"]] {
      let (end, text) = try runToEnd(["serve", "--socket-path", other, "--image", path] + options)
      #expect(end == .exit(1))
      #expect(text.contains("\(path): is "), "it says: \(text)")
      #expect(text.contains("another process (nvmed, QEMU or another VMM)"), "it says: \(text)")
      #expect(access(other, F_OK) == -1, "a socket was made")
    }
    try served.daemon.terminate()
    let next = try ServedController(served.folder, images: served.images)
    try next.daemon.terminate()
  }

  @Test func sharesAReadOnlyImage() throws {
    let served = try ServedController(options: ["--read-only"])
    let (folder, path) = (served.folder, served.images[0].path)
    let reader = try DaemonProcess(["serve", "--socket-path", folder.file("2"), "--image", path, "--read-only"])
    try reader.awaitReady()
    let (end, text) = try runToEnd(["serve", "--socket-path", folder.file("3"), "--image", path])
    #expect(end == .exit(1))
    #expect(text.contains("is in use by another process"), "it says: \(text)")
    try reader.terminate()
    try served.daemon.terminate()
  }

  @Test func saysWhatIsWrongWithAnImage() throws {
    let folder = try TestFolder()
    let socket = folder.file("socket")
    _ = try folder.image("short", byteCount: 511)
    _ = mkfifo(folder.file("pipe"), 0o600)
    for (name, expected) in [
      ("missing", "no such file"), ("", "is a directory"), ("pipe", "a raw image file or a block device is needed"),
      ("short", "is 511 bytes long, less than one block of 512"),
    ] {
      let path = name.isEmpty ? folder.path : folder.file(name)
      let (end, text) = try runToEnd(["serve", "--socket-path", socket, "--image", path])
      #expect(end == .exit(1), "\(name): it says: \(text)")
      #expect(text.contains("\(path): "), "it says: \(text)")
      #expect(text.contains(expected), "it says: \(text)")
      #expect(access(socket, F_OK) == -1, "a socket was made")
    }
  }

  @Test func saysWhatIsWrongWithASocket() throws {
    let served = try ServedController()
    let folder = served.folder
    let file = try folder.text("file", "precious")
    for (path, expected) in [
      (served.socketPath, "another process listens there"), (file, "it is no socket"),
      (folder.file("missing/socket"), "the folder does not exist"),
    ] {
      let (end, text) = try runToEnd(["serve", "--socket-path", path, "--null", "1MiB"])
      #expect(end == .exit(1), "it says: \(text)")
      #expect(text.contains("\(path): "), "it says: \(text)")
      #expect(text.contains(expected), "it says: \(text)")
    }
    let long = folder.file(String(repeating: "x", count: 120))
    let (end, text) = try runToEnd(["serve", "--socket-path", long, "--null", "1MiB"])
    #expect(end == .exit(1))
    #expect(text.contains("write a path of 1 to 107 bytes"), "it says: \(text)")
    let content = try FileDescriptor(path: file, flags: O_RDONLY).status().st_size
    #expect(content == 8)
    // The one that lives is not disturbed.
    let host = try served.host()
    host.disconnect()
    try served.daemon.terminate()
  }

  /// A thread that cannot be placed as it is configured does not run anywhere else instead.
  @Test func saysWhichCPUsThereAreNot() throws {
    let folder = try TestFolder()
    let configuration = """
      [daemon]
      io_threads = 2
      io_cpus = [0, 1023]
      [[controller]]
      name = "disk0"
      socket = "socket"
      [[controller.namespace]]
      backend = "null"
      size = "1MiB"
      """
    let (end, text) = try runToEnd(["serve", "--config", try folder.text("nvmed.toml", configuration)])
    #expect(end == .exit(1))
    #expect(text.contains("daemon.io_cpus: no thread can be placed on CPU 1023"), "it says: \(text)")
    #expect(access(folder.file("socket"), F_OK) == -1, "a socket was made")
  }

  @Test func replacesAStaleSocket() throws {
    let served = try ServedController()
    try served.daemon.kill()
    #expect(access(served.socketPath, F_OK) == 0)
    let next = try ServedController(served.folder, images: served.images)
    let host = try next.host()
    host.disconnect()
    try next.daemon.terminate()
    #expect(access(served.socketPath, F_OK) == -1)
  }

  @Test(arguments: [
    ([], "give --socket-path PATH or --fd NUMBER"),
    (["--socket-path", "/tmp/x"], "give at least one --image FILE"),
    (["--socket-path", "/tmp/x", "--fd", "3", "--null", "1MiB"], "give --socket-path PATH or --fd NUMBER"),
    (["--socket-path", "/tmp/x", "--null", "much"], "--null"),
    (["--socket-path", "/tmp/x", "--null", "1MiB", "--block-size", "1000"], "512"),
    (["--socket-path", "/tmp/x", "--null", "1MiB", "--queues", "0"], "64"),
    (["--socket-path", "/tmp/x", "--null", "1MiB", "--queues", "65"], "64"),
    (["--socket-path", "/tmp/x", "--null", "1MiB", "--io-threads", "0"], "64"),
    (["--socket-path", "/tmp/x", "--null", "1MiB", "--serial", "123456789012345678901"], "20"),
    (["--socket-path", "/tmp/x", "--null", "1MiB", "--log-level", "loud"], "--log-level"),
    (["--socket-path", "/tmp/x", "--null", "1MiB", "--doorbells", "bell"], "--doorbells"),
    (
      ["--socket-path", "/tmp/x", "--null", "1MiB", "--post-write", "bpf"],
      "--post-write: write auto, kernel, ebpf or off"
    ),
    (
      ["--socket-path", "/tmp/x", "--null", "1MiB", "--post-write", "off", "--doorbells", "poll"],
      "has no effect with doorbells = \"poll\""
    ),
    (["--config", "/tmp/x", "--post-write", "off"], "--config describes the controllers"),
    (["--socket-path", "/tmp/x", "--null", "1MiB", "--nonsense"], "--nonsense"),
    (["--config", "/tmp/x", "--null", "1MiB"], "--config describes the controllers"),
    (["--config", "/nonexistent/nvmed.toml"], "/nonexistent/nvmed.toml"),
  ])
  func refusesBadOptions(_ options: [String], _ expected: String) throws {
    let (end, text) = try runToEnd(["serve"] + options)
    #expect(end == .exit(1) || end == .exit(64), "\(end); it says: \(text)")
    #expect(text.contains(expected), "it says: \(text)")
  }

  @Test func checksConfigurations() throws {
    let folder = try TestFolder()
    let good = try folder.text(
      "good.toml",
      """
      [daemon]
      io_threads = 2
      [[controller]]
      name = "a"
      socket = "a.sock"
      [[controller.namespace]]
      image = "a.img"
      [[controller]]
      name = "b"
      socket = "b.sock"
      [[controller.namespace]]
      backend = "memory"
      size = "1MiB"
      """)
    let (end, text) = try runToEnd(["check-config", good])
    #expect(end == .exit(0))
    #expect(text == "\(good): no errors; 2 controllers\n")

    // Every error is told, each with its place.
    let bad = try folder.text(
      "bad.toml",
      """
      [daemon]
      io_thread = 2
      [[controller]]
      name = "a"
      socket = "a.sock"
      [[controller.namespace]]
      image = "a.img"
      block_size = 513
      [[controller]]
      name = "a"
      """)
    for arguments in [["check-config", bad], ["serve", "--config", bad]] {
      let (end, text) = try runToEnd(arguments)
      #expect(end == .exit(1))
      for expected in ["bad.toml:2", "io_threads", "bad.toml:8", "block_size", "bad.toml:10", "different name"] {
        #expect(text.contains(expected), "'\(expected)' is missing; it says: \(text)")
      }
    }
    let broken = try folder.text("broken.toml", "[daemon\nio_threads = 1\n")
    #expect(try runToEnd(["check-config", broken]).end == .exit(1))
    #expect(try runToEnd(["check-config", folder.file("none.toml")]).end == .exit(1))
  }

  /// The soft limit of open files, which is that of `select(2)`, is too low for many clients; the hard one is meant.
  @Test func raisesItsLimitOfOpenFiles() throws {
    let folder = try TestFolder()
    let daemon = try DaemonProcess(
      [
        "-c", "ulimit -Sn 64 && exec \"$0\" \"$@\"", DaemonProcess.binary, "serve", "--socket-path",
        folder.file("socket"),
        "--null", "1MiB",
      ], program: "/bin/sh")
    try daemon.awaitReady()
    let file = try FileDescriptor(path: "/proc/\(daemon.pid)/limits", flags: O_RDONLY)
    var bytes = [UInt8](repeating: 0, count: 8192)
    let count = read(file.rawValue, &bytes, bytes.count)
    let lines = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self).split(separator: "\n")
    let line = try #require(lines.first { $0.hasPrefix("Max open files") })
    let limits = line.split(separator: " ").suffix(3).prefix(2)
    #expect(limits.first == limits.last && limits.first != "64", "\(line)")
    try daemon.terminate()
  }
}
