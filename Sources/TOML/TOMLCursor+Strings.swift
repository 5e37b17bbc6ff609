/// Strings of all four forms, and the words that stand without quotes.
extension TOMLCursor {
  /// Reads a string; the cursor is at its first quote.
  ///
  /// - Parameters:
  ///   - allowsNUL: whether an escape may make U+0000.
  ///   - isKey: whether it is one of the forms that keys have, in one line.
  mutating func readString(allowsNUL: Bool, isKey: Bool) throws(TOMLError) -> String {
    let start = position
    guard let quote = peek() else { return "" }
    let isMultiline = peek(1) == quote && peek(2) == quote
    if isKey, isMultiline { throw error(.multilineKey) }
    advance(isMultiline ? 3 : 1)
    if isMultiline { _ = takeNewline() }
    let isBasic = quote == UInt8(ascii: "\"")
    let end = String(repeating: String(Unicode.Scalar(quote)), count: isMultiline ? 3 : 1)
    var text: [UInt8] = []
    while true {
      guard let byte = peek() else { throw error(.openString(end), at: start) }
      if byte == quote {
        guard isMultiline else {
          advance()
          break
        }
        // Up to two quotes may stand in the text, right before the three that end it too.
        var count = 1
        while count < 5, peek(count) == quote { count += 1 }
        advance(count)
        text.append(contentsOf: repeatElement(quote, count: count < 3 ? count : count - 3))
        if count >= 3 { break }
      } else if isBasic, byte == UInt8(ascii: "\\") {
        try readEscape(into: &text, allowsNUL: allowsNUL, isMultiline: isMultiline)
      } else if byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") && peek(1) == UInt8(ascii: "\n") {
        guard isMultiline else { throw error(.openString(end), at: start) }
        _ = takeNewline()
        text.append(UInt8(ascii: "\n"))
      } else {
        let from = index
        advance(try textByteCount())
        text.append(contentsOf: self.text(from: from))
      }
    }
    return String(decoding: text, as: UTF8.self)
  }

  private mutating func readEscape(
    into text: inout [UInt8], allowsNUL: Bool, isMultiline: Bool
  ) throws(TOMLError) {
    let start = position
    advance()
    if isMultiline, skipLineEndingEscape() { return }
    switch peek() {
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "n"): text.append(0x0a)
    case UInt8(ascii: "f"): text.append(0x0c)
    case UInt8(ascii: "r"): text.append(0x0d)
    case let byte? where byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\"): text.append(byte)
    case UInt8(ascii: "u"): return try readCode(digits: 4, at: start, into: &text, allowsNUL: allowsNUL)
    case UInt8(ascii: "U"): return try readCode(digits: 8, at: start, into: &text, allowsNUL: allowsNUL)
    default: throw error(.unknownEscape(try found()), at: start)
    }
    advance()
  }

  /// Skips spaces and empty lines behind a backslash that is the last of its line.
  private mutating func skipLineEndingEscape() -> Bool {
    var distance = 0
    while peek(distance) == UInt8(ascii: " ") || peek(distance) == UInt8(ascii: "\t") { distance += 1 }
    let isLineEnd =
      peek(distance) == UInt8(ascii: "\n")
      || peek(distance) == UInt8(ascii: "\r") && peek(distance + 1) == UInt8(ascii: "\n")
    guard isLineEnd else { return false }
    repeat { skipSpaces() } while takeNewline()
    return true
  }

  private mutating func readCode(
    digits: Int, at start: SourcePosition, into text: inout [UInt8], allowsNUL: Bool
  ) throws(TOMLError) {
    advance()
    var code: UInt32 = 0
    for _ in 0..<digits {
      guard let byte = peek(), let digit = hexadecimalValue(byte) else { throw error(.escapeDigits(digits), at: start) }
      code = code << 4 | UInt32(digit)
      advance()
    }
    guard let scalar = Unicode.Scalar(code) else { throw error(.noScalar(code), at: start) }
    guard code != 0 || allowsNUL else { throw error(.nul, at: start) }
    text.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
  }

  /// Reads what is a value without quotes, to where such a value ends.
  mutating func readWord() throws(TOMLError) -> ArraySlice<UInt8> {
    let start = index
    while let byte = peek(), !endsWord(byte) {
      advance(try textByteCount())
      // A date and its time may have a space between them.
      if index - start == 10, peek() == UInt8(ascii: " "), let next = peek(1), isDigit(next),
        text(from: start).dropFirst(4).first == UInt8(ascii: "-")
      {
        advance()
      }
    }
    return text(from: start)
  }

  private func endsWord(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: ","), UInt8(ascii: "]"),
      UInt8(ascii: "}"), UInt8(ascii: "#"):
      true
    case UInt8(ascii: "\r"): peek(1) == UInt8(ascii: "\n")
    default: false
    }
  }
}

func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

/// The value of a hexadecimal digit.
func hexadecimalValue(_ byte: UInt8) -> UInt8? {
  switch byte {
  case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
  case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
  case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
  default: nil
  }
}

/// Whether a byte may be in a key without quotes.
func isOfBareKey(_ byte: UInt8) -> Bool {
  switch byte {
  case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
    true
  default: false
  }
}
