import Glibc
import LinuxIO
import Testing

/// A process of `nvmed`, or of another program of the package, that a test started. It is killed with the last reference.
final class DaemonProcess: Sendable {
  /// How a process ended.
  enum End: Equatable {
    case exit(Int32)
    case signal(Int32)
  }

  let pid: pid_t
  let log: ProcessLog
  private let end = Locked<End?>(nil)

  /// The daemon that was built with the tests, or that `NVMED_BINARY` names.
  static let binary = environment("NVMED_BINARY") ?? "\(binaryFolder ?? ".")/nvmed"

  /// The load generator that was built with the tests.
  static let bench = "\(binaryFolder ?? ".")/nvmed-bench"

  /// Starts it.
  ///
  /// - Parameters:
  ///   - arguments: without the program's name.
  ///   - program: what is run.
  ///   - handover: the descriptors that it gets, and the numbers that they have there.
  init(
    _ arguments: [String], program: String = binary, handover: [(descriptor: Int32, number: Int32)] = []
  ) throws {
    let pipe = try UnixSocketPair()
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, pipe.second.rawValue, 1)
    posix_spawn_file_actions_adddup2(&actions, pipe.second.rawValue, 2)
    for (descriptor, number) in handover { posix_spawn_file_actions_adddup2(&actions, descriptor, number) }
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    var words: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) }
    defer { words.forEach { free($0) } }
    words.append(nil)
    var number: pid_t = 0
    let result = posix_spawn(&number, program, &actions, &attributes, words, environ)
    guard result == 0 else { throw TestFailure("\(program): \(Errno(rawValue: result))") }
    pid = number
    let reader = try pipe.first.duplicate()
    // Its end is that of the other one, which only the daemon has from here on.
    _ = consume pipe
    log = try ProcessLog(reader)
  }

  deinit {
    if end.withLock({ $0 }) == nil {
      Glibc.kill(pid, SIGKILL)
      reap()
    }
  }

  /// Waits until it serves so many controllers.
  func awaitReady(controllers: Int = 1) throws {
    let isReady = log.wait { text in text.split(separator: "\n").count { $0.contains(": serving '") } >= controllers }
    guard isReady else { throw TestFailure("the daemon does not serve; it says: \(log.text)") }
  }

  /// Waits until its log has `text` so many times.
  func awaitLog(_ text: String, count: Int = 1) throws {
    let found = log.wait { $0.split(separator: "\n").count { $0.contains(text) } >= count }
    guard found else { throw TestFailure("the daemon does not say '\(text)' \(count) times, but: \(log.text)") }
  }

  /// Sends SIGTERM; it must end in order, with status 0.
  func terminate(sourceLocation: SourceLocation = #_sourceLocation) throws {
    Glibc.kill(pid, SIGTERM)
    let end = try awaitEnd()
    #expect(end == .exit(0), "after SIGTERM; it says: \(log.text)", sourceLocation: sourceLocation)
  }

  /// Sends SIGKILL.
  func kill() throws {
    Glibc.kill(pid, SIGKILL)
    let end = try awaitEnd()
    guard end == .signal(SIGKILL) else { throw TestFailure("ended by \(end), not killed: \(log.text)") }
  }

  /// Waits until it has stopped by SIGSTOP.
  func awaitStop() throws {
    var information = siginfo_t()
    while waitid(P_PID, id_t(pid), &information, WSTOPPED) == -1 {
      guard errno == EINTR else { throw Errno.current }
    }
  }

  /// Whether it has not ended by itself.
  var isRunning: Bool { !log.isOver }

  /// Waits for its end. One that does not come in so many seconds is made, and is an error.
  @discardableResult
  func awaitEnd(seconds: Int = patience) throws -> End {
    if let end = end.withLock({ $0 }) { return end }
    guard log.waitForEnd(seconds: seconds) else {
      Glibc.kill(pid, SIGKILL)
      reap()
      throw TestFailure("the process does not end; it says: \(log.text)")
    }
    return reap()
  }

  @discardableResult
  private func reap() -> End {
    var status: Int32 = 0
    while waitpid(pid, &status, 0) == -1, errno == EINTR {}
    let signal = status & 0x7f
    let result: End = signal == 0 ? .exit(status >> 8 & 0xff) : .signal(signal)
    end.withLock { $0 = result }
    return result
  }
}

/// Runs `nvmed` to its end: what it said and how it ended.
func runToEnd(_ arguments: [String]) throws -> (end: DaemonProcess.End, text: String) {
  let process = try DaemonProcess(arguments)
  let end = try process.awaitEnd()
  return (end, process.log.text)
}
