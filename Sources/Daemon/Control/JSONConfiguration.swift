import Control

/// Parts of a configuration that come as JSON: an object has the keys of the table in a configuration file, and is
/// checked by the same schema.
enum JSONConfiguration {
  /// The JSON as a parsed document has it; nil for what TOML does not know.
  private static func node(_ value: JSONValue) -> TOMLNode? {
    switch value {
    case .null: return nil
    case .bool(let flag): return TOMLNode(content: .boolean(flag))
    case .integer(let number): return TOMLNode(content: .integer(Int(number)))
    case .unsigned, .number: return TOMLNode(content: .float)
    case .string(let text): return TOMLNode(content: .string(text))
    case .array(let elements): return TOMLNode(content: .array(elements.compactMap(node)))
    case .object(let members): return TOMLNode(content: .table(members.compactMapValues(node)))
    }
  }
}
