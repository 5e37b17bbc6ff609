import LinuxIO

/// Why the process could not give up its rights: one sentence that says what to do.
public struct SandboxError: Error, Equatable, CustomStringConvertible {
  /// The sentence.
  public let description: String

  init(_ description: String) { self.description = description }
}
