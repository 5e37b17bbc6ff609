import Metrics

extension ValueKind where Value == String {
  /// A text for a field of `limit` bytes of Identify Controller, which is padded with spaces (NVM Express Base
  /// Specification, "ASCII string").
  static func identifyText(_ limit: Int) -> ValueKind {
    ValueKind(
      expected: "1 to \(limit) printable ASCII characters without a space at either end",
      decode: { node throws(ValueProblem) in try node.string() },
      check: { text in
        if text.isEmpty { return "is empty" }
        guard text.utf8.allSatisfy({ (0x20...0x7e).contains($0) }) else {
          return "\(quoted(text)) has characters that are not printable ASCII"
        }
        guard text.utf8.count <= limit else { return "\(quoted(text)) is \(text.utf8.count) characters long" }
        let hasOuterSpace = text.first == " " || text.last == " "
        return hasOuterSpace ? "\(quoted(text)) begins or ends with a space" : nil
      },
      show: quoted)
  }

  /// The name of a controller: usable in logs, in metrics and on a command line as it is.
  static var name: ValueKind {
    ValueKind(
      expected: "1 to 64 letters, digits, '.', '_' or '-', the first a letter or digit",
      decode: { node throws(ValueProblem) in try node.string() },
      check: { text in
        if text.isEmpty { return "is empty" }
        func isAlphanumeric(_ byte: UInt8) -> Bool {
          switch byte {
          case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
          default: false
          }
        }
        let isWellFormed =
          text.utf8.first.map(isAlphanumeric) == true
          && text.utf8.allSatisfy { isAlphanumeric($0) || ".-_".utf8.contains($0) }
        guard isWellFormed else { return "\(quoted(text)) is no name" }
        return text.utf8.count <= 64 ? nil : "\(quoted(text)) is \(text.utf8.count) characters long"
      },
      show: quoted)
  }

  /// The path of a file of at most `limit` bytes.
  static func path(_ limit: Int) -> ValueKind {
    ValueKind(
      expected: "a path of 1 to \(limit) bytes",
      decode: { node throws(ValueProblem) in try node.string() },
      check: { text in
        if text.isEmpty { return "is empty" }
        return text.utf8.count <= limit ? nil : "\(quoted(text)) is \(text.utf8.count) bytes long"
      },
      show: tomlText)
  }
}

extension ValueKind where Value == [String] {
  /// Paths, each at most once.
  static var paths: ValueKind {
    let limit = 64
    let path = ValueKind<String>.path(4095)
    return ValueKind(
      expected: "a list of at most \(limit) different paths, as in [\"/srv/images\"]",
      decode: { node throws(ValueProblem) in
        guard case .array(let elements) = node.content else { throw ValueProblem("is \(node.typeName)") }
        var paths: [String] = []
        for (index, element) in elements.enumerated() {
          guard case .string(let text) = element.content else {
            throw ValueProblem("element \(index + 1) is \(element.typeName)")
          }
          paths.append(text)
        }
        return paths
      },
      check: { paths in
        guard paths.count <= limit else { return "lists \(paths.count) paths" }
        for (index, text) in paths.enumerated() {
          if let problem = path.check(text) { return "element \(index + 1) \(problem)" }
        }
        var seen: Set<String> = []
        return paths.first { !seen.insert($0).inserted }.map { "\(quoted($0)) is listed twice" }
      },
      show: { "[\($0.map(quoted).joined(separator: ", "))]" })
  }
}

extension ValueKind where Value == MetricsAddress {
  /// Where metrics are served.
  static var metricsAddress: ValueKind {
    ValueKind(
      expected: MetricsAddress.expected,
      decode: { node throws(ValueProblem) in
        let text = try node.string()
        guard let address = MetricsAddress(text: text) else {
          throw ValueProblem("\(quoted(text)) is no loopback address with a port, and no unix socket")
        }
        return address
      },
      check: { _ in nil },
      show: { quoted($0.text) })
  }
}

extension ValueKind where Value == [UInt8] {
  /// A UUID in its usual form of five groups of hexadecimal digits.
  static var uuid: ValueKind {
    identifier(
      expected: "a UUID other than zero, as in \"5d5b21d5-6d2b-4f0e-9a3c-1f0e6f6f3c11\"", count: 16,
      digits: { text in
        let groups = text.split(separator: "-", omittingEmptySubsequences: false)
        return groups.map(\.utf8.count) == [8, 4, 4, 4, 12] ? groups.joined() : nil
      },
      show: { "\"\(uuidText($0))\"" })
  }

  /// An identifier of `count` bytes, written as hexadecimal digits.
  static func hexadecimalIdentifier(_ count: Int) -> ValueKind {
    identifier(
      expected: "\(count * 2) hexadecimal digits, not all zero", count: count, digits: { $0 },
      show: { "\"\(hexadecimal($0))\"" })
  }

  private static func identifier(
    expected: String, count: Int, digits: @escaping @Sendable (String) -> String?,
    show: @escaping @Sendable ([UInt8]) -> String
  ) -> ValueKind {
    ValueKind(
      expected: expected,
      decode: { node throws(ValueProblem) in
        let text = try node.string()
        guard let digits = digits(text), let bytes = bytes(hexadecimal: digits), bytes.count == count else {
          throw ValueProblem("\(quoted(text)) is malformed")
        }
        return bytes
      },
      check: { bytes in
        if bytes.count != count { return "is \(bytes.count) bytes long" }
        return bytes.allSatisfy { $0 == 0 } ? "is zero, which means \"none\"" : nil
      },
      show: show)
  }
}

/// `bytes` as lower-case hexadecimal digits.
func hexadecimal(_ bytes: [UInt8]) -> String {
  bytes.map { $0 < 0x10 ? "0" + String($0, radix: 16) : String($0, radix: 16) }.joined()
}

/// 16 bytes as the five groups of a UUID (RFC 9562, section 4).
func uuidText(_ bytes: [UInt8]) -> String {
  var groups: [Substring] = []
  var rest = Substring(hexadecimal(bytes))
  for length in [8, 4, 4, 4, 12] {
    groups.append(rest.prefix(length))
    rest = rest.dropFirst(length)
  }
  return groups.joined(separator: "-")
}

/// The bytes that an even number of hexadecimal digits stand for.
private func bytes(hexadecimal text: String) -> [UInt8]? {
  let digits = text.utf8.map { Character(Unicode.Scalar($0)).hexDigitValue }
  guard digits.count % 2 == 0 else { return nil }
  var bytes: [UInt8] = []
  for index in stride(from: 0, to: digits.count, by: 2) {
    guard let high = digits[index], let low = digits[index + 1] else { return nil }
    bytes.append(UInt8(high << 4 | low))
  }
  return bytes
}
