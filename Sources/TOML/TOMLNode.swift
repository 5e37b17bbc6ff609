/// A value of a TOML document, with its place.
public struct TOMLNode: Sendable, Equatable {
  /// What a value is.
  public enum Content: Sendable, Equatable {
    /// A text.
    case string(String)
    /// A whole number of 64 bits.
    case integer(Int)
    /// A number of the format binary64.
    case float(Double)
    /// `true` or `false`.
    case boolean(Bool)
    /// A date, a time, or both.
    case dateTime(TOMLDateTime)
    /// An array, or an array of tables.
    case array([TOMLNode])
    /// A table, from a header, dotted keys or an inline table.
    case table(TOMLTable)
  }

  /// What it is.
  public var content: Content
  /// Where it begins: a table at its header, or at the key that made it; `nil` where it came from no text.
  public var position: SourcePosition?

  /// A value.
  public init(content: Content, position: SourcePosition? = nil) {
    self.content = content
    self.position = position
  }

  /// Reads a document of TOML 1.0.
  ///
  /// - Parameters:
  ///   - utf8: the text; a byte order mark at its beginning is skipped.
  ///   - limits: what no text may exceed.
  /// - Returns: the table of the document.
  /// - Throws: the first thing that TOML or the limits do not allow, and where.
  public static func document(_ utf8: [UInt8], limits: TOMLLimits = TOMLLimits()) throws(TOMLError) -> TOMLNode {
    var reader = TOMLReader(utf8, limits: limits)
    return try reader.readDocument()
  }

  /// What it is in words, as in "is a string".
  public var typeName: String {
    switch content {
    case .string: "a string"
    case .integer: "an integer"
    case .boolean: "a boolean"
    case .float: "a floating-point number"
    case .dateTime: "a date or time"
    case .array: "an array"
    case .table: "a table"
    }
  }
}
