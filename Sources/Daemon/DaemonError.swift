/// Why the daemon cannot start: one sentence that says what to do.
public struct DaemonError: Error, CustomStringConvertible {
  /// The sentence.
  public let description: String

  /// An error with this sentence.
  public init(_ description: String) { self.description = description }
}
