/// Sizes as people write them: "512KiB", "10GB".
enum SizeText {
  /// The units and their bytes, largest binary one first among the binary ones.
  static let units: [(name: String, bytes: UInt64)] = [
    ("PiB", 1 << 50), ("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10),
    ("PB", 1_000_000_000_000_000), ("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000),
    ("kB", 1_000), ("KB", 1_000), ("B", 1),
  ]

  /// The bytes that `text` names: a whole number, an optional space, a unit.
  static func parse(_ text: String) throws(ValueProblem) -> UInt64 {
    let digits = text.prefix { ("0"..."9").contains($0) }
    let unit = text.dropFirst(digits.count).drop { $0 == " " }
    guard !digits.isEmpty else { throw ValueProblem("\(quoted(text)) does not begin with a whole number") }
    guard !unit.isEmpty else { throw ValueProblem("\(quoted(text)) has no unit") }
    guard let bytes = units.first(where: { $0.name == unit })?.bytes else {
      throw ValueProblem("\(quoted(String(unit))) is no unit of size")
    }
    guard let number = UInt64(digits) else { throw ValueProblem("\(quoted(text)) is too large") }
    let (product, overflow) = number.multipliedReportingOverflow(by: bytes)
    guard !overflow else { throw ValueProblem("\(quoted(text)) is too large") }
    return product
  }

  /// `bytes` in the largest binary unit that needs no fraction.
  static func text(_ bytes: UInt64) -> String {
    for unit in units where unit.name.hasSuffix("iB") && bytes >= unit.bytes && bytes % unit.bytes == 0 {
      return "\(bytes / unit.bytes)\(unit.name)"
    }
    return "\(bytes)B"
  }
}
