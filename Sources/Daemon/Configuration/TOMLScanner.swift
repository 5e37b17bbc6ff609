/// The way to a value: keys, and indexes of arrays.
struct TOMLPath: Hashable, Sendable {
  enum Element: Hashable, Sendable {
    case key(String)
    case index(Int)
  }
  /// Paths longer than this are all the same: no key of a configuration is as deep, and nobody asks where they are.
  static let maximumDepth = 8

  private(set) var elements: [Element] = []

  var isTooDeep: Bool { elements.count > Self.maximumDepth }

  func appending(_ element: Element) -> TOMLPath {
    isTooDeep ? self : TOMLPath(elements: elements + [element])
  }
}

/// Finds the line of every key and table of a TOML 1.0 document.
///
/// TOMLKit tells positions of syntax errors only. The scanner knows just enough of the language to find keys: headers,
/// key/value pairs, and what lies between the brackets of arrays and inline tables. On anything else it goes on with
/// the next line, so that it comes to an end with any text and is right where TOMLKit finds no syntax error.
struct TOMLScanner {
  /// Nesting at which the scanner gives up; TOMLKit refuses documents nested deeper than 256.
  private static let maximumNesting = 300

  private let bytes: [UInt8]
  private var index = 0
  private var line = 1
  private var column = 1
  private var table = TOMLPath()
  private var elementCounts: [TOMLPath: Int] = [:]

  /// Position of each key, of each header and of each inline table in an array.
  private(set) var positions: [TOMLPath: SourcePosition] = [:]
  /// The first escape of U+0000 in a string or key: TOMLKit would cut the text there.
  private(set) var nullEscape: SourcePosition?
  /// The first key or header of more than `maximumKeyLength` parts: TOMLKit overflows its stack over thousands.
  private(set) var longKey: SourcePosition?
  /// The first header without a name, or with one that is no key: TOMLKit ends the process at some of them.
  private(set) var namelessHeader: SourcePosition?
  /// Most parts of a dotted key.
  static let maximumKeyLength = 16

  /// Scans `text`.
  init(_ text: String) {
    bytes = Array(text.utf8)
    if bytes.starts(with: [0xef, 0xbb, 0xbf]) { index = 3 }
    scanDocument()
  }

  private var position: SourcePosition { SourcePosition(line: line, column: column) }

  private func peek(_ distance: Int = 0) -> UInt8? {
    index + distance < bytes.count ? bytes[index + distance] : nil
  }

  private mutating func advance(_ count: Int = 1) {
    for _ in 0..<count {
      guard let byte = peek() else { return }
      index += 1
      if byte == UInt8(ascii: "\n") {
        line += 1
        column = 1
      } else if byte & 0xc0 != 0x80 {
        column += 1
      }
    }
  }

  private mutating func skip(while condition: (UInt8) -> Bool) {
    while let byte = peek(), condition(byte) { advance() }
  }

  private mutating func skipSpaces() { skip { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") } }

  private mutating func skipSpacesLinesAndComments() {
    while let byte = peek() {
      switch byte {
      case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n"): advance()
      case UInt8(ascii: "#"): skip { $0 != UInt8(ascii: "\n") }
      default: return
      }
    }
  }

  private mutating func record(_ path: TOMLPath, at position: SourcePosition) {
    if !path.isTooDeep, positions[path] == nil { positions[path] = position }
  }

  // MARK: Lines

  private mutating func scanDocument() {
    while true {
      skipSpacesLinesAndComments()
      guard let byte = peek() else { return }
      if byte == UInt8(ascii: "[") { scanHeader() } else { scanPair(in: table, nesting: 0) }
      skip { $0 != UInt8(ascii: "\n") }
    }
  }

  private mutating func scanHeader() {
    let start = position
    advance()
    let isArray = peek() == UInt8(ascii: "[")
    if isArray { advance() }
    skipSpaces()
    // TOMLKit has a word for empty brackets, and for two with a space between them.
    let others = [UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "]")] + (isArray ? [] : [UInt8(ascii: "[")])
    if let byte = peek(), !Self.isBareKeyCharacter(byte), !others.contains(byte), namelessHeader == nil {
      namelessHeader = start
    }
    let keys = scanKeys()
    var path = TOMLPath()
    for (number, key) in keys.enumerated() {
      path = path.appending(.key(key))
      record(path, at: start)
      if isArray, number == keys.count - 1 {
        let count = elementCounts[path, default: 0]
        elementCounts[path] = count + 1
        path = path.appending(.index(count))
        record(path, at: start)
      } else if let count = elementCounts[path] {
        path = path.appending(.index(count - 1))
      }
    }
    table = path
  }

  private mutating func scanPair(in table: TOMLPath, nesting: Int) {
    let start = position
    var path = table
    for key in scanKeys() {
      path = path.appending(.key(key))
      record(path, at: start)
    }
    guard peek() == UInt8(ascii: "=") else { return }
    advance()
    scanValue(path, nesting: nesting)
  }

  /// One key, or several with dots between them.
  private mutating func scanKeys() -> [String] {
    let start = position
    var keys: [String] = []
    while true {
      if keys.count == Self.maximumKeyLength, longKey == nil { longKey = start }
      skipSpaces()
      switch peek() {
      case UInt8(ascii: "\""), UInt8(ascii: "'"): keys.append(scanString())
      default:
        let start = index
        skip(while: Self.isBareKeyCharacter)
        keys.append(String(decoding: bytes[start..<index], as: UTF8.self))
      }
      skipSpaces()
      guard peek() == UInt8(ascii: ".") else { return keys }
      advance()
    }
  }

  private static func isBareKeyCharacter(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
      true
    default: false
    }
  }

