import TOML

/// What is wrong with a value, as the first half of a sentence: "is a string".
struct ValueProblem: Error, Equatable {
  let text: String
  init(_ text: String) { self.text = text }
}

/// How a value of one sort is read, checked and shown.
struct ValueKind<Value: Sendable>: Sendable {
  /// What to write, as the second half of a sentence: "an integer from 1 to 64".
  let expected: String
  /// The value of a node, of the right type and still unchecked.
  let decode: @Sendable (TOMLNode) throws(ValueProblem) -> Value
  /// What is wrong with a value of the right type, or `nil`.
  let check: @Sendable (Value) -> String?
  /// The value as it is written in TOML.
  let show: @Sendable (Value) -> String

  /// The value of a node, checked.
  func value(of node: TOMLNode) throws(ValueProblem) -> Value {
    let value = try decode(node)
    if let problem = check(value) { throw ValueProblem(problem) }
    return value
  }
}

extension TOMLNode {
  func integer() throws(ValueProblem) -> Int {
    guard case .integer(let number) = content else { throw ValueProblem("is \(typeName)") }
    return number
  }

  func string() throws(ValueProblem) -> String {
    guard case .string(let text) = content else { throw ValueProblem("is \(typeName)") }
    return text
  }

  /// Bytes, from an integer or from a text with a unit.
  func size() throws(ValueProblem) -> UInt64 {
    switch content {
    case .integer(let number):
      guard let bytes = UInt64(exactly: number) else { throw ValueProblem("\(number) is negative") }
      return bytes
    case .string(let text): return try SizeText.parse(text)
    default: throw ValueProblem("is \(typeName)")
    }
  }
}

// MARK: Numbers

extension ValueKind where Value == Int {
  /// A whole number in `range`.
  static func integer(_ range: ClosedRange<Int>) -> ValueKind {
    ValueKind(
      expected: "an integer from \(range.lowerBound) to \(range.upperBound)",
      decode: { node throws(ValueProblem) in try node.integer() },
      check: { range.contains($0) ? nil : "\($0) is out of range" },
      show: { "\($0)" })
  }

  /// A number of bytes in `range` that is a power of two.
  static func powerOfTwoSize(_ range: ClosedRange<UInt64>) -> ValueKind {
    ValueKind(
      expected:
        "a power of two from \"\(SizeText.text(range.lowerBound))\" to \"\(SizeText.text(range.upperBound))\"",
      decode: { node throws(ValueProblem) in
        guard let size = Int(exactly: try node.size()) else { throw ValueProblem("is out of range") }
        return size
      },
      check: { value in
        guard let size = UInt64(exactly: value), range.contains(size) else { return "\(value) bytes is out of range" }
        return size & (size - 1) == 0 ? nil : "\(value) bytes is no power of two"
      },
      show: { "\"\(SizeText.text(UInt64(max(0, $0))))\"" })
  }

  /// One of a few numbers of bytes, in ascending order.
  static func size(oneOf sizes: [Int]) -> ValueKind {
    ValueKind(
      expected: sizes.map { "\($0)" }.joined(separator: " or "),
      decode: { node throws(ValueProblem) in
        guard let size = Int(exactly: try node.size()) else { throw ValueProblem("is out of range") }
        return size
      },
      check: { sizes.contains($0) ? nil : "\($0) is not possible" },
      show: { "\($0)" })
  }
}

extension ValueKind where Value == UInt64 {
  /// A number of bytes in `range`.
  static func size(_ range: ClosedRange<UInt64>) -> ValueKind {
    ValueKind(
      expected:
        "a size from \"\(SizeText.text(range.lowerBound))\" to \"\(SizeText.text(range.upperBound))\", "
        + "with a unit B, KiB, MiB, GiB, TiB, PiB, kB, MB, GB, TB or PB",
      decode: { node throws(ValueProblem) in try node.size() },
      check: { range.contains($0) ? nil : "\($0) bytes is out of range" },
      show: { "\"\(SizeText.text($0))\"" })
  }
}

