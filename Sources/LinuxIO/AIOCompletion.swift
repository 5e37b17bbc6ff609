/// One finished asynchronous request: what `struct io_event` says of it.
public struct AIOCompletion: Equatable, Sendable {
  /// The value given when the request was prepared.
  public let cookie: UInt64
  /// Bytes transferred, which may be fewer than asked for, or a negative `errno`.
  public let result: Int64

  /// Makes a completion of its parts.
  @inlinable
  public init(cookie: UInt64, result: Int64) {
    self.cookie = cookie
    self.result = result
  }

  /// The error of a request that failed.
  @inlinable
  public var error: Errno? { result < 0 ? Errno(rawValue: Int32(truncatingIfNeeded: 0 &- result)) : nil }
}

/// A request that `io_submit(2)` refused: it was never started and there is no completion for it.
public struct AIORejection: Equatable, Sendable {
  /// The value given when the request was prepared.
  public let cookie: UInt64
  /// Why.
  public let error: Errno

  /// Makes a rejection of its parts.
  @inlinable
  public init(cookie: UInt64, error: Errno) {
    self.cookie = cookie
    self.error = error
  }
}
