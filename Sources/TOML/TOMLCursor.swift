/// A place in the bytes of a text that only moves forward, and knows its line and column.
struct TOMLCursor {
  private let bytes: [UInt8]
  private(set) var index = 0
  private var line = 1
  private var column = 1

  /// At the beginning, behind a byte order mark.
  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    if bytes.starts(with: [0xef, 0xbb, 0xbf]) { index = 3 }
  }

  var position: SourcePosition { SourcePosition(line: line, column: column) }

  func error(_ problem: TOMLProblem, at position: SourcePosition? = nil) -> TOMLError {
    TOMLError(position: position ?? self.position, problem: problem)
  }

  // MARK: Bytes

  func peek(_ distance: Int = 0) -> UInt8? {
    distance < bytes.count - index ? bytes[index + distance] : nil
  }

  /// The bytes from an earlier index to here.
  func text(from start: Int) -> ArraySlice<UInt8> { bytes[start..<index] }

  /// Moves by bytes that have been looked at.
  mutating func advance(_ count: Int = 1) {
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

  /// Moves by a byte if it is the next one.
  mutating func take(_ byte: UInt8) -> Bool {
    guard peek() == byte else { return false }
    advance()
    return true
  }

  /// Moves by an end of line, if one is next.
  mutating func takeNewline() -> Bool {
    if peek() == UInt8(ascii: "\r"), peek(1) == UInt8(ascii: "\n") { advance() }
    return take(UInt8(ascii: "\n"))
  }

  mutating func skipSpaces() {
    while let byte = peek(), byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") { advance() }
  }

  /// Moves by a comment, if one is next, to the end of its line.
  mutating func skipComment() throws(TOMLError) {
    guard take(UInt8(ascii: "#")) else { return }
    while let byte = peek(), byte != UInt8(ascii: "\n") {
      if byte == UInt8(ascii: "\r"), peek(1) == UInt8(ascii: "\n") { return }
      advance(try textByteCount())
    }
  }

  /// Moves by spaces, ends of lines and comments.
  mutating func skipBlank() throws(TOMLError) {
    while true {
      skipSpaces()
      try skipComment()
      guard takeNewline() else { return }
    }
  }

  // MARK: Characters

  /// How many bytes the next character of a comment or string has.
  ///
  /// - Throws: that it is a control character other than tab, or no UTF-8.
  func textByteCount() throws(TOMLError) -> Int {
    guard let byte = peek() else { return 0 }
    if byte >= 0x80 {
      guard let count = multibyteCount else { throw error(.notUTF8) }
      return count
    }
    guard byte >= 0x20 && byte != 0x7f || byte == UInt8(ascii: "\t") else { throw refusal(ofControl: byte) }
    return 1
  }

  private func refusal(ofControl byte: UInt8) -> TOMLError {
    error(byte == UInt8(ascii: "\r") ? .carriageReturn : .controlCharacter(byte))
  }

  /// The length of the next character, which is not ASCII (RFC 3629, section 4).
  private var multibyteCount: Int? {
    guard let lead = peek() else { return nil }
    let count: Int
    var second: ClosedRange<UInt8> = 0x80...0xbf
    switch lead {
    case 0xc2...0xdf: count = 2
    case 0xe0: (count, second) = (3, 0xa0...0xbf)
    case 0xed: (count, second) = (3, 0x80...0x9f)
    case 0xe1...0xef: count = 3
    case 0xf0: (count, second) = (4, 0x90...0xbf)
    case 0xf4: (count, second) = (4, 0x80...0x8f)
    case 0xf1...0xf3: count = 4
    default: return nil
    }
    guard let byte = peek(1), second.contains(byte) else { return nil }
    for distance in 2..<max(2, count) {
      guard let byte = peek(distance), byte & 0xc0 == 0x80 else { return nil }
    }
    return count
  }

  /// What is next, for an error.
  ///
  /// - Throws: that it may stand nowhere, which says more.
  func found() throws(TOMLError) -> TOMLProblem.Found {
    guard let byte = peek() else { return .textEnd }
    if byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") && peek(1) == UInt8(ascii: "\n") { return .lineEnd }
    let end = index + (try textByteCount())
    return .character(String(decoding: bytes[index..<end], as: UTF8.self).unicodeScalars.first ?? "\u{fffd}")
  }

  /// That something else should be next.
  func expected(_ expectation: TOMLProblem.Expectation) -> TOMLError {
    do throws(TOMLError) {
      return error(.expected(expectation, found: try found()))
    } catch {
      return error
    }
  }
}
