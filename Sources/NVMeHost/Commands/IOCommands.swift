import NVMeSpec

/// I/O commands (NVM command set 1.0, 3), without their data pointers.
extension SubmissionQueueEntry {
  /// A command on logical blocks.
  ///
  /// - Parameter blocks: 1 to 65,536.
  @inlinable
  public static func io(_ opcode: NVMOpcode, nsid: UInt32, slba: UInt64, blocks: Int) -> Self {
    var entry = Self(cdw0: UInt32(opcode.rawValue), namespaceIdentifier: nsid)
    entry.slba = slba
    entry.numberOfLogicalBlocks = UInt32(truncatingIfNeeded: blocks)
    return entry
  }

  /// Flush.
  public static func flush(nsid: UInt32) -> Self {
    Self(cdw0: UInt32(NVMOpcode.flush.rawValue), namespaceIdentifier: nsid)
  }

  /// Dataset Management of `ranges` ranges, 1 to 256, that may be deallocated.
  public static func deallocate(nsid: UInt32, ranges: Int) -> Self {
    var command = DatasetManagementCommand(
      Self(cdw0: UInt32(NVMOpcode.datasetManagement.rawValue), namespaceIdentifier: nsid))
    command.numberOfRanges = ranges
    command.deallocate = true
    return command.entry
  }
}
