import Glibc
import Logging

/// A log line before it is written: what is said, of whom, and its fields.
struct LogRecord {
  /// A field of a line.
  struct Field: Equatable {
    /// Lower case, with words joined by underscores: `nsid`.
    let name: String
    let value: String
  }

  let level: Logger.Level
  /// The controller, or "nvmed" for the daemon.
  let label: String
  let message: String
  let fields: [Field]

  /// Joins the metadata of a logger and of a line; that of the line goes first where both have a name.
  init(level: Logger.Level, label: String, message: String, _ logger: Logger.Metadata, _ line: Logger.Metadata?) {
    self.level = level
    self.label = label
    self.message = LogRecord.escaped(message)
    var metadata = logger
    if let line { metadata.merge(line) { $1 } }
    fields = metadata.map { Field(name: LogRecord.name($0.key), value: LogRecord.escaped("\($0.value)")) }
      .sorted { $0.name < $1.name }
  }

  /// The message with its fields: `command failed nsid=1 status="LBA Out of Range (0/80)"`.
  var sentence: String {
    fields.reduce("\(label): \(message)") { text, field in
      let isPlain = !field.value.isEmpty && field.value.utf8.allSatisfy { $0 > 32 && $0 != 34 && $0 != 61 }
      return text + " \(field.name)=" + (isPlain ? field.value : "\"\(field.value)\"")
    }
  }

  /// The priority of `syslog(3)`.
  var priority: Int {
    switch level {
    case .critical: 2
    case .error: 3
    case .warning: 4
    case .notice: 5
    case .info: 6
    case .debug, .trace: 7
    }
  }

  /// What a guest or client may have put into a text does not reach a terminal.
  private static func escaped(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: isControl) else { return text }
    return String(String.UnicodeScalarView(text.unicodeScalars.map { isControl($0) ? "?" : $0 }))
  }

  /// Whether a terminal may do something other than show it: control characters of both sets, line ends, and those
  /// that turn text around.
  private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0..<0x20, 0x7f...0x9f, 0x2028...0x202e, 0x2066...0x2069: true
    default: false
    }
  }

  /// A name that every form of log can have: letters, digits and underscores.
  private static func name(_ text: String) -> String {
    String(
      text.lowercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
  }
}
