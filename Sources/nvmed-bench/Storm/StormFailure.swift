/// What must not be: a command that was lost or executed twice, or data that is not what it should be.
struct StormFailure: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
