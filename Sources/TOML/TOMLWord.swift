/// Values that stand without quotes.
enum TOMLWord {
  /// The value that a word is.
  static func value(_ word: ArraySlice<UInt8>) throws(TOMLWordError) -> TOMLNode.Content {
    if word.elementsEqual("true".utf8) { return .boolean(true) }
    if word.elementsEqual("false".utf8) { return .boolean(false) }
    let digits = word.prefix(while: isDigit)
    switch word.dropFirst(digits.count).first {
    case UInt8(ascii: "-") where !digits.isEmpty, UInt8(ascii: ":") where !digits.isEmpty:
      guard let value = TOMLDateTime(word: word) else { throw TOMLWordError(problem: .dateTime) }
      return .dateTime(value)
    default: break
    }
    return try number(word)
  }

  private static func number(_ word: ArraySlice<UInt8>) throws(TOMLWordError) -> TOMLNode.Content {
    var rest = word
    let sign = rest.first
    let isSigned = sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-")
    if isSigned { rest = rest.dropFirst() }
    if rest.elementsEqual("inf".utf8) { return .float(sign == UInt8(ascii: "-") ? -Double.infinity : .infinity) }
    if rest.elementsEqual("nan".utf8) { return .float(.nan) }
    guard let first = rest.first, isDigit(first) else {
      // What begins like a number was meant for one.
      let isNumber = isSigned || begins(rest, with: ".")
      throw TOMLWordError(problem: isNumber ? .number : .unknown)
    }
    if first == UInt8(ascii: "0"), !isSigned, let radix = radix(rest.dropFirst().first) {
      return try integer(rest.dropFirst(2), sign: nil, radix: radix)
    }
    if rest.contains(where: { [UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E")].contains($0) }) {
      return try float(rest, sign: sign)
    }
    let isZeroed = first == UInt8(ascii: "0") && rest.count > 1
    if isZeroed, rest.allSatisfy({ isDigit($0) || $0 == UInt8(ascii: "_") }) {
      throw TOMLWordError(problem: .leadingZero)
    }
    return try integer(rest, sign: isSigned ? sign : nil, radix: 10)
  }

  private static func begins(_ word: ArraySlice<UInt8>, with characters: String) -> Bool {
    word.first.map { characters.utf8.contains($0) } ?? false
  }

  private static func radix(_ letter: UInt8?) -> Int? {
    switch letter {
    case UInt8(ascii: "x"): 16
    case UInt8(ascii: "o"): 8
    case UInt8(ascii: "b"): 2
    default: nil
    }
  }

  private static func integer(
    _ word: ArraySlice<UInt8>, sign: UInt8?, radix: Int
  ) throws(TOMLWordError) -> TOMLNode.Content {
    let digits = try withoutUnderscores(word) { hexadecimalValue($0).map { $0 < radix } ?? false }
    guard let value = Int((sign == UInt8(ascii: "-") ? "-" : "") + digits, radix: radix) else {
      throw TOMLWordError(problem: .integerRange)
    }
    return .integer(value)
  }

  /// Digits, then a fraction, an exponent, or both.
  private static func float(_ word: ArraySlice<UInt8>, sign: UInt8?) throws(TOMLWordError) -> TOMLNode.Content {
    let isExponent = { (byte: UInt8) in byte == UInt8(ascii: "e") || byte == UInt8(ascii: "E") }
    let mantissa = word.prefix { !isExponent($0) }
    var exponent = word.dropFirst(mantissa.count).dropFirst()
    let whole = mantissa.prefix { $0 != UInt8(ascii: ".") }
    var text = sign == UInt8(ascii: "-") ? "-" : ""
    let digits = try withoutUnderscores(whole, isDigit)
    guard digits.utf8.count == 1 || digits.utf8.first != UInt8(ascii: "0") else {
      throw TOMLWordError(problem: .leadingZero)
    }
    text += digits
    if whole.count < mantissa.count {
      text += "." + (try withoutUnderscores(mantissa.dropFirst(whole.count + 1), isDigit))
    }
    if mantissa.count < word.count {
      text += "e"
      if begins(exponent, with: "+-") {
        if exponent.first == UInt8(ascii: "-") { text += "-" }
        exponent = exponent.dropFirst()
      }
      text += try withoutUnderscores(exponent, isDigit)
    }
    guard let value = Double(text), value.isFinite else { throw TOMLWordError(problem: .floatRange) }
    return .float(value)
  }

  /// One or more digits, between which single underscores may be: without these.
  private static func withoutUnderscores(
    _ word: ArraySlice<UInt8>, _ isDigit: (UInt8) -> Bool
  ) throws(TOMLWordError) -> String {
    guard !word.isEmpty, word.allSatisfy({ isDigit($0) || $0 == UInt8(ascii: "_") }) else {
      throw TOMLWordError(problem: .number)
    }
    var digits: [UInt8] = []
    var isBehindDigit = false
    for byte in word {
      if byte == UInt8(ascii: "_") {
        guard isBehindDigit else { throw TOMLWordError(problem: .underscore) }
        isBehindDigit = false
      } else {
        digits.append(byte)
        isBehindDigit = true
      }
    }
    guard isBehindDigit else { throw TOMLWordError(problem: .underscore) }
    return String(decoding: digits, as: UTF8.self)
  }
}

/// What is wrong with a word.
struct TOMLWordError: Error, Equatable {
  let problem: TOMLProblem.ValueProblem
}
