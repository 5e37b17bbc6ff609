/// The first thing in a text that TOML, or a limit, does not allow.
public struct TOMLError: Error, Sendable, Equatable, CustomStringConvertible {
  /// Where it is.
  public let position: SourcePosition
  /// What it is.
  public let problem: TOMLProblem

  /// A problem at a place.
  public init(position: SourcePosition, problem: TOMLProblem) {
    self.position = position
    self.problem = problem
  }

  /// One sentence: `3:7: expected '=', found ':'`.
  public var description: String { "\(position.line):\(position.column): \(problem)" }
}

/// What is wrong with a text.
public enum TOMLProblem: Sendable, Equatable {
  /// Bytes that are not UTF-8.
  case notUTF8
  /// A control character that may not stand where it is, or nowhere.
  case controlCharacter(UInt8)
  /// A carriage return without a line feed behind it.
  case carriageReturn
  /// Something else should stand there.
  case expected(Expectation, found: Found)
  /// A comma behind the last pair of an inline table.
  case commaAtEnd
  /// A key in the quotes of a multi-line string.
  case multilineKey
  /// A string without its end: the quotes that end it.
  case openString(String)
  /// An array without its end.
  case openArray
  /// A backslash with a character that makes no escape.
  case unknownEscape(Found)
  /// An escape of a code without its digits, of which there must be so many.
  case escapeDigits(Int)
  /// An escape of a code that is no Unicode scalar value.
  case noScalar(UInt32)
  /// An escape of U+0000 where the limits do not allow it.
  case nul
  /// A value without quotes that is none.
  case value(ValueProblem, String)
  /// A definition of what another place of the text has defined.
  case redefinition(Redefinition)
  /// More of something than the limits allow.
  case limit(Limit, Int)

  /// What should stand in a place.
  public enum Expectation: Sendable, Equatable {
    /// What a line begins with.
    case line
    /// A key.
    case key
    /// The sign between key and value.
    case equals
    /// A value.
    case value
    /// The end of a table's header.
    case headerEnd
    /// The end of the header of an array of tables.
    case arrayHeaderEnd
    /// Nothing more in the line.
    case lineEnd
    /// Another element, or the end of the array.
    case arraySeparator
    /// Another pair, or the end of the inline table.
    case inlineTableSeparator
  }

  /// What stands there instead.
  public enum Found: Sendable, Equatable {
    /// A character.
    case character(Unicode.Scalar)
    /// The end of the line.
    case lineEnd
    /// The end of the text.
    case textEnd
  }

  /// What is wrong with a value without quotes.
  public enum ValueProblem: Sendable, Equatable {
    /// It is of no type.
    case unknown
    /// A decimal number that begins with 0.
    case leadingZero
    /// An underscore that is not between two digits.
    case underscore
    /// A number with characters that do not belong to it.
    case number
    /// An integer that does not fit in 64 bits.
    case integerRange
    /// A floating-point number that does not fit in 64 bits.
    case floatRange
    /// A date or time of another form, or one that does not exist.
    case dateTime
  }

  /// A second definition.
  public struct Redefinition: Sendable, Equatable {
    /// What is to be defined.
    public enum Definition: Sendable, Equatable {
      /// A value for a key.
      case value
      /// A table, by its header.
      case table
      /// An element of an array of tables.
      case arrayOfTables
      /// Something in it, by a longer key.
      case member
    }

    /// What is there already.
    public enum Existing: Sendable, Equatable {
      /// A value that is no table and no array.
      case value
      /// A table of a header, or one with a longer header below.
      case table
      /// A table of dotted keys.
      case dottedTable
      /// An inline table.
      case inlineTable
      /// An array.
      case array
      /// An array of tables.
      case arrayOfTables
    }

    /// The key, or the part of a key, that both have.
    public let key: String
    /// What is there already.
    public let existing: Existing
    /// The line where that is.
    public let line: Int
    /// What is to be defined.
    public let definition: Definition
  }

  /// What the limits bound.
  public enum Limit: Sendable, Equatable {
    /// Bytes of the text.
    case byteCount
    /// Parts of a dotted key.
    case keyParts
    /// Bytes of a part of a key.
    case keyByteCount
    /// Depth.
    case depth
    /// Values, tables and arrays.
    case nodes
  }
}
