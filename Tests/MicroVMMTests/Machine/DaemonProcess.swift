import Glibc
import LinuxIO
import Testing

/// The daemon as it was built with the tests, on an image file, with one client: the other end of `socket`; or with one
/// after the other, at a socket of its own.
final class DaemonProcess {
  let image: String
  private let socket: FileDescriptor
  private let listener: UnixListener?
  private let listens: Bool
  private let output: FileDescriptor
  private var pid: pid_t = 0

  /// The daemon's binary: beside the bundle that these tests are in.
  static var path: String { binary("nvmed") }

  static func binary(_ name: String) -> String {
    var buffer = [CChar](repeating: 0, count: 4096)
    let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
    let own = String(decoding: buffer.prefix(max(count, 0)).map(UInt8.init(bitPattern:)), as: UTF8.self)
    return own.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 } + "/" + name
  }

  static var isBuilt: Bool { access(path, X_OK) == 0 }

  /// - Parameter postWrite: how values of doorbells arrive; "kernel": the client has slots, and stores into them.
  init(imageSize: Int, blockSize: Int, postWrite: String = "kernel", listens: Bool = false) throws {
    var template = Array("/var/tmp/nvmed-microvmm-XXXXXX".utf8CString)
    let file = FileDescriptor(owning: mkstemp(&template))
    try #require(file.rawValue >= 0)
    image = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    try #require(ftruncate(file.rawValue, imageSize) == 0)
    self.listens = listens
    let pair = try UnixSocketPair()
    let pipe = try UnixSocketPair()
    socket = try pair.first.duplicate()
    output = try pipe.first.duplicate()
    var given = pair.second.rawValue
    if listens {
      let made = try UnixListener(path: image + ".sock")
      given = made.descriptor.rawValue
      listener = consume made
    } else {
      listener = nil
    }
    try start(
      arguments: [
        "serve", "--fd", "3", "--image", image, "--block-size", "\(blockSize)", "--buffered", "--queues", "2",
        "--io-threads", "1", "--log-level", "error", "--post-write", postWrite,
      ], socket: given, output: pipe.second.rawValue)
  }

  deinit {
    unlink(image)
    unlink(socketPath)
    if pid > 0 {
      kill(pid, SIGKILL)
      waitpid(pid, nil, 0)
    }
  }

  /// Where it listens, if it does.
  var socketPath: String { image + ".sock" }

  /// The tracepoints that the daemon's BPF links are attached to, as `/proc/PID/fdinfo` tells.
  func tracepoints() throws -> [String] {
    var tracepoints: [String] = []
    let folder = try #require(opendir("/proc/\(pid)/fdinfo"))
    defer { closedir(folder) }
    while let entry = readdir(folder) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      guard let info = fopen("/proc/\(pid)/fdinfo/\(name)", "re") else { continue }
      defer { fclose(info) }
      var line = [CChar](repeating: 0, count: 256)
      while fgets(&line, Int32(line.count), info) != nil {
        let text = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        let words = text.split(whereSeparator: \.isWhitespace)
        if words.count == 2, words[0] == "tp_name:" { tracepoints.append(String(words[1])) }
      }
    }
    return tracepoints
  }

  /// The client's end.
  func connect() throws(Errno) -> FileDescriptor {
    if listens { return try UnixSocket.connect(path: socketPath) }
    return try socket.duplicate()
  }

  private func start(arguments: [String], socket: Int32, output: Int32) throws {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, socket, 3)
    posix_spawn_file_actions_adddup2(&actions, output, 1)
    var words = ([Self.path] + arguments).map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    var environment: [UnsafeMutablePointer<CChar>?] = [nil]
    try #require(posix_spawn(&pid, Self.path, &actions, nil, &words, &environment) == 0)
  }

  /// Hangs up, and waits until the daemon has ended: its last client is gone, or it was told to.
  ///
  /// - Returns: its exit status; nil where it goes on.
  func end() -> Int32? {
    if listens { kill(pid, SIGTERM) }
    shutdown(socket.rawValue, Int32(SHUT_RDWR))
    // Its end of the pair closes with it.
    var entry = pollfd(fd: output.rawValue, events: 0, revents: 0)
    guard poll(&entry, 1, 20_000) == 1 else { return nil }
    var status: Int32 = -1
    guard waitpid(pid, &status, 0) == pid else { return nil }
    pid = 0
    return status
  }

  /// The pages of the image, of 4 KiB.
  func page(_ number: Int) -> [UInt8] {
    guard let file = try? FileDescriptor(path: image, flags: O_RDONLY) else { return [] }
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = pread(file.rawValue, &bytes, bytes.count, number * 4096)
    return Array(bytes.prefix(max(count, 0)))
  }
}
