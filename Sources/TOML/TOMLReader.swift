/// Reads a document in one pass. Values that are in each other are kept on a stack of its own, so that no nesting
/// reaches the thread's.
struct TOMLReader {
  private let limits: TOMLLimits
  private let byteCount: Int
  private var cursor: TOMLCursor
  private var builder: TOMLBuilder

  /// An array or inline table whose end has not been read.
  private struct OpenValue {
    let index: Int
    let position: SourcePosition
    let isTable: Bool
    /// Whether an element has just been read, so that a comma or the end must follow.
    var isBehindElement = false
    var isBehindComma = false
  }

  init(_ utf8: [UInt8], limits: TOMLLimits) {
    self.limits = limits
    byteCount = utf8.count
    cursor = TOMLCursor(utf8)
    builder = TOMLBuilder(limits: limits)
  }

  // MARK: Lines

  mutating func readDocument() throws(TOMLError) -> TOMLNode {
    guard byteCount <= limits.byteCount else { throw cursor.error(.limit(.byteCount, limits.byteCount)) }
    var table = TOMLBuilder.root
    while true {
      try cursor.skipBlank()
      guard let byte = cursor.peek() else { return builder.tree() }
      if byte == UInt8(ascii: "[") {
        table = try readHeader()
      } else {
        try readPair(in: table)
      }
      cursor.skipSpaces()
      try cursor.skipComment()
      guard cursor.takeNewline() || cursor.peek() == nil else { throw cursor.expected(.lineEnd) }
    }
  }

  private mutating func readHeader() throws(TOMLError) -> Int {
    let start = cursor.position
    cursor.advance()
    let isArray = cursor.take(UInt8(ascii: "["))
    let key = try readKey(.key)
    guard cursor.take(UInt8(ascii: "]")) else { throw cursor.expected(isArray ? .arrayHeaderEnd : .headerEnd) }
    guard isArray else { return try builder.defineTable(key, at: start) }
    guard cursor.take(UInt8(ascii: "]")) else { throw cursor.expected(.arrayHeaderEnd) }
    return try builder.appendTable(key, at: start)
  }

  private mutating func readPair(in table: Int) throws(TOMLError) {
    var open: [OpenValue] = []
    let slot = try readSlot(in: table, .line)
    try beginValue(slot, &open)
    while let last = open.last {
      if last.isTable { try goOnInTable(last, &open) } else { try goOnInArray(last, &open) }
    }
  }

  // MARK: Keys

  /// A key and what separates it from its value.
  private mutating func readSlot(in table: Int, _ expectation: TOMLProblem.Expectation) throws(TOMLError) -> TOMLSlot {
    let key = try readKey(expectation)
    guard cursor.take(UInt8(ascii: "=")) else { throw cursor.expected(.equals) }
    let slot = try builder.slot(key, in: table)
    cursor.skipSpaces()
    return slot
  }

  /// One part, or several with dots between them, and the spaces around them.
  private mutating func readKey(_ expectation: TOMLProblem.Expectation) throws(TOMLError) -> [TOMLKeyPart] {
    var parts: [TOMLKeyPart] = []
    repeat {
      cursor.skipSpaces()
      let position = cursor.position
      guard parts.count < limits.keyParts else {
        throw cursor.error(.limit(.keyParts, limits.keyParts), at: parts.first?.position)
      }
      let text: String
      switch cursor.peek() {
      case UInt8(ascii: "\""), UInt8(ascii: "'"):
        text = try cursor.readString(allowsNUL: limits.allowsNUL, isKey: true)
      case let byte? where isOfBareKey(byte):
        let start = cursor.index
        while let byte = cursor.peek(), isOfBareKey(byte) { cursor.advance() }
        text = String(decoding: cursor.text(from: start), as: UTF8.self)
      default: throw cursor.expected(parts.isEmpty ? expectation : .key)
      }
      guard text.utf8.count <= limits.keyByteCount else {
        throw cursor.error(.limit(.keyByteCount, limits.keyByteCount), at: position)
      }
      parts.append(TOMLKeyPart(text: text, position: position))
      cursor.skipSpaces()
    } while cursor.take(UInt8(ascii: "."))
    return parts
  }

  // MARK: Values

  /// Reads a value, or the beginning of an array or inline table.
  private mutating func beginValue(_ slot: TOMLSlot, _ open: inout [OpenValue]) throws(TOMLError) {
    let start = cursor.position
    switch cursor.peek() {
    case UInt8(ascii: "["):
      cursor.advance()
      open.append(OpenValue(index: try builder.add(.array, to: slot, at: start), position: start, isTable: false))
    case UInt8(ascii: "{"):
      cursor.advance()
      open.append(
        OpenValue(index: try builder.add(.table(.inline), to: slot, at: start), position: start, isTable: true))
    case UInt8(ascii: "\""), UInt8(ascii: "'"):
      let text = try cursor.readString(allowsNUL: limits.allowsNUL, isKey: false)
      _ = try builder.add(.scalar(.string(text)), to: slot, at: start)
    default:
      let word = try cursor.readWord()
      guard !word.isEmpty else { throw cursor.expected(.value) }
      let value: TOMLNode.Content
      do throws(TOMLWordError) {
        value = try TOMLWord.value(word)
      } catch {
        throw cursor.error(.value(error.problem, String(decoding: word.prefix(200), as: UTF8.self)), at: start)
      }
      _ = try builder.add(.scalar(value), to: slot, at: start)
    }
  }

  /// Goes on in an array, with an element or its end. Lines may end between them.
  private mutating func goOnInArray(_ last: OpenValue, _ open: inout [OpenValue]) throws(TOMLError) {
    try cursor.skipBlank()
    guard cursor.peek() != nil else { throw cursor.error(.openArray, at: last.position) }
    if cursor.take(UInt8(ascii: "]")) {
      open.removeLast()
    } else if last.isBehindElement {
      guard cursor.take(UInt8(ascii: ",")) else { throw cursor.expected(.arraySeparator) }
      open[open.count - 1].isBehindElement = false
    } else {
      open[open.count - 1].isBehindElement = true
      try beginValue(TOMLSlot(parent: last.index, key: nil), &open)
    }
  }

  /// Goes on in an inline table, with a pair or its end, in one line.
  private mutating func goOnInTable(_ last: OpenValue, _ open: inout [OpenValue]) throws(TOMLError) {
    cursor.skipSpaces()
    if cursor.peek() == UInt8(ascii: "}") {
      guard !last.isBehindComma else { throw cursor.error(.commaAtEnd) }
      cursor.advance()
      open.removeLast()
    } else if last.isBehindElement {
      guard cursor.take(UInt8(ascii: ",")) else { throw cursor.expected(.inlineTableSeparator) }
      open[open.count - 1].isBehindElement = false
      open[open.count - 1].isBehindComma = true
    } else {
      open[open.count - 1].isBehindElement = true
      open[open.count - 1].isBehindComma = false
      try beginValue(try readSlot(in: last.index, .key), &open)
    }
  }
}
