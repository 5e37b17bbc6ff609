extension ConfigurationSchema {
  /// A documented example: every table and key with its meaning, what it may hold and its default.
  ///
  /// It is a valid configuration of one controller with one namespace; `config/nvmed.toml` is this text.
  ///
  /// - Parameter commented: whether every key and table stands in comments, so that it configures no controller: what a
  ///   package installs.
  public static func exampleText(commented: Bool = false) -> String {
    var lines = comment(
      commented
        ? "Configuration of nvmed. Everything here stands in comments: no controller is configured. Keys are shown with "
          + "their defaults, or an example where there is no default. \(conventions)"
        : "Configuration of nvmed. Keys that stand in comments show their defaults, or an example where there is no "
          + "default. \(conventions)")
    for table in tables {
      lines += [""] + comment(table.meaning) + [(commented ? "#" : "") + table.header]
      for key in table.keys {
        lines += [""] + comment(key.meaning) + comment(key.values)
        lines.append("\(key.isSetInExample && !commented ? "" : "#")\(key.key) = \(key.example)")
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// `text` as comment lines of at most 100 characters.
  private static func comment(_ text: String) -> [String] {
    var lines: [String] = []
    var line = "#"
    for word in text.split(separator: " ") {
      if line.count + 1 + word.count > 100 {
        lines.append(line)
        line = "#"
      }
      line += " " + word
    }
    return lines + [line]
  }
}
