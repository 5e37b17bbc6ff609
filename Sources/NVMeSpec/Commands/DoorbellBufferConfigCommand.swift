/// Doorbell Buffer Config, admin command 7Ch: gives the controller two pages of host memory to use in place of
/// doorbells (NVMe base 2.0, 5.11).
@frozen public struct DoorbellBufferConfigCommand: Sendable, Equatable {
  /// The command itself.
  public var entry: SubmissionQueueEntry

  /// Views `entry` as this command.
  @inlinable public init(_ entry: SubmissionQueueEntry) { self.entry = entry }

  /// PRP entry 1: the page aligned shadow doorbell buffer, which the host writes.
  @inlinable public var shadowDoorbellBuffer: UInt64 {
    get { entry.prp1 }
    set { entry.prp1 = newValue }
  }

  /// PRP entry 2: the page aligned event index buffer, which the controller writes.
  @inlinable public var eventIndexBuffer: UInt64 {
    get { entry.prp2 }
    set { entry.prp2 = newValue }
  }
}
