/// An entry of a controller's Error Information log: a command that failed.
public struct ErrorLogEntryStatus: Codable, Sendable, Equatable {
  /// Number of the error since the client connected, from 1.
  public var errorCount: UInt64
  /// Submission queue identifier.
  public var submissionQueue: UInt16
  /// Command identifier.
  public var commandIdentifier: UInt16
  /// The status field of the completion without its phase tag.
  public var status: UInt16
  /// The status in words.
  public var statusText: String
  /// Starting LBA, or 0.
  public var lba: UInt64
  /// Namespace identifier, or 0.
  public var nsid: UInt32
}
