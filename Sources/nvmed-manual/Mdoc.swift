/// A manual page in the language of mdoc(7), line by line.
struct Mdoc {
  private(set) var text = ""

  /// A page called `title` of a section.
  ///
  /// - Parameter date: as it is shown at the foot.
  init(title: String, section: Int, date: String, source: String) {
    macro("Dd", date)
    macro("Dt", title.uppercased(), "\(section)")
    macro("Os", source)
  }

  /// A line of a macro and its arguments, as in `.Bl -tag`. Texts of others have to be escaped before.
  mutating func macro(_ name: String, _ arguments: String...) {
    text += ".\(name)"
    for argument in arguments { text += argument.contains(" ") ? " \"\(argument)\"" : " \(argument)" }
    text += "\n"
  }

  /// A line of several macros in one another, written by the caller.
  mutating func line(_ line: String) { text += line + "\n" }

  /// A running text. Blank lines separate paragraphs; lines that begin with two spaces stand as they are written.
  mutating func paragraphs(_ source: String) {
    var isFirst = true
    for paragraph in source.split(separator: "\n\n") {
      let lines = paragraph.split(separator: "\n").map(String.init)
      if lines.allSatisfy({ $0.hasPrefix("  ") }) {
        macro("Bd", "-literal", "-offset", "indent")
        for line in lines { self.line(Mdoc.textLine(String(line.dropFirst(2)))) }
        macro("Ed")
      } else {
        if !isFirst { macro("Pp") }
        for line in lines { self.line(Mdoc.textLine(line)) }
      }
      isFirst = false
    }
  }

  /// `text` with what roff would take for its own written otherwise.
  static func escape(_ text: String) -> String {
    var result = ""
    for character in text {
      switch character {
      case "\\": result += "\\e"
      case "-": result += "\\-"
      case "\"": result += "\\(dq"
      default: result.append(character)
      }
    }
    return result
  }

  /// A line of text, which a point or an apostrophe would make one of a macro.
  private static func textLine(_ text: String) -> String {
    (text.hasPrefix(".") || text.hasPrefix("'") ? "\\&" : "") + escape(text)
  }
}
