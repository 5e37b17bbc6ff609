import NVMeSpec

/// The kinds of I/O commands that statistics tell apart (NVM Command Set specification 1.0, section 3.2).
public enum CommandKind: String, Sendable, Codable, CodingKeyRepresentable, CaseIterable {
  /// Read.
  case read
  /// Write.
  case write
  /// Flush.
  case flush
  /// Compare.
  case compare
  /// Verify.
  case verify
  /// Write Zeroes.
  case writeZeroes = "write_zeroes"
  /// Dataset Management, of which deallocation is the part that does something.
  case deallocate
  /// Anything else: a command that the controller does not know.
  case other
}

extension CommandKind {
  /// The kind of a command, whether it is a valid one or not.
  init(_ command: SubmissionQueueEntry) {
    self =
      switch NVMOpcode(rawValue: command.opcode) {
      case .read: .read
      case .write: .write
      case .flush: .flush
      case .compare: .compare
      case .verify: .verify
      case .writeZeroes: .writeZeroes
      case .datasetManagement: .deallocate
      default: .other
      }
  }

  /// The kind of a command that was begun.
  init(_ operation: Request.Operation) {
    self =
      switch operation {
      case .read: .read
      case .write: .write
      case .flush: .flush
      case .compare: .compare
      case .verify: .verify
      case .zero: .writeZeroes
      case .deallocate: .deallocate
      }
  }
}
