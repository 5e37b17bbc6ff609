import Glibc
import LinuxIO

/// Where the log goes, and in which form. Any thread.
final class LogOutput: Sendable {
  /// The form of lines, settled at the start.
  private enum Form {
    case plain(toJournal: Bool)
    case json
    case journal(JournalSocket)
  }

  private let form: Form
  /// The descriptor of standard error.
  private let descriptor: Int32
  /// Lines that nobody took.
  private let lost = Locked(0)

  /// - Parameters:
  ///   - format: what is configured.
  ///   - descriptor: standard error, or what stands for it; its owner outlives this.
  ///   - journalStream: `JOURNAL_STREAM` of the environment (`systemd.exec(5)`).
  ///   - path: the journal's socket.
  init(
    _ format: LogFormat, descriptor: Int32 = 2, journalStream: String? = LogOutput.journalStream,
    path: String = JournalSocket.path
  ) {
    self.descriptor = descriptor
    let toJournal = LogOutput.isStream(descriptor, journalStream)
    switch format {
    case .json: form = .json
    case .auto where !toJournal, .plain: form = .plain(toJournal: toJournal)
    case .auto, .journald:
      if let socket = try? JournalSocket(path: path) {
        form = .journal(socket)
      } else {
        form = .plain(toJournal: toJournal)
      }
    }
  }

  /// Writes a line.
  func write(_ record: LogRecord) {
    switch form {
    case .plain(let toJournal): write(record) { LogLine.plain($0, toJournal: toJournal, time: Clock.realtime) }
    case .json: write(record) { LogLine.json($0, time: Clock.realtime) }
    case .journal(let socket):
      if !socket.send(record) { write(record) { LogLine.plain($0, toJournal: true, time: Clock.realtime) } }
    }
  }

  /// Writes a line, unless the other end of a pipe or terminal does not read: guests are not made to wait for the log.
  private func write(_ record: LogRecord, as line: (LogRecord) -> String) {
    let text = line(record)
    // One at a time: where there is room for a line, there may be none for two.
    lost.withLock { lost in
      guard hasRoom else {
        lost += 1
        return
      }
      if lost > 0 {
        let message = "\(lost) lines before this one are lost: nobody read the log"
        put(line(LogRecord(level: .warning, label: "nvmed", message: message, [:], nil)))
        lost = 0
        guard hasRoom else {
          lost = 1
          return
        }
      }
      put(text)
    }
  }

  /// Whether a write would not wait: of a pipe, for the usual length of a line.
  private var hasRoom: Bool {
    var place = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    return unsafe poll(&place, 1, 0) != 0
  }

  private func put(_ text: String) {
    var bytes = Array(text.utf8)
    // One write, so that it does not mix with what other processes say.
    let count = bytes.count
    _ = unsafe Glibc.write(descriptor, &bytes, count)
  }

  private static var journalStream: String? { ProcessEnvironment.value("JOURNAL_STREAM") }

  /// Whether a descriptor is the stream that `JOURNAL_STREAM` names by device and inode: the variable is inherited also
  /// by processes whose standard error goes somewhere else.
  static func isStream(_ descriptor: Int32, _ stream: String?) -> Bool {
    guard let parts = stream?.split(separator: ":"), parts.count == 2, let device = UInt64(parts[0]),
      let inode = UInt64(parts[1])
    else { return false }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { return false }
    return UInt64(status.st_dev) == device && UInt64(status.st_ino) == inode
  }
}
