/// Abort, admin command 08h (NVMe base 2.0, 5.1).
///
/// Bit 0 of the completion's dword 0 is clear if the command was aborted, and set if it was not.
@frozen public struct AbortCommand: Sendable, Equatable {
  /// The command itself.
  public var entry: SubmissionQueueEntry

  /// Views `entry` as this command.
  @inlinable public init(_ entry: SubmissionQueueEntry) { self.entry = entry }

  /// SQID: the submission queue of the command to abort.
  @inlinable public var sqid: UInt16 {
    get { UInt16(truncatingIfNeeded: entry.cdw10) }
    set { entry.cdw10.setField(at: 0, width: 16, to: UInt32(newValue)) }
  }

  /// CID: the command to abort.
  @inlinable public var cid: UInt16 {
    get { UInt16(truncatingIfNeeded: entry.cdw10 &>> 16) }
    set { entry.cdw10.setField(at: 16, width: 16, to: UInt32(newValue)) }
  }
}
