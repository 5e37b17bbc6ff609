/// The fields that the commands on logical blocks share: Read, Write, Compare, Write Zeroes, Write Uncorrectable and
/// Verify (NVM command set 1.0, 3.2).
extension SubmissionQueueEntry {
  /// SLBA: the first logical block.
  @inlinable public var slba: UInt64 {
    get { UInt64(cdw10) | UInt64(cdw11) &<< 32 }
    set {
      cdw10 = UInt32(truncatingIfNeeded: newValue)
      cdw11 = UInt32(truncatingIfNeeded: newValue &>> 32)
    }
  }

  /// NLB: how many logical blocks, 1 to 65536.
  @inlinable public var numberOfLogicalBlocks: UInt32 {
    get { (cdw12 & 0xFFFF) &+ 1 }
    set { cdw12.setField(at: 0, width: 16, to: newValue &- 1) }
  }

  /// FUA: whether a write is on the medium, and not only in a cache, when it completes.
  @inlinable public var forceUnitAccess: Bool {
    get { cdw12.bit(30) }
    set { cdw12.setBit(30, to: newValue) }
  }

  /// LR: whether the controller should try less hard to recover an error.
  @inlinable public var limitedRetry: Bool {
    get { cdw12.bit(31) }
    set { cdw12.setBit(31, to: newValue) }
  }

  /// PRACT: whether the controller inserts or strips protection information.
  @inlinable public var protectionInformationAction: Bool {
    get { cdw12.bit(29) }
    set { cdw12.setBit(29, to: newValue) }
  }

  /// PRCHK: what to check of protection information: bit 2 guard, bit 1 application tag, bit 0 reference tag.
  @inlinable public var protectionInformationCheck: UInt8 {
    get { UInt8(truncatingIfNeeded: cdw12.field(at: 26, width: 3)) }
    set { cdw12.setField(at: 26, width: 3, to: UInt32(newValue)) }
  }

  /// DEAC of Write Zeroes: whether the controller may deallocate the blocks.
  @inlinable public var deallocate: Bool {
    get { cdw12.bit(25) }
    set { cdw12.setBit(25, to: newValue) }
  }

  /// STC: whether to check the storage tag of protection information.
  @inlinable public var storageTagCheck: Bool {
    get { cdw12.bit(24) }
    set { cdw12.setBit(24, to: newValue) }
  }

  /// DTYPE of Write: the directive type; 0 for none.
  @inlinable public var directiveType: UInt8 {
    get { UInt8(truncatingIfNeeded: cdw12.field(at: 20, width: 4)) }
    set { cdw12.setField(at: 20, width: 4, to: UInt32(newValue)) }
  }
}
