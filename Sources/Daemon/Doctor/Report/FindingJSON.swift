/// Findings for programs: a JSON array (RFC 8259) of objects with the members `id`, `subject`, `title`, `verdict`,
/// `reason` and `remedy`, one object per line. `subject` and `remedy` may be null.
///
/// `id` and `verdict` stay the same between versions, `subject` is the path as it was given; the others are for people.
public struct FindingJSON {
  private let findings: [Finding]

  /// Shows `findings` in their order.
  public init(_ findings: [Finding]) { self.findings = findings }

  /// The whole text, with a newline at its end.
  public var text: String {
    "[\n" + findings.map { "  " + FindingJSON.object($0) }.joined(separator: ",\n") + "\n]\n"
  }

  private static func object(_ finding: Finding) -> String {
    let members: [(name: String, value: String?)] = [
      ("id", finding.identifier), ("subject", finding.subject), ("title", finding.title),
      ("verdict", finding.verdict.rawValue), ("reason", finding.reason), ("remedy", finding.remedy),
    ]
    return "{" + members.map { "\(string($0.name)): \($0.value.map(string) ?? "null")" }.joined(separator: ", ") + "}"
  }

  /// A string with its quotes.
  static func string(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": result += "\\\(scalar)"
      case "\n": result += "\\n"
      case "\t": result += "\\t"
      case "\r": result += "\\r"
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
