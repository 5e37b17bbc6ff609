import NVMeSpec

/// Admin commands (NVMe base 2.0, 5), without their data pointers.
extension SubmissionQueueEntry {
  /// A command with nothing but an opcode.
  public static func admin(_ opcode: AdminOpcode, nsid: UInt32 = 0) -> Self {
    Self(cdw0: UInt32(opcode.rawValue), namespaceIdentifier: nsid)
  }

  /// Identify.
  public static func identify(cns: UInt8, nsid: UInt32 = 0, controller: UInt16 = 0, csi: UInt8 = 0) -> Self {
    var command = IdentifyCommand(.admin(.identify, nsid: nsid))
    command.cns = cns
    command.controllerIdentifier = controller
    command.commandSetIdentifier = csi
    return command.entry
  }

  /// Get Log Page; `byteCount` is a multiple of 4, not 0.
  public static func getLogPage(
    _ identifier: UInt8, byteCount: Int, offset: UInt64 = 0, nsid: UInt32 = NamespaceIdentifier.all,
    retainsEvent: Bool = false
  ) -> Self {
    var command = GetLogPageCommand(.admin(.getLogPage, nsid: nsid))
    command.logPageIdentifier = identifier
    command.numberOfDwords = UInt64(max(byteCount, 4)) / 4
    command.offset = offset
    command.retainAsynchronousEvent = retainsEvent
    return command.entry
  }

  /// Get Features.
  public static func getFeatures(_ identifier: UInt8, select: UInt8 = 0, nsid: UInt32 = 0) -> Self {
    var command = GetFeaturesCommand(.admin(.getFeatures, nsid: nsid))
    command.fid = identifier
    command.select = select
    return command.entry
  }

  /// Set Features.
  public static func setFeatures(
    _ identifier: UInt8, _ value: UInt32, cdw12: UInt32 = 0, save: Bool = false, nsid: UInt32 = 0
  ) -> Self {
    var command = SetFeaturesCommand(.admin(.setFeatures, nsid: nsid))
    command.fid = identifier
    command.cdw11 = value
    command.cdw12 = cdw12
    command.save = save
    return command.entry
  }

  /// Create I/O Completion Queue, physically contiguous; without interrupts where `vector` is nil.
  public static func createCompletionQueue(
    _ identifier: UInt16, size: Int, iova: UInt64, vector: UInt16? = nil
  ) -> Self {
    var command = CreateIOCompletionQueueCommand(.admin(.createIOCompletionQueue))
    command.queueIdentifier = identifier
    command.size = size
    command.physicallyContiguous = true
    command.interruptsEnabled = vector != nil
    command.interruptVector = vector ?? 0
    command.prp1 = iova
    return command.entry
  }

  /// Create I/O Submission Queue, physically contiguous, of medium priority as Linux makes them.
  public static func createSubmissionQueue(
    _ identifier: UInt16, size: Int, iova: UInt64, completionQueue: UInt16
  ) -> Self {
    var command = CreateIOSubmissionQueueCommand(.admin(.createIOSubmissionQueue))
    command.queueIdentifier = identifier
    command.size = size
    command.physicallyContiguous = true
    command.priority = 2
    command.completionQueueIdentifier = completionQueue
    command.prp1 = iova
    return command.entry
  }

  /// Delete I/O Submission Queue.
  public static func deleteSubmissionQueue(_ identifier: UInt16) -> Self {
    var command = DeleteIOQueueCommand(.admin(.deleteIOSubmissionQueue))
    command.queueIdentifier = identifier
    return command.entry
  }

  /// Delete I/O Completion Queue.
  public static func deleteCompletionQueue(_ identifier: UInt16) -> Self {
    var command = DeleteIOQueueCommand(.admin(.deleteIOCompletionQueue))
    command.queueIdentifier = identifier
    return command.entry
  }

  /// Abort.
  public static func abort(submissionQueue: UInt16, command identifier: UInt16) -> Self {
    var command = AbortCommand(.admin(.abort))
    command.sqid = submissionQueue
    command.cid = identifier
    return command.entry
  }

  /// Asynchronous Event Request.
  public static var asynchronousEventRequest: Self { .admin(.asynchronousEventRequest) }
}
