import TOML

/// A part of the configuration that is a table in the file.
protocol ConfigurationModel: Sendable {
  /// The model with nothing set.
  static var unset: Self { get }
}

extension DaemonConfiguration: ConfigurationModel {
  static var unset: DaemonConfiguration { DaemonConfiguration() }
}

extension ControllerConfiguration: ConfigurationModel {
  static var unset: ControllerConfiguration { ControllerConfiguration(name: "") }
}

extension NamespaceConfiguration: ConfigurationModel {
  static var unset: NamespaceConfiguration { NamespaceConfiguration() }
}

/// One key of a table: what it means, what it may hold and which field of the model it fills.
///
/// The checker and the example file both come from these.
struct ConfigurationSetting<Model: ConfigurationModel>: Sendable {
  /// The key in the file.
  let key: String
  /// What it is for, in sentences.
  let meaning: String
  /// What to write, as the second half of a sentence.
  let expected: String
  /// What holds when the key is absent.
  let absence: Absence
  /// A value to show in the example file, as TOML.
  let example: String
  /// Whether the example file sets the key; the others stand in comments.
  let isSetInExample: Bool
  /// Reads a node into the field.
  let read: @Sendable (TOMLNode, inout Model) throws(ValueProblem) -> Void
  /// What is wrong with the field, or `nil`.
  let check: @Sendable (Model) -> String?
  /// The field as TOML; nil where it has no value.
  let show: @Sendable (Model) -> String?
  /// Whether the field is the same in both.
  let isEqual: @Sendable (Model, Model) -> Bool

  /// What holds when the key is absent.
  enum Absence: Sendable, Equatable {
    /// The configuration is refused.
    case refused
    /// This value, as TOML.
    case value(String)
    /// What these words say, a sentence.
    case described(String)
  }

  /// A key whose field always has a value: the one of `Model.unset` when the key is absent.
  ///
  /// - Parameter absence: what to say of absence instead of showing the default.
  init<Value: Equatable>(
    _ key: String, _ field: any WritableKeyPath<Model, Value> & Sendable, _ kind: ValueKind<Value>, meaning: String,
    absence: Absence? = nil, example: String? = nil, isSetInExample: Bool = false
  ) {
    self.key = key
    self.meaning = meaning
    self.expected = kind.expected
    let fallback = kind.show(Model.unset[keyPath: field])
    self.absence = absence ?? .value(fallback)
    self.example = example ?? fallback
    self.isSetInExample = isSetInExample
    self.read = { (node, model) throws(ValueProblem) in model[keyPath: field] = try kind.value(of: node) }
    self.check = { kind.check($0[keyPath: field]) }
    self.show = { kind.show($0[keyPath: field]) }
    self.isEqual = { $0[keyPath: field] == $1[keyPath: field] }
  }

  /// A key whose field is `nil` when it is absent, of which `absence` is a sentence.
  init<Value: Equatable>(
    _ key: String, _ field: any WritableKeyPath<Model, Value?> & Sendable, _ kind: ValueKind<Value>, meaning: String,
    absence: String, example: String, isSetInExample: Bool = false
  ) {
    self.key = key
    self.meaning = meaning
    self.expected = kind.expected
    self.absence = .described(absence)
    self.example = example
    self.isSetInExample = isSetInExample
    self.read = { (node, model) throws(ValueProblem) in model[keyPath: field] = try kind.value(of: node) }
    self.check = { $0[keyPath: field].flatMap(kind.check) }
    self.show = { $0[keyPath: field].map(kind.show) }
    self.isEqual = { $0[keyPath: field] == $1[keyPath: field] }
  }
}

/// One table of the file: its header, its keys and the tables inside.
struct ConfigurationTable<Model: ConfigurationModel>: Sendable {
  /// The way to it without brackets, as in "controller.namespace".
  let path: String
  /// The header as it is written.
  let header: String
  /// What it describes, in sentences.
  let meaning: String
  /// Its keys.
  let settings: [ConfigurationSetting<Model>]
  /// Keys of tables inside it.
  let tables: [String]

  /// All keys that the table knows.
  var keys: [String] { settings.map(\.key) + tables }
}
