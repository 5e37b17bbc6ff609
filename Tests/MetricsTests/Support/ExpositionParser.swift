/// A strict reader of the text formats: whatever they do not allow is an error.
///
/// Source: Prometheus text-based exposition format 0.0.4; OpenMetrics 1.0.
struct ExpositionParser {
  struct Failure: Error, CustomStringConvertible {
    let line: Int
    let description: String
  }

  struct Sample: Equatable {
    let name: String
    let labels: [String: String]
    let value: Double
  }

  struct Family {
    let name: String
    let type: String
    let help: String
    var samples: [Sample] = []
  }

  let isOpenMetrics: Bool
  private(set) var families: [Family] = []
  private var number = 0

  /// Reads a whole text.
  static func parse(_ bytes: [UInt8], isOpenMetrics: Bool = false) throws -> [Family] {
    var parser = ExpositionParser(isOpenMetrics: isOpenMetrics)
    try parser.parse(bytes)
    return parser.families
  }

  private init(isOpenMetrics: Bool) { self.isOpenMetrics = isOpenMetrics }

  private func fail(_ text: String) -> Failure { Failure(line: number, description: "line \(number): \(text)") }

  private mutating func parse(_ bytes: [UInt8]) throws {
    guard let text = String(validating: bytes, as: UTF8.self) else { throw fail("not UTF-8") }
    guard text.utf8.last == UInt8(ascii: "\n") else { throw fail("no line feed at the end") }
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
    if isOpenMetrics {
      guard lines.last == "# EOF" else { throw fail("no # EOF at the end") }
      lines = lines.dropLast()
    }
    var help: (name: String, text: String)?
    for line in lines {
      number += 1
      guard !line.isEmpty else { throw fail("an empty line") }
      if line.hasPrefix("# HELP ") {
        let parts = line.dropFirst("# HELP ".count).split(separator: " ", maxSplits: 1)
        guard parts.count == 2, help == nil else { throw fail("no HELP") }
        help = (String(parts[0]), String(parts[1]))
      } else if line.hasPrefix("# TYPE ") {
        let parts = line.dropFirst("# TYPE ".count).split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 2, let about = help, about.name == parts[0] else { throw fail("TYPE without its HELP") }
        help = nil
        guard ["counter", "gauge", "histogram"].contains(String(parts[1])) else { throw fail("type \(parts[1])") }
        guard !families.contains(where: { $0.name == about.name }) else { throw fail("\(about.name) twice") }
        guard ExpositionParser.isName(about.name, colons: true) else { throw fail("name \(about.name)") }
        try finishFamily()
        families.append(Family(name: about.name, type: String(parts[1]), help: about.text))
      } else if line.hasPrefix("#") {
        throw fail("a comment")
      } else {
        guard help == nil else { throw fail("HELP without TYPE") }
        try takeSample(try sample(line))
      }
    }
    try finishFamily()
  }

  private mutating func takeSample(_ sample: Sample) throws {
    guard let family = families.last else { throw fail("a sample without its family") }
    let suffixes: [String]
    switch (family.type, isOpenMetrics) {
    case ("histogram", _): suffixes = ["_bucket", "_sum", "_count"]
    case ("counter", true): suffixes = ["_total"]
    default: suffixes = [""]
    }
    guard suffixes.contains(where: { sample.name == family.name + $0 }) else {
      throw fail("\(sample.name) is not of \(family.name)")
    }
    if family.type == "counter", !isOpenMetrics, !family.name.hasSuffix("_total") {
      throw fail("counter \(family.name)")
    }
    if family.type != "gauge", sample.value < 0 || sample.value.isNaN { throw fail("value \(sample.value)") }
    if (sample.labels["le"] != nil) != (sample.name.hasSuffix("_bucket") && family.type == "histogram") {
      throw fail("label le")
    }
    guard !family.samples.contains(where: { $0.name == sample.name && $0.labels == sample.labels }) else {
      throw fail("\(sample) twice")
    }
    families[families.count - 1].samples.append(sample)
  }

  /// Checks the histograms of the last family.
  private func finishFamily() throws {
    guard let family = families.last else { return }
    guard !family.samples.isEmpty else { throw fail("\(family.name) has no samples") }
    guard family.type == "histogram" else { return }
    let series = Set(family.samples.map { $0.labels.filter { $0.key != "le" } })
    for labels in series {
      let own = family.samples.filter { $0.labels.filter { $0.key != "le" } == labels }
      let buckets = own.filter { $0.name.hasSuffix("_bucket") }
      let bounds = try buckets.map { try ExpositionParser.number($0.labels["le"] ?? "") ?? { throw fail("le") }() }
      guard bounds == bounds.sorted(), Set(bounds).count == bounds.count, bounds.last == .infinity else {
        throw fail("bounds of \(family.name)")
      }
      guard buckets.map(\.value) == buckets.map(\.value).sorted() else {
        throw fail("\(family.name) is not cumulative")
      }
      let counts = own.filter { $0.name.hasSuffix("_count") }
      guard counts.count == 1, counts.first?.value == buckets.last?.value,
        own.count(where: { $0.name.hasSuffix("_sum") }) == 1
      else { throw fail("count and sum of \(family.name)") }
    }
  }

  private func sample(_ line: Substring) throws -> Sample {
    var rest = line
    let name = String(rest.prefix { $0 != "{" && $0 != " " })
    guard ExpositionParser.isName(name, colons: true) else { throw fail("name \(name)") }
    rest = rest.dropFirst(name.count)
    var labels: [String: String] = [:]
    if rest.first == "{" {
      rest = rest.dropFirst()
      while true {
        let label = String(rest.prefix { $0 != "=" })
        guard ExpositionParser.isName(label, colons: false), !label.hasPrefix("__"), labels[label] == nil else {
          throw fail("label \(label)")
        }
        rest = rest.dropFirst(label.count)
        guard rest.hasPrefix("=\"") else { throw fail("label \(label) without a value") }
        rest = rest.dropFirst(2)
        labels[label] = try value(&rest)
        guard let next = rest.popFirst() else { throw fail("labels without an end") }
        if next == "}" { break }
        guard next == "," else { throw fail("after label \(label)") }
      }
    }
    guard rest.popFirst() == " ", let number = ExpositionParser.number(String(rest)) else {
      throw fail("value \(rest)")
    }
    return Sample(name: name, labels: labels, value: number)
  }

  private func value(_ rest: inout Substring) throws -> String {
    var value = ""
    while let character = rest.popFirst() {
      switch character {
      case "\"": return value
      case "\\":
        switch rest.popFirst() {
        case "\\": value += "\\"
        case "n": value += "\n"
        case "\"": value += "\""
        default: throw fail("an escape")
        }
      default: value.append(character)
      }
    }
    throw fail("a value without an end")
  }

  private static func number(_ text: String) -> Double? {
    if text == "+Inf" { return .infinity }
    guard text.utf8.allSatisfy({ "0123456789.e+-".utf8.contains($0) }) else { return nil }
    return Double(text)
  }

  private static func isName(_ text: String, colons: Bool) -> Bool {
    guard let first = text.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else { return false }
    return text.unicodeScalars.allSatisfy {
      $0.isASCII && ($0.properties.isAlphabetic || $0.properties.numericType != nil || $0 == "_" || colons && $0 == ":")
    }
  }
}
