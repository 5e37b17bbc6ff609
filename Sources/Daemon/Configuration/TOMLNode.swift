import TOMLKit

/// A value of a TOML document with its place: TOMLKit's tree as a plain value.
struct TOMLNode: Sendable, Equatable {
  indirect enum Content: Sendable, Equatable {
    case string(String)
    case integer(Int)
    case boolean(Bool)
    case float
    case dateTime
    case array([TOMLNode])
    case table([String: TOMLNode])
  }

  var content: Content
  /// Where the key or the header is; for an element of an array, where the array's key is.
  var position: SourcePosition?

  /// What the value is, as in "is a string".
  var typeName: String {
    switch content {
    case .string: "a string"
    case .integer: "an integer"
    case .boolean: "a boolean"
    case .float: "a floating-point number"
    case .dateTime: "a date or time"
    case .array: "an array"
    case .table: "a table"
    }
  }

  /// Parses a document.
  ///
  /// - Throws: an error with the position of what TOML does not allow.
  static func document(_ text: String) throws(TOMLSyntaxError) -> TOMLNode {
    // TOMLKit takes a C string: it would not see what follows a NUL.
    if let line = line(ofNulIn: text) {
      throw TOMLSyntaxError(position: line, message: "not TOML: a NUL character; remove it, or save the file as UTF-8")
    }
    let scanner = TOMLScanner(text)
    if let position = scanner.longKey {
      throw TOMLSyntaxError(
        position: position,
        message: "a key of more than \(TOMLScanner.maximumKeyLength) parts; no key of a configuration has more than one"
      )
    }
    if let position = scanner.namelessHeader {
      throw TOMLSyntaxError(
        position: position,
        message: "a table without a name; write [daemon], [[controller]] or [[controller.namespace]]")
    }
    let root: TOMLTable
    do {
      root = try TOMLTable(string: text)
    } catch let error as TOMLParseError {
      let begin = error.source.begin
      throw TOMLSyntaxError(
        position: SourcePosition(line: begin.line, column: begin.column),
        message: TOMLSyntaxAdvice.message(error.description, line: line(begin.line, of: text)))
    } catch {
      throw TOMLSyntaxError(position: nil, message: "\(error)")
    }
    if let position = scanner.nullEscape {
      throw TOMLSyntaxError(position: position, message: "not allowed: a NUL character in a text; remove it")
    }
    return node(table: root, at: TOMLPath(), position: nil, scanner.positions)
  }

  /// The beginning of a line, which counts from 1.
  private static func line(_ number: Int, of text: String) -> String {
    let lines = text.utf8.split(separator: UInt8(ascii: "\n"), maxSplits: number, omittingEmptySubsequences: false)
    return number >= 1 && number <= lines.count ? String(decoding: lines[number - 1].prefix(300), as: UTF8.self) : ""
  }

  private static func line(ofNulIn text: String) -> SourcePosition? {
    var line = 1
    var column = 1
    for scalar in text.unicodeScalars {
      if scalar.value == 0 { return SourcePosition(line: line, column: column) }
      column = scalar == "\n" ? 1 : column + 1
      if scalar == "\n" { line += 1 }
    }
    return nil
  }

  private static func node(
    table: TOMLTable, at path: TOMLPath, position: SourcePosition?, _ positions: [TOMLPath: SourcePosition]
  ) -> TOMLNode {
    var members: [String: TOMLNode] = [:]
    // No key of a configuration is deeper; leaving the rest out keeps this recursion small.
    for key in path.isTooDeep ? [] : table.keys {
      guard let value = table[key]?.tomlValue else { continue }
      members[key] = node(value, at: path.appending(.key(key)), parent: position, positions)
    }
    return TOMLNode(content: .table(members), position: position)
  }

  private static func node(
    _ value: TOMLValue, at path: TOMLPath, parent: SourcePosition?, _ positions: [TOMLPath: SourcePosition]
  ) -> TOMLNode {
    let position = positions[path] ?? parent
    if let text = value.string { return TOMLNode(content: .string(text), position: position) }
    if let number = value.int { return TOMLNode(content: .integer(number), position: position) }
    if let flag = value.bool { return TOMLNode(content: .boolean(flag), position: position) }
    if let table = value.table { return node(table: table, at: path, position: position, positions) }
    if let array = value.array {
      let elements = (path.isTooDeep ? 0..<0 : 0..<array.count).map { index in
        node(array[index].tomlValue, at: path.appending(.index(index)), parent: position, positions)
      }
      return TOMLNode(content: .array(elements), position: position)
    }
    return TOMLNode(content: value.type == .double ? .float : .dateTime, position: position)
  }
}

/// What TOML does not allow, and where.
struct TOMLSyntaxError: Error, Equatable {
  let position: SourcePosition?
  let message: String
}
