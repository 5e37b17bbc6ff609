import LinuxIO

/// A JSON text (RFC 8259) of a peer, as far as the protocol asks: objects, booleans and unsigned integers. Of other
/// values only the kind is kept.
enum JSONValue: Equatable {
  case null
  case bool(Bool)
  /// An integer from 0 to 2^64 - 1 without fraction and exponent.
  case unsigned(UInt64)
  /// Any other number: negative, too large, with a fraction or an exponent.
  case otherNumber
  case string
  case array
  /// No name occurs twice.
  case object([String: JSONValue])

  /// Deepest nesting of objects and arrays; capabilities need three.
  static let maxDepth = 8

  /// Reads a text.
  ///
  /// - Parameter text: its length is bounded by the caller.
  /// - Throws: `EINVAL` where it is not UTF-8 or not exactly one JSON value, where a name occurs twice in an object, or
  ///   where it is nested deeper than `maxDepth`.
  init(parsing text: [UInt8]) throws(Errno) {
    guard String(validating: text, as: UTF8.self) != nil else { throw .invalidArgument }
    var parser = JSONParser(text: text)
    self = try parser.value(depth: 0)
    parser.skipWhitespace()
    guard parser.isAtEnd else { throw .invalidArgument }
  }
}

/// A recursive descent over the bytes. The recursion is bounded by `JSONValue.maxDepth`.
private struct JSONParser {
  private let text: [UInt8]
  private var position = 0

  init(text: [UInt8]) { self.text = text }

  var isAtEnd: Bool { position == text.count }
  private var next: UInt8? { position < text.count ? text[position] : nil }

  mutating func skipWhitespace() {
    while let byte = next, byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d { position += 1 }
  }

  mutating func value(depth: Int) throws(Errno) -> JSONValue {
    skipWhitespace()
    switch next {
    case UInt8(ascii: "{"): return .object(try object(depth: depth + 1))
    case UInt8(ascii: "["):
      try array(depth: depth + 1)
      return .array
    case UInt8(ascii: "\""):
      _ = try string()
      return .string
    case UInt8(ascii: "t"): return try literal("true", .bool(true))
    case UInt8(ascii: "f"): return try literal("false", .bool(false))
    case UInt8(ascii: "n"): return try literal("null", .null)
    default: return try number()
    }
  }

  private mutating func object(depth: Int) throws(Errno) -> [String: JSONValue] {
    guard depth <= JSONValue.maxDepth else { throw .invalidArgument }
    var members: [String: JSONValue] = [:]
    position += 1
    skipWhitespace()
    if take(UInt8(ascii: "}")) { return members }
    while true {
      skipWhitespace()
      let name = try string()
      skipWhitespace()
      guard take(UInt8(ascii: ":")) else { throw .invalidArgument }
      guard members.updateValue(try value(depth: depth), forKey: name) == nil else { throw .invalidArgument }
      skipWhitespace()
      if take(UInt8(ascii: "}")) { return members }
      guard take(UInt8(ascii: ",")) else { throw .invalidArgument }
    }
  }

  private mutating func array(depth: Int) throws(Errno) {
    guard depth <= JSONValue.maxDepth else { throw .invalidArgument }
    position += 1
    skipWhitespace()
    if take(UInt8(ascii: "]")) { return }
    while true {
      _ = try value(depth: depth)
      skipWhitespace()
      if take(UInt8(ascii: "]")) { return }
      guard take(UInt8(ascii: ",")) else { throw .invalidArgument }
    }
  }

  private mutating func string() throws(Errno) -> String {
    guard take(UInt8(ascii: "\"")) else { throw .invalidArgument }
    var bytes: [UInt8] = []
    while let byte = next {
      position += 1
      switch byte {
      case UInt8(ascii: "\""): return String(decoding: bytes, as: UTF8.self)
      case UInt8(ascii: "\\"): bytes += try escape()
      case 0..<0x20: throw .invalidArgument
      default: bytes.append(byte)
      }
    }
    throw .invalidArgument
  }

  private mutating func escape() throws(Errno) -> [UInt8] {
    guard let byte = next else { throw .invalidArgument }
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
    case UInt8(ascii: "b"): return [0x08]
    case UInt8(ascii: "f"): return [0x0c]
    case UInt8(ascii: "n"): return [0x0a]
    case UInt8(ascii: "r"): return [0x0d]
    case UInt8(ascii: "t"): return [0x09]
    case UInt8(ascii: "u"): break
    default: throw .invalidArgument
    }
    var code = UInt32(try codeUnit())
    if code & 0xfc00 == 0xd800 {  // The first half of a pair; the second must follow.
      guard take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else { throw .invalidArgument }
      let low = UInt32(try codeUnit())
      guard low & 0xfc00 == 0xdc00 else { throw .invalidArgument }
      code = 0x10000 + (code & 0x3ff) << 10 + low & 0x3ff
    }
    guard let scalar = Unicode.Scalar(code) else { throw .invalidArgument }
    return Array(String(Character(scalar)).utf8)
  }

  private mutating func codeUnit() throws(Errno) -> UInt16 {
    var code: UInt16 = 0
    for _ in 0..<4 {
      guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { throw .invalidArgument }
      code = code << 4 | UInt16(digit)
      position += 1
    }
    return code
  }

  private mutating func number() throws(Errno) -> JSONValue {
    let isNegative = take(UInt8(ascii: "-"))
    let first = position
    guard let (integer, overflow) = digits() else { throw .invalidArgument }
    if text[first] == UInt8(ascii: "0"), position > first + 1 { throw .invalidArgument }
    var isInteger = true
    if take(UInt8(ascii: ".")) {
      isInteger = false
      guard digits() != nil else { throw .invalidArgument }
    }
    if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
      isInteger = false
      if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
      guard digits() != nil else { throw .invalidArgument }
    }
    return isInteger && !isNegative && !overflow ? .unsigned(integer) : .otherNumber
  }

  /// One or more digits, nil where there is none.
  private mutating func digits() -> (value: UInt64, overflow: Bool)? {
    let first = position
    var value: UInt64 = 0
    var overflow = false
    while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
      let (product, tooLarge) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = product.addingReportingOverflow(UInt64(byte - UInt8(ascii: "0")))
      overflow = overflow || tooLarge || carry
      value = sum
      position += 1
    }
    return position > first ? (value, overflow) : nil
  }

  private mutating func literal(_ word: StaticString, _ value: JSONValue) throws(Errno) -> JSONValue {
    for byte in word.description.utf8 { guard take(byte) else { throw .invalidArgument } }
    return value
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard next == byte else { return false }
    position += 1
    return true
  }
}
