import Glibc
import LinuxIO

/// Log lines for standard error.
enum LogLine {
  /// A line for people.
  ///
  /// - Parameter toJournal: whether the journal reads it, which adds the time itself and takes the priority from the
  ///   beginning of the line (`sd-daemon(3)`).
  static func plain(_ record: LogRecord, toJournal: Bool, time: UInt64) -> String {
    let prefix = toJournal ? "<\(record.priority)>" : "\(clock(time)) \(record.level): "
    return prefix + record.sentence + "\n"
  }

  /// An object of JSON.
  static func json(_ record: LogRecord, time: UInt64) -> String {
    var members = [("time", date(time)), ("level", "\(record.level)"), ("source", record.label)]
    members.append(("message", record.message))
    // A field that has the name of a member above is told apart from it.
    let taken = Set(members.map(\.0))
    members += record.fields.map { (taken.contains($0.name) ? "field_\($0.name)" : $0.name, $0.value) }
    return "{" + members.map { "\(quoted($0.0)):\(quoted($0.1))" }.joined(separator: ",") + "}\n"
  }

  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\":
        result += "\\"
        result.unicodeScalars.append(scalar)
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }

  /// The time of day: `09:05:07`.
  private static func clock(_ time: UInt64) -> String {
    clock(CalendarTime(local: time))
  }

  /// Date and time in UTC as RFC 3339 has them: `2026-11-21T09:05:07.000123Z`.
  private static func date(_ time: UInt64) -> String {
    let utc = CalendarTime(utc: time)
    let day = "\(utc.year)-\(padded(utc.month))-\(padded(utc.day))"
    return "\(day)T\(clock(utc)).\(padded(Int32(time / 1000 % 1_000_000), 6))Z"
  }

  private static func clock(_ time: CalendarTime) -> String {
    "\(padded(time.hour)):\(padded(time.minute)):\(padded(time.second))"
  }

  private static func padded(_ number: Int32, _ width: Int = 2) -> String {
    let digits = "\(number)"
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }
}
