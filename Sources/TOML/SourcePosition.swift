/// A place in a text, counted from 1; columns count characters.
public struct SourcePosition: Sendable, Equatable, Hashable {
  /// Line number.
  public let line: Int
  /// Column number.
  public let column: Int

  /// A place.
  public init(line: Int, column: Int) {
    self.line = line
    self.column = column
  }
}
