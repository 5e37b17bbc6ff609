extension ConfigurationSchema {
  /// A documented example: every table and key with its meaning, what it may hold and its default.
  ///
  /// It is a valid configuration of one controller with one namespace; `config/nvmed.toml` is this text.
  public static func exampleText() -> String {
    var lines = comment(
      "Configuration of nvmed. Keys that stand in comments show their defaults, or an example where there is no "
        + "default. Sizes are numbers of bytes, or texts with a unit: \"512KiB\" is 524288 bytes, \"10GB\" is "
        + "10000000000. Relative paths count from the folder of this file. Whatever is not known here is refused.")
    lines += section(daemon) + section(metrics) + section(controller) + section(namespace)
    return lines.joined(separator: "\n") + "\n"
  }

  private static func section<Model>(_ table: ConfigurationTable<Model>) -> [String] {
    var lines = [""] + comment(table.meaning) + [table.header]
    for setting in table.settings {
      let absence =
        switch setting.absence {
        case .refused: "Required."
        case .value(let text): "Default: \(text)."
        case .described(let text): text
        }
      lines += [""] + comment(setting.meaning) + comment("Write \(setting.expected). \(absence)")
      lines.append("\(setting.isSetInExample ? "" : "#")\(setting.key) = \(setting.example)")
    }
    return lines
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
