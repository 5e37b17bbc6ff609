/// A submission or completion queue.
public struct QueueStatus: Codable, Sendable, Equatable {
  /// What a queue is for.
  public enum Kind: String, Codable, Sendable, CaseIterable {
    /// Commands from the host.
    case submission
    /// Completions to the host.
    case completion
  }

  /// Submission or completion.
  public var kind: Kind
  /// Queue identifier; 0 is the admin queue.
  public var identifier: UInt16
  /// Entries.
  public var size: Int
  /// The next entry to be consumed, as far as the controller knows.
  public var head: Int
  /// The end of what was produced, as far as the controller knows.
  public var tail: Int
  /// The I/O thread that processes it, from 0; nil for the admin queue.
  public var thread: Int?
  /// The completion queue of a submission queue.
  public var completionQueue: UInt16?
  /// Commands of a submission queue that were fetched and have not completed.
  public var inFlight: Int?
  /// The interrupt vector of a completion queue; nil where interrupts are disabled.
  public var interruptVector: Int?
}
