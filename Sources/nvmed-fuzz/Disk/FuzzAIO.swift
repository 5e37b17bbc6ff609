import CFuzzAIO

/// The disk of the process: what it does when is the input's to say.
enum FuzzAIO {
  /// Whether memory may be gone that a request uses: the client took it away.
  nonisolated(unsafe) static var allowsFaults = false

  /// Requests in flight.
  static var pending: Int { fuzz_aio_pending() }

  /// Keeps requests in flight from now on.
  static func hold() { fuzz_aio_hold(true) }

  /// Whether a request is a sync; the oldest is 0.
  static func isSync(_ index: Int) -> Bool { fuzz_aio_is_sync(index) }

  /// Finishes a request.
  ///
  /// - Parameters:
  ///   - index: which one, the oldest is 0.
  ///   - error: an errno that it fails with; 0: none.
  ///   - limit: bytes that it moves at most.
  static func finish(_ index: Int, error: Int32 = 0, limit: Int = .max) {
    let result = fuzz_aio_finish(index, error, limit)
    require(result != -14 || allowsFaults, "memory that a request in flight uses is gone")
  }

  /// Finishes all of them, and those to come at once.
  static func release() {
    fuzz_aio_hold(false)
    while pending > 0 { finish(0) }
  }
}
