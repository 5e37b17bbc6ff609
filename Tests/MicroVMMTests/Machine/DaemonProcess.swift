import Glibc
import LinuxIO
import Testing

/// The daemon as it was built with the tests, on an image file, with one client: the other end of `socket`.
final class DaemonProcess {
  let image: String
  private let socket: FileDescriptor
  private let output: FileDescriptor
  private var pid: pid_t = 0

  /// The daemon's binary: beside the bundle that these tests are in.
  static var path: String {
    var buffer = [CChar](repeating: 0, count: 4096)
    let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
    let own = String(decoding: buffer.prefix(max(count, 0)).map(UInt8.init(bitPattern:)), as: UTF8.self)
    return own.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 } + "/nvmed"
  }

  static var isBuilt: Bool { access(path, X_OK) == 0 }

  init(imageSize: Int, blockSize: Int) throws {
    var template = Array("/var/tmp/nvmed-microvmm-XXXXXX".utf8CString)
    let file = FileDescriptor(owning: mkstemp(&template))
    try #require(file.rawValue >= 0)
    image = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    try #require(ftruncate(file.rawValue, imageSize) == 0)
    let pair = try UnixSocketPair()
    let pipe = try UnixSocketPair()
    socket = try pair.first.duplicate()
    output = try pipe.first.duplicate()
    try start(
      arguments: [
        "serve", "--fd", "3", "--image", image, "--block-size", "\(blockSize)", "--buffered", "--queues", "2",
        "--io-threads", "1", "--log-level", "warning",
      ], socket: pair.second.rawValue, output: pipe.second.rawValue)
  }

  deinit {
    unlink(image)
    if pid > 0 {
      kill(pid, SIGKILL)
      waitpid(pid, nil, 0)
    }
  }

  /// The client's end.
  func connect() throws(Errno) -> FileDescriptor { try socket.duplicate() }

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

  /// Hangs up, and waits until the daemon has ended: its last client is gone.
  ///
  /// - Returns: its exit status; nil where it goes on.
  func end() -> Int32? {
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
