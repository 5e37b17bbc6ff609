/// What the I/O queues of a controller may do at most. All limits hold at the same time; nil: there is none.
///
/// An operation is an I/O command of any kind. Read, Compare and Verify read; Write, Write Zeroes and Dataset Management
/// write, the last two without bytes; Flush counts in the total only.
public struct RateLimits: Codable, Sendable, Equatable {
  /// Operations of all kinds.
  public var operations: RateLimit?
  /// Bytes read and written.
  public var bytes: RateLimit?
  /// Operations that read.
  public var readOperations: RateLimit?
  /// Bytes read.
  public var readBytes: RateLimit?
  /// Operations that write.
  public var writeOperations: RateLimit?
  /// Bytes written.
  public var writtenBytes: RateLimit?

  /// No limits.
  public init() {}

  /// Whether there are none.
  public var isUnlimited: Bool { self == RateLimits() }
}
