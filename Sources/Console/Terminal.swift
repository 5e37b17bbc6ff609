/// Texts as a terminal shows them.
enum Terminal {
  /// A text of one line without what would move a terminal's cursor or change its state.
  static func plain(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: isControl) else { return text }
    return String(String.UnicodeScalarView(text.unicodeScalars.map { isControl($0) ? "?" : $0 }))
  }

  private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
    scalar.properties.generalCategory == .control || scalar.properties.isBidiControl
      || scalar.value == 0x2028 || scalar.value == 0x2029
  }

  /// How many columns a plain text takes: characters, as far as is known without the terminal's own table.
  static func columns(_ text: String) -> Int { text.count }

  /// A text without spaces at its end.
  static func trimmed(_ text: String) -> String { String(text.reversed().drop { $0 == " " }.reversed()) }

  /// A text with spaces at its end, so that it takes at least so many columns.
  static func padded(_ text: String, _ columns: Int) -> String {
    text + String(repeating: " ", count: max(0, columns - text.count))
  }

  /// A text in at most so many columns: its end, after "...", where it is longer.
  static func end(of text: String, columns: Int) -> String {
    guard text.count > columns else { return text }
    return columns > 3 ? "..." + text.suffix(columns - 3) : String(text.suffix(max(columns, 0)))
  }

  /// A text in at most so many columns: its beginning, before "...", where it is longer.
  static func start(of text: String, columns: Int) -> String {
    guard text.count > columns else { return text }
    return columns > 3 ? text.prefix(columns - 3) + "..." : String(text.prefix(max(columns, 0)))
  }
}
