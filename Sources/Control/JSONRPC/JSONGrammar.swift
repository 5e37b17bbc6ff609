/// Whether a text is JSON as RFC 8259 defines it.
///
/// The decoder is generous: it takes commas before a closing bracket, and does not look at what nobody reads. One that
/// sends something else than JSON is to be told so.
struct JSONGrammar {
  /// The deepest nesting of arrays and objects.
  static let maximumDepth = 128

  private let text: [UInt8]
  private var position = 0

  private init(_ text: [UInt8]) { self.text = text }

  /// Whether a text is exactly one value, nested no deeper than 128.
  static func isValue(_ text: [UInt8]) -> Bool {
    guard String(validating: text, as: UTF8.self) != nil else { return false }
    var grammar = JSONGrammar(text)
    guard grammar.value(depth: 0) else { return false }
    grammar.skipSpace()
    return grammar.position == text.count
  }

  private var next: UInt8? { position < text.count ? text[position] : nil }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard next == byte else { return false }
    position += 1
    return true
  }

  private mutating func skipSpace() {
    while let byte = next, byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d { position += 1 }
  }

  private mutating func value(depth: Int) -> Bool {
    skipSpace()
    switch next {
    case UInt8(ascii: "{"): return depth < JSONGrammar.maximumDepth && object(depth: depth + 1)
    case UInt8(ascii: "["): return depth < JSONGrammar.maximumDepth && array(depth: depth + 1)
    case UInt8(ascii: "\""): return string()
    case UInt8(ascii: "t"): return word("true")
    case UInt8(ascii: "f"): return word("false")
    case UInt8(ascii: "n"): return word("null")
    default: return number()
    }
  }

  private mutating func object(depth: Int) -> Bool {
    position += 1
    skipSpace()
    if take(UInt8(ascii: "}")) { return true }
    repeat {
      skipSpace()
      guard string() else { return false }
      skipSpace()
      guard take(UInt8(ascii: ":")), value(depth: depth) else { return false }
      skipSpace()
    } while take(UInt8(ascii: ","))
    return take(UInt8(ascii: "}"))
  }

  private mutating func array(depth: Int) -> Bool {
    position += 1
    skipSpace()
    if take(UInt8(ascii: "]")) { return true }
    repeat {
      guard value(depth: depth) else { return false }
      skipSpace()
    } while take(UInt8(ascii: ","))
    return take(UInt8(ascii: "]"))
  }

  private mutating func word(_ word: StaticString) -> Bool {
    for byte in word.description.utf8 { guard take(byte) else { return false } }
    return true
  }

  private mutating func string() -> Bool {
    guard take(UInt8(ascii: "\"")) else { return false }
    while let byte = next {
      position += 1
      switch byte {
      case UInt8(ascii: "\""): return true
      case UInt8(ascii: "\\"): guard escape() else { return false }
      case 0..<0x20: return false
      default: break
      }
    }
    return false
  }

  /// What follows a backslash. Halves of a surrogate pair must have each other: alone they are no character.
  private mutating func escape() -> Bool {
    guard let byte = next else { return false }
    position += 1
    switch byte {
    case UInt8(ascii: "u"): break
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
      UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
      return true
    default: return false
    }
    guard let unit = codeUnit() else { return false }
    switch unit & 0xfc00 {
    case 0xd800:
      guard take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")), let low = codeUnit() else { return false }
      return low & 0xfc00 == 0xdc00
    case 0xdc00: return false
    default: return true
    }
  }

  private mutating func codeUnit() -> UInt16? {
    var unit: UInt16 = 0
    for _ in 0..<4 {
      guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { return nil }
      unit = unit << 4 | UInt16(digit)
      position += 1
    }
    return unit
  }

  private mutating func number() -> Bool {
    _ = take(UInt8(ascii: "-"))
    guard take(UInt8(ascii: "0")) || digits() else { return false }
    if take(UInt8(ascii: ".")) { guard digits() else { return false } }
    if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
      if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
      return digits()
    }
    return true
  }

  /// One or more digits.
  private mutating func digits() -> Bool {
    let first = position
    while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
    return position > first
  }
}
