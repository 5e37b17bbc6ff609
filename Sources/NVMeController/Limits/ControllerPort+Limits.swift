import LinuxIO
import NVMeSpec

extension ControllerPort {
  /// Asks the rate limits whether a command may begin, and charges it then.
  ///
  /// - Parameter aborted: the command that is to end at once: it does not wait, and is not charged.
  /// - Returns: `UInt64.max` where it may; else when to ask again.
  @inline(never)
  static func admit(
    _ command: SubmissionQueueEntry, aborted: UInt16?, _ namespaces: borrowing FixedTable<NamespaceGeometry>,
    maximumTransfer: UInt64, _ description: BorrowedDescription, _ resources: borrowing IOResources
  ) -> UInt64 {
    if aborted == command.commandIdentifier { return UInt64.max }
    let operation: RateLimiter.Operation
    var isTransfer = false
    switch NVMOpcode(rawValue: command.opcode) {
    case .read, .compare, .verify:
      operation = .read
      isTransfer = true
    case .write:
      operation = .write
      isTransfer = true
    case .writeZeroes, .datasetManagement: operation = .write
    default: operation = .other
    }
    var bytes: UInt64 = 0
    let place = Int(command.namespaceIdentifier) &- 1
    if isTransfer, namespaces.has(place) {
      // What is more than MDTS is refused, and costs no more than the largest that is not.
      bytes = min(UInt64(command.numberOfLogicalBlocks) &<< namespaces[place].blockShift, maximumTransfer)
    }
    return description.object.limiter.admit(operation, bytes: bytes, now: resources.rateClock.now)
  }
}
