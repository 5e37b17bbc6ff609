import LinuxIO
import NVMeSpec

/// The Error Information log (NVMe base specification 2.0, section 5.16.1.2): the last commands that failed.
///
/// Filled by I/O threads and the control thread, only when a command fails.
public final class ErrorLog: Sendable {
  /// One failed command.
  public struct Entry: Sendable, Equatable {
    /// Number of the error since the controller exists, from 1.
    public var errorCount: UInt64 = 0
    /// Submission queue identifier.
    public var submissionQueue: UInt16
    /// Command identifier.
    public var command: UInt16
    /// Status.
    public var status: Status
    /// Starting LBA, or 0.
    public var slba: UInt64
    /// Namespace identifier, or 0.
    public var namespaceIdentifier: UInt32
  }

  /// Entries kept (ELPE + 1).
  public static let capacity = 64

  private struct State {
    var total: UInt64 = 0
    var ring: [Entry] = []
  }

  private let state = Locked(State())

  init() {}

  /// How many commands have failed since the controller exists.
  public var total: UInt64 { state.withLock { $0.total } }

  /// The entries, the newest first.
  public var entries: [Entry] { state.withLock { $0.ring.reversed() } }

  /// Adds a failed command, and gives it back with its number.
  @discardableResult
  func append(_ entry: Entry) -> Entry {
    state.withLock { state in
      state.total &+= 1
      var entry = entry
      entry.errorCount = state.total
      if state.ring.count == ErrorLog.capacity { state.ring.removeFirst() }
      state.ring.append(entry)
      return entry
    }
  }
}