  // MARK: Values

  private mutating func scanValue(_ path: TOMLPath, nesting: Int) {
    guard nesting < Self.maximumNesting else { return }
    skipSpaces()
    switch peek() {
    case UInt8(ascii: "\""), UInt8(ascii: "'"): _ = scanString()
    case UInt8(ascii: "["): scanArray(path, nesting: nesting + 1)
    case UInt8(ascii: "{"): scanInlineTable(path, nesting: nesting + 1)
    default:
      skip { byte in
        switch byte {
        case UInt8(ascii: ","), UInt8(ascii: "]"), UInt8(ascii: "}"), UInt8(ascii: "#"), UInt8(ascii: "\n"): false
        default: true
        }
      }
    }
  }

  private mutating func scanArray(_ path: TOMLPath, nesting: Int) {
    advance()
    var count = 0
    while true {
      skipSpacesLinesAndComments()
      guard let byte = peek(), byte != UInt8(ascii: "]") else { break }
      let element = path.appending(.index(count))
      if byte == UInt8(ascii: "{") { record(element, at: position) }
      count += 1
      scanValue(element, nesting: nesting)
      skipSpacesLinesAndComments()
      guard peek() == UInt8(ascii: ",") else { break }
      advance()
    }
    if peek() == UInt8(ascii: "]") { advance() }
  }

  private mutating func scanInlineTable(_ path: TOMLPath, nesting: Int) {
    advance()
    while true {
      skipSpacesLinesAndComments()
      guard let byte = peek(), byte != UInt8(ascii: "}") else { break }
      scanPair(in: path, nesting: nesting)
      skipSpacesLinesAndComments()
      guard peek() == UInt8(ascii: ",") else { break }
      advance()
    }
    if peek() == UInt8(ascii: "}") { advance() }
  }

  // MARK: Strings

  /// The text of a string of any of the four forms; exact for those that keys can have, the one-line forms.
  private mutating func scanString() -> String {
    guard let quote = peek() else { return "" }
    let isBasic = quote == UInt8(ascii: "\"")
    let isMultiline = peek(1) == quote && peek(2) == quote
    advance(isMultiline ? 3 : 1)
    var text: [UInt8] = []
    while let byte = peek() {
      if byte == quote {
        guard isMultiline else {
          advance()
          break
        }
        if peek(1) == quote, peek(2) == quote {
          // Up to two quotes may stand right before the three that end the string.
          while peek(3) == quote { advance() }
          advance(3)
          break
        }
      }
      if isBasic, byte == UInt8(ascii: "\\") {
        scanEscape(into: &text)
      } else if byte == UInt8(ascii: "\n"), !isMultiline {
        break
      } else {
        text.append(byte)
        advance()
      }
    }
    return String(decoding: text, as: UTF8.self)
  }

  private mutating func scanEscape(into text: inout [UInt8]) {
    let start = position
    let letter = peek(1)
    advance(2)
    switch letter {
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "n"): text.append(0x0a)
    case UInt8(ascii: "f"): text.append(0x0c)
    case UInt8(ascii: "r"): text.append(0x0d)
    case UInt8(ascii: "u"): scanScalar(digits: 4, start: start, into: &text)
    case UInt8(ascii: "U"): scanScalar(digits: 8, start: start, into: &text)
    case let other?: text.append(other)
    case nil: break
    }
  }

  private mutating func scanScalar(digits: Int, start: SourcePosition, into text: inout [UInt8]) {
    let end = min(index + digits, bytes.count)
    let value = UInt32(String(decoding: bytes[index..<end], as: UTF8.self), radix: 16)
    advance(end - index)
    guard let value, let scalar = Unicode.Scalar(value) else { return }
    if value == 0, nullEscape == nil { nullEscape = start }
    text.append(contentsOf: String(Character(scalar)).utf8)
  }
}
