import NVMeSpec

/// What a command identifier is used for.
struct SoakCommand: Sendable {
  enum Kind: Sendable {
    case read, write, zero, deallocate, compare, verify, flush
    /// Compare with data that differs.
    case mismatch
    /// A command that the controller has to refuse.
    case wrong

    /// Whether the command moves data that the host has described.
    var hasData: Bool {
      switch self {
      case .read, .write, .deallocate, .compare, .mismatch: true
      case .zero, .verify, .flush, .wrong: false
      }
    }
  }

  /// What was said of an Abort for it.
  enum Abort: Sendable { case none, isPossible, isDone }

  var isInFlight = false
  var kind = Kind.flush
  /// Of the range of its identifier.
  var blocks = 0..<0
  /// Of Dataset Management.
  var ranges = 1
  /// What it writes.
  var version: UInt64 = 0
  /// Where its data begins in the buffer of its identifier.
  var start = 0
  /// The status that it must have where nothing comes in between.
  var expected = Status.success
  /// `SoakPresence.epoch` of its namespace at the time.
  var epoch = 0
  /// Whether some of the guest's memory was away meanwhile.
  var mayFault = false
  var abort = Abort.none

  /// The status that it may have, each of which says that it was not executed.
  func mayFail(with status: Status, epoch now: Int, isDeleting: Bool) -> Bool {
    switch status {
    case .dataTransferError: mayFault && kind.hasData
    case .abortRequested: abort != .none
    case .abortedSQDeletion: isDeleting
    // The namespace was not there at some time between.
    case .invalidField: epoch % 2 == 1 || now != epoch
    default: false
    }
  }
}
