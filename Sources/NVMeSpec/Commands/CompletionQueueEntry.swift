/// A completion as the controller posts it: 16 bytes, in the wire's own layout (NVMe base 2.0, 3.3.3.2).
@frozen public struct CompletionQueueEntry: Sendable, Equatable {
  /// The size of an entry in bytes.
  @inlinable public static var byteCount: Int { 16 }

  /// Dword 0: the command specific result.
  public var dw0: UInt32
  /// Dword 1: the command specific result's upper half.
  public var dw1: UInt32
  /// SQHD: how far the submission queue was consumed when the entry was made.
  public var sqHead: UInt16
  /// SQID: the submission queue the command came from.
  public var sqIdentifier: UInt16
  /// CID: the command that completed.
  public var commandIdentifier: UInt16
  /// The phase tag in bit 0, the status field in bits 15:1.
  public var statusAndPhase: UInt16

  /// Makes an entry.
  @inlinable public init(
    dw0: UInt32 = 0, dw1: UInt32 = 0, sqHead: UInt16, sqIdentifier: UInt16, commandIdentifier: UInt16, status: Status,
    phaseTag: Bool
  ) {
    self.dw0 = dw0
    self.dw1 = dw1
    self.sqHead = sqHead
    self.sqIdentifier = sqIdentifier
    self.commandIdentifier = commandIdentifier
    statusAndPhase = status.rawValue &<< 1 | (phaseTag ? 1 : 0)
  }

  /// Takes an entry apart that was read as two 64-bit words.
  @inlinable public init(_ word0: UInt64, _ word1: UInt64) {
    dw0 = UInt32(truncatingIfNeeded: word0)
    dw1 = UInt32(truncatingIfNeeded: word0 &>> 32)
    sqHead = UInt16(truncatingIfNeeded: word1)
    sqIdentifier = UInt16(truncatingIfNeeded: word1 &>> 16)
    commandIdentifier = UInt16(truncatingIfNeeded: word1 &>> 32)
    statusAndPhase = UInt16(truncatingIfNeeded: word1 &>> 48)
  }

  /// Bytes 0 to 7: the result.
  @inlinable public var word0: UInt64 { UInt64(dw0) | UInt64(dw1) &<< 32 }

  /// Bytes 8 to 15. They hold the phase tag: this word is stored after ``word0``, at once and with release ordering.
  @inlinable public var word1: UInt64 {
    UInt64(sqHead) | UInt64(sqIdentifier) &<< 16 | UInt64(commandIdentifier) &<< 32 | UInt64(statusAndPhase) &<< 48
  }

  /// The status field, without the phase tag.
  @inlinable public var status: Status {
    get { Status(rawValue: statusAndPhase &>> 1) }
    set { statusAndPhase = newValue.rawValue &<< 1 | (statusAndPhase & 1) }
  }

  /// P: flips each time the queue wraps, so that the host knows an entry as new.
  @inlinable public var phaseTag: Bool {
    get { statusAndPhase & 1 != 0 }
    set { statusAndPhase.setBit(0, to: newValue) }
  }
}
