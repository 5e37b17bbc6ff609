/// What no text may exceed. The defaults are far beyond what anybody writes by hand, and keep what a text costs to some
/// tens of megabytes and some tens of milliseconds.
public struct TOMLLimits: Sendable, Equatable {
  /// Most bytes of the text.
  public var byteCount = 1 << 20
  /// Most parts of a dotted key.
  public var keyParts = 16
  /// Most bytes of one part of a key.
  public var keyByteCount = 1024
  /// How deep values may lie in tables and arrays.
  public var depth = 128
  /// Most values, tables and arrays together.
  public var nodes = 100_000
  /// Whether texts and keys may have U+0000, which TOML allows by an escape, and a C string cannot have.
  public var allowsNUL = true

  /// The defaults.
  public init() {}
}
