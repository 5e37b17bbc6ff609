import TOML

/// One thing that is wrong with a configuration.
public struct ConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The file as the user named it; `nil` for a configuration that did not come from a file.
  public let file: String?
  /// Where in the file, when known.
  public let position: SourcePosition?
  /// The key, as in `controller.namespace.block_size`; `nil` when the file as a whole is meant.
  public let keyPath: String?
  /// What is wrong and what to write instead.
  public let message: String

  /// `file:line: key: message`; a syntax error, which has no key, shows the column too.
  public var description: String {
    var place = file ?? ""
    if let position {
      place += ":\(position.line)"
      if keyPath == nil { place += ":\(position.column)" }
    }
    return [place, keyPath ?? "", message].filter { !$0.isEmpty }.joined(separator: ": ")
  }
}

/// All that is wrong with a configuration, in the order of the file.
public struct ConfigurationErrors: Error, Sendable, Equatable, CustomStringConvertible {
  /// How many errors are kept; a file that is no configuration at all could have one per word.
  static let limit = 100

  /// The errors, at least one and at most 100.
  public let errors: [ConfigurationError]
  /// How many more there were.
  public let omitted: Int

  /// Sorts `errors` by line and keeps the first ones.
  init(_ errors: [ConfigurationError]) {
    let sorted = errors.enumerated().sorted {
      ($0.element.position?.line ?? 0, $0.offset) < ($1.element.position?.line ?? 0, $1.offset)
    }
    self.errors = sorted.prefix(Self.limit).map(\.element)
    self.omitted = max(0, errors.count - Self.limit)
  }

  /// One error per line.
  public var description: String {
    (errors.map(\.description) + (omitted > 0 ? ["and \(omitted) more"] : [])).joined(separator: "\n")
  }
}

/// `text` in quotes, short enough and plain enough for one line of a log.
func quoted(_ text: String) -> String { quoted(text, limit: 80) }

/// `text` in quotes, of at most so many characters and plain.
func quoted(_ text: String, limit: Int) -> String { "\"\(printable(text, limit: limit, escaping: "\"\\"))\"" }

/// At most `limit` characters of `text`, with escapes for what is not plain: control characters, those that change the
/// direction of text, and the ones in `escaped`.
func printable(_ text: String, limit: Int, escaping escaped: String = "") -> String {
  var result = ""
  for (count, scalar) in text.unicodeScalars.enumerated() {
    if count == limit { return result + "..." }
    if escaped.unicodeScalars.contains(scalar) {
      result += "\\\(scalar)"
    } else if scalar.properties.generalCategory == .control || scalar.properties.isBidiControl {
      result += "\\u{\(String(scalar.value, radix: 16))}"
    } else {
      result.unicodeScalars.append(scalar)
    }
  }
  return result
}