extension ValueKind where Value == UInt64 {
  /// A number of things in `range`.
  static func count(_ range: ClosedRange<UInt64>) -> ValueKind {
    ValueKind(
      expected: "an integer from \(range.lowerBound) to \(range.upperBound)",
      decode: { node throws(ValueProblem) in
        let number = try node.integer()
        guard let count = UInt64(exactly: number) else { throw ValueProblem("\(number) is out of range") }
        return count
      },
      check: { range.contains($0) ? nil : "\($0) is out of range" },
      show: { "\($0)" })
  }

  /// Bytes per second in `range`.
  static func bandwidth(_ range: ClosedRange<UInt64>) -> ValueKind {
    ValueKind(
      expected:
        "bytes per second from \"\(SizeText.text(range.lowerBound))/s\" to \"\(SizeText.text(range.upperBound))/s\"",
      decode: { node throws(ValueProblem) in
        guard case .string(let text) = node.content else { return try node.size() }
        guard text.hasSuffix("/s") else { throw ValueProblem("\(quoted(text)) does not end in \"/s\"") }
        return try SizeText.parse(String(text.dropLast(2)))
      },
      check: { range.contains($0) ? nil : "\($0) bytes per second is out of range" },
      show: { "\"\(SizeText.text($0))/s\"" })
  }
}

extension ValueKind where Value == UInt16 {
  /// A PCI vendor or device id; the two ends mean "no device".
  static var pciID: ValueKind {
    ValueKind(
      expected: "an integer from 0x0001 to 0xfffe",
      decode: { node throws(ValueProblem) in
        let number = try node.integer()
        guard let id = UInt16(exactly: number) else { throw ValueProblem("\(number) is out of range") }
        return id
      },
      check: { (1...0xfffe).contains($0) ? nil : "\($0) is out of range" },
      show: { "0x" + hexadecimal([UInt8($0 >> 8), UInt8($0 & 0xff)]) })
  }
}

extension ValueKind where Value == [Int32] {
  /// CPU numbers, each at most once (`CPU_SETSIZE` is 1024).
  static var cpus: ValueKind {
    let numbers: ClosedRange<Int32> = 0...1023
    return ValueKind(
      expected: "a list of different CPU numbers from 0 to 1023, as in [2, 3]",
      decode: { node throws(ValueProblem) in
        guard case .array(let elements) = node.content else { throw ValueProblem("is \(node.typeName)") }
        var cpus: [Int32] = []
        for (index, element) in elements.enumerated() {
          guard case .integer(let number) = element.content else {
            throw ValueProblem("element \(index + 1) is \(element.typeName)")
          }
          guard let cpu = Int32(exactly: number) else { throw ValueProblem("\(number) is out of range") }
          cpus.append(cpu)
        }
        return cpus
      },
      check: { cpus in
        if let cpu = cpus.first(where: { !numbers.contains($0) }) { return "\(cpu) is out of range" }
        var seen: Set<Int32> = []
        return cpus.first { !seen.insert($0).inserted }.map { "\($0) is listed twice" }
      },
      show: { "[\($0.map { "\($0)" }.joined(separator: ", "))]" })
  }
}

// MARK: Choices

extension ValueKind where Value == Bool {
  /// `true` or `false`.
  static var boolean: ValueKind {
    ValueKind(
      expected: "true or false",
      decode: { node throws(ValueProblem) in
        guard case .boolean(let flag) = node.content else { throw ValueProblem("is \(node.typeName)") }
        return flag
      },
      check: { _ in nil },
      show: { "\($0)" })
  }
}

extension ValueKind where Value: CaseIterable & RawRepresentable<String> {
  /// One of the cases, by its name.
  static var choice: ValueKind {
    let names = Value.allCases.map { "\"\($0.rawValue)\"" }
    return ValueKind(
      expected: names.dropLast().joined(separator: ", ") + " or " + (names.last ?? ""),
      decode: { node throws(ValueProblem) in
        let text = try node.string()
        guard let value = Value(rawValue: text) else { throw ValueProblem("\(quoted(text)) is unknown") }
        return value
      },
      check: { _ in nil },
      show: { "\"\($0.rawValue)\"" })
  }
}
