import Glibc
import LinuxIO
import Testing

/// `microvmm disk-test` as a process of its own, with the only VM of that process.
final class MachineProcess {
  private let output: FileDescriptor
  private var pid: pid_t = 0

  init(_ daemon: DaemonProcess, _ arguments: String...) throws {
    let pipe = try UnixSocketPair()
    output = try pipe.first.duplicate()
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, pipe.second.rawValue, 1)
    let path = DaemonProcess.binary("microvmm")
    var words = ([path, "disk-test", "--socket", daemon.socketPath] + arguments).map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    var environment: [UnsafeMutablePointer<CChar>?] = [nil]
    try #require(posix_spawn(&pid, path, &actions, nil, &words, &environment) == 0)
  }

  deinit {
    if pid > 0 {
      kill(pid, SIGKILL)
      waitpid(pid, nil, 0)
    }
  }

  /// Waits for it.
  ///
  /// - Returns: its lines, the exit status last.
  func end() -> [String] {
    var text: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = read(output.rawValue, &buffer, buffer.count)
      guard count > 0 else { break }
      text += buffer.prefix(count)
    }
    var status: Int32 = -1
    waitpid(pid, &status, 0)
    pid = 0
    return String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init) + ["status: \(status >> 8)"]
  }
}
