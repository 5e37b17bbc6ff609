import TOML

/// A value in a notation of one line, in which different values differ: `{"a": [1, 2.0, "x"]}`.
func notation(of node: TOMLNode) -> String {
  switch node.content {
  case .string(let text): quoted(text)
  case .integer(let number): "\(number)"
  case .float(let number): "\(number)"
  case .boolean(let flag): "\(flag)"
  case .dateTime(let value): notation(of: value)
  case .array(let elements): "[\(elements.map(notation).joined(separator: ", "))]"
  case .table(let table):
    "{\(table.members.map { "\(quoted($0.key)): \(notation(of: $0.node))" }.joined(separator: ", "))}"
  }
}

/// `1979-05-27T07:32:00.5+00:00`, or the parts of it that there are.
private func notation(of value: TOMLDateTime) -> String {
  var text = value.date.map { "\(padded($0.year, 4))-\(padded($0.month, 2))-\(padded($0.day, 2))" } ?? ""
  if let time = value.time {
    if value.date != nil { text += "T" }
    text += "\(padded(time.hour, 2)):\(padded(time.minute, 2)):\(padded(time.second, 2))"
    var fraction = padded(time.nanosecond, 9)
    while fraction.hasSuffix("0") { fraction.removeLast() }
    if !fraction.isEmpty { text += ".\(fraction)" }
  }
  if let offset = value.offset {
    text += (offset < 0 ? "-" : "+") + "\(padded(abs(offset) / 60, 2)):\(padded(abs(offset) % 60, 2))"
  }
  return text
}

private func padded(_ number: Int, _ width: Int) -> String {
  let digits = "\(number)"
  return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
}

private func quoted(_ text: String) -> String {
  var result = "\""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\"", "\\": result += "\\\(scalar)"
    case "\0"..."\u{1f}", "\u{7f}": result += "\\u{\(String(scalar.value, radix: 16))}"
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result + "\""
}

/// What a text says, or the error.
func reading(_ utf8: some Sequence<UInt8>, limits: TOMLLimits = TOMLLimits()) -> String {
  do throws(TOMLError) {
    return notation(of: try TOMLNode.document(Array(utf8), limits: limits))
  } catch {
    return error.description
  }
}
