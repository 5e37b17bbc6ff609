/// Get Log Page, admin command 02h (NVMe base 2.0, 5.16).
@frozen public struct GetLogPageCommand: Sendable, Equatable {
  /// The command itself.
  public var entry: SubmissionQueueEntry

  /// Views `entry` as this command.
  @inlinable public init(_ entry: SubmissionQueueEntry) { self.entry = entry }

  /// LID: the log page, a ``LogPageIdentifier`` if it is a known one.
  @inlinable public var logPageIdentifier: UInt8 {
    get { UInt8(truncatingIfNeeded: entry.cdw10) }
    set { entry.cdw10.setField(at: 0, width: 8, to: UInt32(newValue)) }
  }

  /// LSP: log specific parameter, 7 bits.
  @inlinable public var lsp: UInt8 {
    get { UInt8(truncatingIfNeeded: entry.cdw10.field(at: 8, width: 7)) }
    set { entry.cdw10.setField(at: 8, width: 7, to: UInt32(newValue)) }
  }

  /// RAE: whether the asynchronous event that the page tells of stays masked.
  @inlinable public var retainAsynchronousEvent: Bool {
    get { entry.cdw10.bit(15) }
    set { entry.cdw10.setBit(15, to: newValue) }
  }

  /// NUMDU and NUMDL: how many dwords to return, 1 to 2^32.
  @inlinable public var numberOfDwords: UInt64 {
    get { (UInt64(entry.cdw11 & 0xFFFF) &<< 16 | UInt64(entry.cdw10 &>> 16)) &+ 1 }
    set {
      let zeroBased = newValue &- 1
      entry.cdw10.setField(at: 16, width: 16, to: UInt32(truncatingIfNeeded: zeroBased))
      entry.cdw11.setField(at: 0, width: 16, to: UInt32(truncatingIfNeeded: zeroBased &>> 16))
    }
  }

  /// How many bytes to return: 4 to 2^34, four times ``numberOfDwords``.
  @inlinable public var byteCount: UInt64 { numberOfDwords &* 4 }

  /// LSI: log specific identifier.
  @inlinable public var lsi: UInt16 {
    get { UInt16(truncatingIfNeeded: entry.cdw11 &>> 16) }
    set { entry.cdw11.setField(at: 16, width: 16, to: UInt32(newValue)) }
  }

  /// LPOU and LPOL: where in the page to start, in bytes, or the index of an entry if ``offsetType`` is set.
  @inlinable public var offset: UInt64 {
    get { UInt64(entry.cdw12) | UInt64(entry.cdw13) &<< 32 }
    set {
      entry.cdw12 = UInt32(truncatingIfNeeded: newValue)
      entry.cdw13 = UInt32(truncatingIfNeeded: newValue &>> 32)
    }
  }

  /// UUID Index: which vendor's definition, for vendor specific pages.
  @inlinable public var uuidIndex: UInt8 {
    get { UInt8(truncatingIfNeeded: entry.cdw14.field(at: 0, width: 7)) }
    set { entry.cdw14.setField(at: 0, width: 7, to: UInt32(newValue)) }
  }

  /// OT: whether ``offset`` is an index of the page's entries.
  @inlinable public var offsetType: Bool {
    get { entry.cdw14.bit(23) }
    set { entry.cdw14.setBit(23, to: newValue) }
  }

  /// CSI: the I/O command set, for the pages that are specific to one; see ``CommandSetIdentifier``.
  @inlinable public var csi: UInt8 {
    get { UInt8(truncatingIfNeeded: entry.cdw14 &>> 24) }
    set { entry.cdw14.setField(at: 24, width: 8, to: UInt32(newValue)) }
  }

  /// NSID: the namespace, for pages that are kept for each; 0 or FFFFFFFFh for the controller.
  @inlinable public var nsid: UInt32 {
    get { entry.namespaceIdentifier }
    set { entry.namespaceIdentifier = newValue }
  }
}
