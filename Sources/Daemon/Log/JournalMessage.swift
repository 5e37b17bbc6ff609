/// An entry as the journal takes it.
///
/// Source: systemd, "Native Journal Protocol" (JOURNAL_NATIVE_PROTOCOL).
enum JournalMessage {
  /// The bytes of an entry.
  ///
  /// - Parameter lost: entries before it that the journal did not take.
  static func bytes(_ record: LogRecord, lost: UInt64 = 0) -> [UInt8] {
    var bytes: [UInt8] = []
    append("MESSAGE", record.sentence, to: &bytes)
    append("PRIORITY", "\(record.priority)", to: &bytes)
    append("SYSLOG_IDENTIFIER", "nvmed", to: &bytes)
    if record.label != "nvmed" { append("NVMED_CONTROLLER", record.label, to: &bytes) }
    if lost > 0 { append("NVMED_LOST_ENTRIES", "\(lost)", to: &bytes) }
    for field in record.fields { append("NVMED_\(field.name.uppercased())", field.value, to: &bytes) }
    return bytes
  }

  /// Adds a field. Its name is letters, digits and underscores.
  static func append(_ name: String, _ value: String, to bytes: inout [UInt8]) {
    // Names have 64 characters at most.
    bytes += name.utf8.prefix(64)
    if value.utf8.contains(UInt8(ascii: "\n")) {
      bytes.append(UInt8(ascii: "\n"))
      let count = UInt64(value.utf8.count)
      for shift in stride(from: 0, to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: count >> UInt64(shift))) }
    } else {
      bytes.append(UInt8(ascii: "="))
    }
    bytes += value.utf8
    bytes.append(UInt8(ascii: "\n"))
  }
}
