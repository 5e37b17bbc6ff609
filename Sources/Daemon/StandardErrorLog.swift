import Glibc
import LinuxIO
import Logging

/// Log lines on standard error, with the priority that systemd reads where it takes them (`sd-daemon(3)`).
struct StandardErrorLog: LogHandler {
  var metadata: Logger.Metadata = [:]
  let label: String
  /// What is logged at all; the same for all loggers.
  let threshold: LogThreshold
  /// Whether standard error goes to the journal, which adds the time itself.
  private let toJournal: Bool

  init(label: String, threshold: LogThreshold) {
    self.label = label
    self.threshold = threshold
    toJournal = unsafe getenv("JOURNAL_STREAM") != nil
  }

  var logLevel: Logger.Level {
    get { threshold.loggerLevel }
    set { threshold.level = LogLevel(rawValue: newValue.rawValue) ?? .error }
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let prefix =
      toJournal ? "<\(StandardErrorLog.priority(event.level))>" : "\(StandardErrorLog.time()) \(event.level): "
    let line = "\(prefix)\(label): \(StandardErrorLog.escaped("\(event.message)"))\n"
    var bytes = Array(line.utf8)
    // One write, so that lines of different threads do not mix.
    let count = bytes.count
    _ = unsafe write(2, &bytes, count)
  }

  /// What a guest or client may have put into a message does not reach a terminal.
  private static func escaped(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: { $0.value < 32 || $0.value == 127 }) else { return text }
    return String(String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 32 || $0.value == 127 ? "?" : $0 }))
  }

  private static func priority(_ level: Logger.Level) -> Int {
    switch level {
    case .critical: 2
    case .error: 3
    case .warning: 4
    case .notice: 5
    case .info: 6
    case .debug, .trace: 7
    }
  }

  private static func time() -> String {
    var seconds = time_t(Clock.realtime / 1_000_000_000)
    var parts = unsafe tm()
    unsafe localtime_r(&seconds, &parts)
    func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
    return unsafe "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))"
  }
}
