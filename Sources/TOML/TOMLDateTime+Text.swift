extension TOMLDateTime {
  /// The date, time or both of a text; `nil` where it has another form, or there is no such day or time.
  init?(word: ArraySlice<UInt8>) {
    var rest = word
    var date: Date?
    if rest.dropFirst(4).first == UInt8(ascii: "-") {
      guard let day = Self.date(&rest) else { return nil }
      date = day
      guard let separator = rest.first else {
        self.init(date: day)
        return
      }
      guard [UInt8(ascii: "T"), UInt8(ascii: "t"), UInt8(ascii: " ")].contains(separator) else { return nil }
      rest = rest.dropFirst()
    }
    guard let time = Self.time(&rest) else { return nil }
    guard let first = rest.first else {
      self.init(date: date, time: time)
      return
    }
    guard date != nil else { return nil }
    if first == UInt8(ascii: "Z") || first == UInt8(ascii: "z") {
      guard rest.count == 1 else { return nil }
      self.init(date: date, time: time, offset: 0)
      return
    }
    guard first == UInt8(ascii: "+") || first == UInt8(ascii: "-") else { return nil }
    rest = rest.dropFirst()
    guard let hours = Self.number(&rest, digits: 2, 0...23), Self.take(&rest, ":"),
      let minutes = Self.number(&rest, digits: 2, 0...59), rest.isEmpty
    else { return nil }
    let offset = hours * 60 + minutes
    self.init(date: date, time: time, offset: first == UInt8(ascii: "-") ? -offset : offset)
  }

  private static func date(_ rest: inout ArraySlice<UInt8>) -> Date? {
    guard let year = number(&rest, digits: 4, 0...9999), take(&rest, "-"),
      let month = number(&rest, digits: 2, 1...12), take(&rest, "-"),
      let day = number(&rest, digits: 2, 1...dayCount(of: month, in: year))
    else { return nil }
    return Date(year: year, month: month, day: day)
  }

  private static func dayCount(of month: Int, in year: Int) -> Int {
    switch month {
    case 4, 6, 9, 11: 30
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    default: 31
    }
  }

  private static func time(_ rest: inout ArraySlice<UInt8>) -> Time? {
    guard let hour = number(&rest, digits: 2, 0...23), take(&rest, ":"),
      let minute = number(&rest, digits: 2, 0...59), take(&rest, ":"),
      let second = number(&rest, digits: 2, 0...60)
    else { return nil }
    guard take(&rest, ".") else { return Time(hour: hour, minute: minute, second: second) }
    let fraction = rest.prefix(while: isDigit)
    guard !fraction.isEmpty else { return nil }
    rest = rest.dropFirst(fraction.count)
    var nanosecond = 0
    for place in 0..<9 {
      let digit = place < fraction.count ? fraction[fraction.startIndex + place] - UInt8(ascii: "0") : 0
      nanosecond = nanosecond * 10 + Int(digit)
    }
    return Time(hour: hour, minute: minute, second: second, nanosecond: nanosecond)
  }

  private static func take(_ rest: inout ArraySlice<UInt8>, _ character: Unicode.Scalar) -> Bool {
    guard rest.first == UInt8(ascii: character) else { return false }
    rest = rest.dropFirst()
    return true
  }

  private static func number(_ rest: inout ArraySlice<UInt8>, digits: Int, _ range: ClosedRange<Int>) -> Int? {
    let text = rest.prefix(digits)
    guard text.count == digits, text.allSatisfy(isDigit) else { return nil }
    rest = rest.dropFirst(digits)
    let value = text.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
    return range.contains(value) ? value : nil
  }
}
