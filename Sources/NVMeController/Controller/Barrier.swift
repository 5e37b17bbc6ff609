/// What is to be done once every I/O thread has acknowledged a message. Control thread only.
struct Barrier {
  /// Acknowledgements still missing.
  var missing: Int
  /// What follows.
  let completion: () -> Void
}
