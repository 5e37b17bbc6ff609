/// One table of the configuration file in words: what the example file and the manual are made of.
public struct TableDescription: Sendable, Equatable {
  /// The header as it is written, as in "[[controller]]".
  public let header: String
  /// What it describes, in sentences.
  public let meaning: String
  /// Its keys, in the order in which they are shown.
  public let keys: [KeyDescription]
}

/// One key of a table in words.
public struct KeyDescription: Sendable, Equatable {
  /// The key as it is written.
  public let key: String
  /// What it is for, in sentences.
  public let meaning: String
  /// What it may hold and what holds without it, in sentences.
  public let values: String
  /// A value, as TOML: the default, where there is one.
  public let example: String
  /// Whether an example has to set it; the others can be left out.
  public let isSetInExample: Bool
}

extension ConfigurationSchema {
  /// Every table of a configuration file.
  public static var tables: [TableDescription] {
    [describe(daemon), describe(metrics), describe(controller), describe(namespace)]
  }

  /// What holds for all of them, in sentences.
  public static let conventions =
    "Sizes are numbers of bytes, or texts with a unit: \"512KiB\" is 524288 bytes, \"10GB\" is 10000000000. "
    + "Relative paths count from the folder of this file. Whatever is not known here is refused."

  private static func describe<Model>(_ table: ConfigurationTable<Model>) -> TableDescription {
    TableDescription(
      header: table.header, meaning: table.meaning,
      keys: table.settings.map { setting in
        let absence =
          switch setting.absence {
          case .refused: "Required."
          case .value(let text): "Default: \(text)."
          case .described(let text): text
          }
        return KeyDescription(
          key: setting.key, meaning: setting.meaning, values: "Write \(setting.expected). \(absence)",
          example: setting.example, isSetInExample: setting.isSetInExample)
      })
  }
}
