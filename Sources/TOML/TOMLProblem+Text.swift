extension TOMLProblem: CustomStringConvertible {
  /// The problem, without an end of the sentence: "expected '=', found ':'".
  public var description: String {
    switch self {
    case .notUTF8: "bytes that are not UTF-8"
    case .controlCharacter(let byte): "a control character, \(codePoint(UInt32(byte)))"
    case .carriageReturn: "a carriage return without a line feed"
    case .expected(let expectation, let found): "expected \(expectation.text), found \(found.text)"
    case .commaAtEnd: "a comma behind the last pair of an inline table"
    case .multilineKey: "a key in three quotes"
    case .openString(let quotes): "a text without \(quotes) at its end"
    case .openArray: "an array without ']' at its end"
    case .unknownEscape(let found): "a backslash with \(found.text), which is no escape"
    case .escapeDigits(let count): "an escape without \(count) hexadecimal digits"
    case .noScalar(let code): "an escape of \(codePoint(code)), which is no character"
    case .nul: "an escape of U+0000"
    case .value(let problem, let word): problem.text("'\(shortened(word))'")
    case .redefinition(let redefinition): redefinition.text
    case .limit(let limit, let most): limit.text(most)
    }
  }
}

extension TOMLProblem.Expectation {
  fileprivate var text: String {
    switch self {
    case .line: "a key, a header or a comment"
    case .key: "a key"
    case .equals: "'='"
    case .value: "a value"
    case .headerEnd: "']'"
    case .arrayHeaderEnd: "']]'"
    case .lineEnd: "the end of the line or a comment"
    case .arraySeparator: "',' or ']'"
    case .inlineTableSeparator: "',' or '}'"
    }
  }
}

extension TOMLProblem.Found {
  fileprivate var text: String {
    switch self {
    case .character(let scalar): isPlain(scalar) ? "'\(scalar)'" : codePoint(scalar.value)
    case .lineEnd: "the end of the line"
    case .textEnd: "the end of the text"
    }
  }
}

extension TOMLProblem.ValueProblem {
  fileprivate func text(_ word: String) -> String {
    switch self {
    case .unknown: "\(word) is no value"
    case .leadingZero: "\(word) begins with a zero"
    case .underscore: "\(word) has an underscore that is not between digits"
    case .number: "\(word) is no number"
    case .integerRange: "\(word) does not fit in an integer of 64 bits"
    case .floatRange: "\(word) does not fit in a floating-point number of 64 bits"
    case .dateTime: "\(word) is no date or time"
    }
  }
}

extension TOMLProblem.Redefinition {
  fileprivate var text: String {
    let place = "in line \(line)"
    let name = "'\(shortened(key))'"
    let thing =
      switch existing {
      case .value: "a value"
      case .table, .dottedTable: "a table"
      case .inlineTable: "an inline table"
      case .array: "an array"
      case .arrayOfTables: "an array of tables"
      }
    return switch (definition, existing) {
    case (.value, .value): "\(name) has a value \(place) already"
    case (.value, _): "\(name) is \(thing) \(place) already"
    case (.table, .table): "the table \(name) is defined \(place) already"
    case (.table, .dottedTable): "the table \(name) is defined \(place) already, by a dotted key"
    case (.table, .inlineTable): "the table \(name) is defined \(place) already, in braces"
    case (.table, _): "\(name) is \(thing) \(place), and cannot be a table"
    case (.arrayOfTables, _): "\(name) is \(thing) \(place), and cannot be an array of tables"
    case (.member, .value): "\(name) has a value \(place), and cannot be a table"
    case (.member, _): "\(name) is \(thing) \(place), and cannot be extended"
    }
  }
}

extension TOMLProblem.Limit {
  fileprivate func text(_ most: Int) -> String {
    switch self {
    case .byteCount: "a text of more than \(most) bytes"
    case .keyParts: "a key of more than \(most) parts"
    case .keyByteCount: "a key of more than \(most) bytes"
    case .depth: "values nested more than \(most) deep"
    case .nodes: "more than \(most) values"
    }
  }
}

/// A code as Unicode writes it: `U+00A0`.
private func codePoint(_ code: UInt32) -> String {
  let digits = String(code, radix: 16, uppercase: true)
  return "U+" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
}

/// Whether a character shows as what it is, in one column or two.
private func isPlain(_ scalar: Unicode.Scalar) -> Bool {
  switch scalar.properties.generalCategory {
  case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator, .nonspacingMark,
    .spacingMark, .enclosingMark:
    false
  case .spaceSeparator: scalar == " "
  default: true
  }
}

/// The beginning of a text, with codes for what is not plain.
private func shortened(_ text: String) -> String {
  var result = ""
  for (count, scalar) in text.unicodeScalars.enumerated() {
    if count == 40 { return result + "..." }
    if isPlain(scalar) { result.unicodeScalars.append(scalar) } else { result += codePoint(scalar.value) }
  }
  return result
}
