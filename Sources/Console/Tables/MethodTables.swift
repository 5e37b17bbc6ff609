import Control

/// What `rpc.methods` says, for people.
public enum MethodTables {
  /// Each method with its parameters, in lines of at most `width` columns.
  public static func methods(_ methods: JSONValue, width: Int = 80) -> [String] {
    guard case .array(let methods) = methods else { return [] }
    return methods.flatMap { method in
      var lines = [text(method["name"])] + wrapped(text(method["meaning"]), width: width, indent: 4)
      if case .array(let parameters)? = method["parameters"] {
        for parameter in parameters {
          let optional = parameter["required"] == .bool(true) ? "" : ", optional"
          lines += wrapped(
            "\(text(parameter["name"])) (\(text(parameter["type"]))\(optional)): \(text(parameter["meaning"]))",
            width: width, indent: 4)
        }
      }
      return lines
    }
  }

  private static func text(_ value: JSONValue?) -> String {
    if case .string(let text)? = value { Terminal.plain(text) } else { "" }
  }

  private static func wrapped(_ text: String, width: Int, indent: Int) -> [String] {
    var lines: [String] = []
    var line = ""
    for word in text.split(separator: " ") {
      if !line.isEmpty, indent + line.count + 1 + word.count > width {
        lines.append(line)
        line = "  "
      }
      line += (line.isEmpty || line == "  " ? "" : " ") + word
    }
    return (lines + [line]).map { String(repeating: " ", count: indent) + $0 }
  }
}
