import TOML

/// What to write in the place of a line that is no TOML.
///
/// The reader says what it expected and what it found; what somebody meant shows in the line.
enum TOMLSyntaxAdvice {
  /// The problem, and advice: "not TOML: expected '=', found ':'; write io_threads = 1".
  ///
  /// - Parameters:
  ///   - problem: what the reader says.
  ///   - line: the line where it is.
  static func message(_ problem: TOMLProblem, line: String) -> String {
    switch problem {
    case .notUTF8: return "is not UTF-8; save it as UTF-8"
    case .controlCharacter(0): return "not TOML: a NUL character; remove it, or save the file as UTF-8"
    case .nul: return "not allowed: a NUL character in a text; remove it"
    case .limit(let limit, _): return "\(problem); \(advice(on: limit))"
    default: return "not TOML: \(printable("\(problem)", limit: 160)); \(advice(problem, trimmed(line)))"
    }
  }

  private static func advice(on limit: TOMLProblem.Limit) -> String {
    switch limit {
    case .byteCount, .nodes: "no configuration has as many"
    case .keyParts: "no key of a configuration has more than one"
    case .keyByteCount: "no key of a configuration is as long"
    case .depth: "no value of a configuration is nested like this"
    }
  }

  private static func advice(_ problem: TOMLProblem, _ line: Substring) -> String {
    switch problem {
    case .carriageReturn: return "end lines with LF or CR LF"
    case .controlCharacter: return "remove the character"
    case .expected(.inlineTableSeparator, _), .commaAtEnd: return "write { key = value, key = value }, in one line"
    case .expected(.arraySeparator, _), .openArray: return "write a list such as [2, 3]"
    case .openString(let quotes): return "end the text with \(quotes)" + (quotes.count == 1 ? " in its line" : "")
    case .unknownEscape, .escapeDigits, .noScalar:
      return "write \\\\ for a backslash, or the text in single quotes: '...'"
    case .value(.dateTime, _): return "no key takes a date or time; write a number, or a text in quotes"
    case .redefinition(let redefinition): return advice(on: redefinition)
    case .expected(.headerEnd, _), .expected(.arrayHeaderEnd, _): return header
    case .expected(_, found: .character(let scalar)) where isOddSpace(scalar):
      return "write plain spaces, quotes and letters"
    default: return value(of: line)
    }
  }

  private static let header = "write a header such as [daemon] or [[controller]], alone in its line"

  private static func isOddSpace(_ scalar: Unicode.Scalar) -> Bool {
    !scalar.isASCII && (scalar.properties.isWhitespace || scalar.properties.generalCategory == .format)
  }

  private static func advice(on redefinition: TOMLProblem.Redefinition) -> String {
    switch (redefinition.definition, redefinition.existing) {
    case (.value, _), (.table, .table), (.table, .dottedTable), (.table, .inlineTable): "write it once"
    case (.member, .inlineTable), (.member, .table): "write the keys of a table in one place"
    default: "write [daemon] once, and [[controller]] for each controller"
    }
  }

  private static func value(of line: Substring) -> String {
    if line.first == "[" { return header }
    guard let first = line.first, first.isASCII, first.isLetter || first.isNumber || "_-\"'=".contains(first) else {
      return "a file is lines of key = value below headers such as [daemon]; comments begin with #"
    }
    guard let equals = line.firstIndex(of: "=") else { return pair(line) }
    let key = trimmed(line[..<equals])
    guard !key.isEmpty else { return "write a key before '='" }
    guard key.allSatisfy({ isOfBareKey($0) || $0 == "." || $0 == "\"" || $0 == "'" }) else { return pair(line) }
    let value = trimmed(line[line.index(after: equals)...])
    return self.value(value, of: key)
  }

  /// A key and a value with something else than '=' between them.
  private static func pair(_ line: Substring) -> String {
    let key = line.prefix(while: isOfBareKey)
    let rest = line.dropFirst(key.count).drop { !isOfBareKey($0) && $0 != "\"" && $0 != "[" }
    guard !key.isEmpty, !rest.isEmpty, !rest.contains("="), line.count <= 60 else { return "write key = value" }
    return "write \(key) = \(printable(String(rest), limit: 60))"
  }

  private static func value(_ value: Substring, of key: Substring) -> String {
    guard let first = value.first else { return "write a value behind '='" }
    let word = value.prefix { $0.isLetter || $0.isNumber || "._-/".contains($0) }
    switch first {
    case "\u{201c}", "\u{201d}", "\u{201e}", "\u{2018}", "\u{2019}", "\u{ab}":
      return "write straight quotes: \"...\""
    case "[": return "write a list such as [2, 3]"
    case "{": return "write { key = value, key = value }, in one line"
    case "\"", "'":
      guard let end = value.dropFirst().firstIndex(of: first) else { return "end the text with \(first) in its line" }
      return value.index(after: end) == value.endIndex
        ? "remove what is no plain character of the text" : "write nothing behind the text in its line"
    default: break
    }
    switch word.lowercased() {
    case "true", "yes", "on", "enabled": return "write \(key) = true"
    case "false", "no", "off", "disabled": return "write \(key) = false, or \"off\" in quotes where words are expected"
    case "null", "nil", "none": return "leave the key out where it has no value"
    default: break
    }
    if first.isLetter || first == "/" || first == "." && !word.dropFirst().allSatisfy(\.isNumber) {
      return "write texts in quotes: \(key) = \"\(word)\""
    }
    guard first.isNumber || "+-.".contains(first) else { return "write a number, true, false, or a text in quotes" }
    let digits = word.prefix { $0.isNumber }
    let unit = word.dropFirst(digits.count)
    if !digits.isEmpty, !unit.isEmpty, unit.allSatisfy(\.isLetter), digits != "0" {
      return "write a value with a unit in quotes: \(key) = \"\(word)\""
    }
    if word == value || word.isEmpty { return "write a whole number such as 16, or a text in quotes" }
    return "write nothing but a comment behind the value: \(key) = \(word)"
  }

  private static func isOfBareKey(_ character: Character) -> Bool {
    character.isASCII && (character.isLetter || character.isNumber || character == "_" || character == "-")
  }

  private static func trimmed(_ text: some StringProtocol) -> Substring {
    var text = Substring(text)
    while let last = text.last, last.isWhitespace { text.removeLast() }
    return text.drop(while: \.isWhitespace)
  }
}
