import Benchmarking
import Glibc
import LinuxIO

/// A folder that is gone with its last reference, with all files in it.
final class FleetFolder {
  private let folder: String

  init(in parent: String) throws(Errno) {
    var template = Array("\(parent)/nvmed-bench-XXXXXX".utf8CString)
    guard unsafe mkdtemp(&template) != nil else { throw Errno.current }
    folder = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  deinit {
    for name in files { unsafe unlink(path(name)) }
    unsafe rmdir(folder)
  }

  private var files: [String] {
    guard let directory = unsafe opendir(folder) else { return [] }
    defer { unsafe closedir(directory) }
    var names: [String] = []
    while let entry = unsafe readdir(directory) {
      names.append(
        unsafe withUnsafeBytes(of: &entry.pointee.d_name) {
          unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        })
    }
    return names
  }

  func path(_ name: String) -> String { "\(folder)/\(name)" }

  /// A file of zeros that takes no room.
  func makeImage(_ name: String, byteCount: Int) throws(Errno) {
    let file = try FileDescriptor(path: path(name), flags: O_RDWR | O_CREAT | O_EXCL)
    guard ftruncate(file.rawValue, byteCount) == 0 else { throw Errno.current }
  }

  /// Writes a file anew, so that nobody sees a part of it.
  func replace(_ name: String, _ text: String) throws(Errno) {
    let new = try write(text, to: "\(name).new")
    guard unsafe rename(new, path(name)) == 0 else { throw Errno.current }
  }

  /// Writes a file, and gives its path.
  func write(_ text: String, to name: String) throws(Errno) -> String {
    let file = try FileDescriptor(path: path(name), flags: O_WRONLY | O_CREAT | O_EXCL)
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let count = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(file.rawValue, $0.baseAddress, $0.count) }
      guard count >= 0 else { throw Errno.current }
      bytes = bytes.dropFirst(count)
    }
    return path(name)
  }
}

/// A daemon that this process started. It is killed with the last reference.
final class FleetDaemon {
  /// Why it is of no use.
  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  let process: pid_t
  /// When it was started, of `Clock.monotonic`.
  let start: UInt64
  private let log: String
  private var isOver = false

  init(_ program: String, _ arguments: [String], folder: FleetFolder) throws {
    log = folder.path("log")
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    unsafe posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0o600)
    unsafe posix_spawn_file_actions_adddup2(&actions, 1, 2)
    var words: [UnsafeMutablePointer<CChar>?] = unsafe ([program] + arguments).map { unsafe strdup($0) }
    defer { unsafe words.forEach { unsafe free($0) } }
    unsafe words.append(nil)
    var number: pid_t = 0
    start = Clock.monotonic
    let result = unsafe posix_spawn(&number, program, &actions, nil, words, environ)
    guard result == 0 else { throw Failure(description: "\(program): \(Errno(rawValue: result))") }
    process = number
  }

  deinit {
    guard !isOver else { return }
    kill(process, SIGKILL)
    waitpid(process, nil, 0)
  }

  /// What it said last.
  private var lastWords: String {
    guard let file = unsafe fopen(log, "re") else { return "" }
    defer { unsafe fclose(file) }
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = unsafe fread(&buffer, 1, buffer.count, file)
    return String(decoding: buffer[..<count], as: UTF8.self)
  }

  /// Connects as soon as the socket accepts.
  func connect(_ socket: String) throws -> FileDescriptor {
    let deadline = Clock.monotonic + 120_000_000_000
    while true {
      do throws(Errno) {
        return try UnixSocket.connect(path: socket)
      } catch {
        guard error == .noSuchFile || error.rawValue == ECONNREFUSED else { throw error }
      }
      if waitpid(process, nil, WNOHANG) == process {
        isOver = true
        throw Failure(description: "the daemon ended: \(lastWords)")
      }
      guard Clock.monotonic < deadline else { throw Failure(description: "\(socket): nobody listens: \(lastWords)") }
      usleep(50)
    }
  }

  /// Waits until all of its threads sleep, and none has run for 50 ms.
  func settle() throws {
    var last = try ProcessUsage(process: process)
    for _ in 0..<2400 {
      usleep(50_000)
      let next = try ProcessUsage(process: process)
      if next == last, next.isAsleep { return }
      last = next
    }
    throw Failure(description: "the daemon does not come to rest: \(lastWords)")
  }

  /// Ends it with SIGTERM.
  func terminate() throws {
    kill(process, SIGTERM)
    var status: Int32 = 0
    while unsafe waitpid(process, &status, 0) == -1 {
      guard Errno.current == .interrupted else { throw Errno.current }
    }
    isOver = true
    guard status == 0 else { throw Failure(description: "the daemon ended with wait status \(status): \(lastWords)") }
  }
}
