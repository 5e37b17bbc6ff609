/// What to write in the place of a line that is no TOML.
///
/// The parser says what it expected and what it saw; what somebody meant shows in the line.
enum TOMLSyntaxAdvice {
  /// The parser's words without their beginning, and advice: "not TOML: expected '=', saw ':'; write io_threads = 1".
  ///
  /// - Parameters:
  ///   - description: what the parser says.
  ///   - line: the line that it names.
  static func message(_ description: String, line: String) -> String {
    var problem = Substring(description)
    if problem.hasPrefix("Error while parsing "), let colon = problem.firstRange(of: ": ") {
      problem = problem[colon.upperBound...]
    }
    return "not TOML: \(printable(String(problem), limit: 160)); \(advice(description, String(problem), trimmed(line)))"
  }

  private static func advice(_ description: String, _ problem: String, _ line: Substring) -> String {
    if problem.contains("nested value depth") { return "no value of a configuration is nested like this" }
    if problem.contains("'\\r'") { return "end lines with LF or CR LF" }
    if problem.contains("ontrol character"), !line.contains("="), !line.contains("[") { return "remove the character" }
    if problem.contains("'\\u") { return "write plain spaces, quotes and letters" }
    if description.contains("parsing inline table") { return "write { key = value, key = value }, in one line" }
    if description.contains("parsing date") || description.contains("parsing time") {
      return "no key takes a date or time; write a number, or a text in quotes"
    }
    if problem.hasPrefix("cannot redefine") { return redefinition(problem) }
    if problem.hasPrefix("cannot insert") { return "write the keys of a table in one place" }
    if line.first == "[" { return "write a header such as [daemon] or [[controller]], alone in its line" }
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

  private static func redefinition(_ problem: String) -> String {
    if problem.contains("array-of-tables") || problem.hasSuffix(" as table") {
      return "write [daemon] once, and [[controller]] for each controller"
    }
    return "write it once"
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
      if value.contains("\\"), first == "\"" {
        return "write \\\\ for a backslash, or the text in single quotes: '...'"
      }
      if value.hasPrefix(String(repeating: first, count: 3)) {
        return "end the text with \(String(repeating: first, count: 3))"
      }
      let inner = value.dropFirst()
      guard let end = inner.firstIndex(of: first) else { return "end the text with \(first) in its line" }
      return inner.index(after: end) == inner.endIndex
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
