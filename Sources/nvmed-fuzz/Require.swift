/// Ends the process where something does not hold, and says what: `precondition` of an optimised build says nothing.
func require(_ condition: Bool, _ message: @autoclosure () -> String = "") {
  if !condition { fatalError(message()) }
}
