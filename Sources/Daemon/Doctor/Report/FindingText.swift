/// Findings for people: one after another, with what they are about as headings, in 80 columns.
public struct FindingText {
  /// Columns of a line. Only a word that is longer passes them.
  static let width = 80
  private static let indent = 11

  private let findings: [Finding]

  /// Shows `findings` in their order.
  public init(_ findings: [Finding]) { self.findings = findings }

  /// The whole text, with a newline at its end.
  public var text: String {
    var lines: [String] = []
    var subject: String??
    for finding in findings {
      if subject != .some(finding.subject) {
        if !lines.isEmpty { lines.append("") }
        lines.append(finding.subject.map { printable($0, limit: 4096) } ?? "This host")
        subject = .some(finding.subject)
      }
      lines += entry(finding)
    }
    return (lines + ["", summary]).joined(separator: "\n") + "\n"
  }

  private func entry(_ finding: Finding) -> [String] {
    let word = finding.verdict.rawValue
    let margin = String(repeating: " ", count: FindingText.indent)
    var lines = FindingText.wrapped(
      "\(finding.title): \(finding.reason)", width: FindingText.width - FindingText.indent)
    if let remedy = finding.remedy {
      lines += FindingText.wrapped("-> \(remedy)", width: FindingText.width - FindingText.indent)
    }
    return lines.enumerated().map { index, line in
      guard index == 0 else { return margin + line }
      return "  \(word)" + String(repeating: " ", count: FindingText.indent - 2 - word.count) + line
    }
  }

  private var summary: String {
    let counts = Finding.Verdict.allCases.map { verdict in
      "\(findings.count { $0.verdict == verdict }) \(verdict.rawValue)"
    }
    let result = Doctor.canRun(findings) ? "nvmed can run here" : "nvmed cannot do here what is asked of it"
    return "\(result): \(counts.joined(separator: ", "))."
  }

  /// The words of `text` in lines of at most `width` columns; a word that is longer has a line of its own.
  static func wrapped(_ text: String, width: Int) -> [String] {
    var lines: [String] = []
    var line = ""
    for word in printable(text, limit: 1 << 16).split(separator: " ") {
      if !line.isEmpty, line.count + 1 + word.count > width {
        lines.append(line)
        line = ""
      }
      line += (line.isEmpty ? "" : " ") + word
    }
    return line.isEmpty ? lines : lines + [line]
  }
}
