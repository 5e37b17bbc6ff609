import NVMeSpec

/// Commands as a host's driver builds them.
extension SubmissionQueueEntry {
  init(opcode: UInt8, nsid: UInt32 = 0) {
    self.init()
    self.opcode = opcode
    namespaceIdentifier = nsid
  }

  init(_ opcode: AdminOpcode, nsid: UInt32 = 0) { self.init(opcode: opcode.rawValue, nsid: nsid) }

  init(_ opcode: NVMOpcode, nsid: UInt32 = 1) { self.init(opcode: opcode.rawValue, nsid: nsid) }

  /// The same command with something else in it.
  func with(_ change: (inout SubmissionQueueEntry) -> Void) -> SubmissionQueueEntry {
    var copy = self
    change(&copy)
    return copy
  }

  // MARK: Queues

  static func createCompletionQueue(
    _ identifier: UInt16, size: Int, at iova: UInt64, vector: UInt16? = nil
  ) -> SubmissionQueueEntry {
    var command = CreateIOCompletionQueueCommand(SubmissionQueueEntry(.createIOCompletionQueue))
    command.queueIdentifier = identifier
    command.size = size
    command.physicallyContiguous = true
    command.interruptsEnabled = vector != nil
    command.interruptVector = vector ?? 0
    command.entry.prp1 = iova
    return command.entry
  }

  static func createSubmissionQueue(
    _ identifier: UInt16, size: Int, at iova: UInt64, completionQueue: UInt16
  ) -> SubmissionQueueEntry {
    var command = CreateIOSubmissionQueueCommand(SubmissionQueueEntry(.createIOSubmissionQueue))
    command.queueIdentifier = identifier
    command.size = size
    command.physicallyContiguous = true
    command.completionQueueIdentifier = completionQueue
    command.entry.prp1 = iova
    return command.entry
  }

  static func deleteSubmissionQueue(_ identifier: UInt16) -> SubmissionQueueEntry {
    SubmissionQueueEntry(.deleteIOSubmissionQueue).with { $0.cdw10 = UInt32(identifier) }
  }

  static func deleteCompletionQueue(_ identifier: UInt16) -> SubmissionQueueEntry {
    SubmissionQueueEntry(.deleteIOCompletionQueue).with { $0.cdw10 = UInt32(identifier) }
  }

  // MARK: Admin

  static func identify(
    _ cns: UInt8, nsid: UInt32 = 0, commandSet: UInt8 = 0, to prp1: UInt64, _ prp2: UInt64 = 0
  ) -> SubmissionQueueEntry {
    var command = IdentifyCommand(SubmissionQueueEntry(.identify, nsid: nsid))
    command.cns = cns
    command.commandSetIdentifier = commandSet
    command.entry.prp1 = prp1
    command.entry.prp2 = prp2
    return command.entry
  }

  static func getLogPage(
    _ identifier: UInt8, nsid: UInt32 = UInt32.max, bytes: Int, offset: UInt64 = 0, retain: Bool = false,
    to prp1: UInt64, _ prp2: UInt64 = 0
  ) -> SubmissionQueueEntry {
    var command = GetLogPageCommand(SubmissionQueueEntry(.getLogPage, nsid: nsid))
    command.logPageIdentifier = identifier
    command.numberOfDwords = UInt64(bytes / 4)
    command.offset = offset
    command.retainAsynchronousEvent = retain
    command.entry.prp1 = prp1
    command.entry.prp2 = prp2
    return command.entry
  }

  static func getFeatures(
    _ identifier: UInt8, select: UInt8 = 0, nsid: UInt32 = 0, cdw11: UInt32 = 0, to prp1: UInt64 = 0
  ) -> SubmissionQueueEntry {
    var command = GetFeaturesCommand(SubmissionQueueEntry(.getFeatures, nsid: nsid))
    command.fid = identifier
    command.select = select
    command.cdw11 = cdw11
    command.entry.prp1 = prp1
    return command.entry
  }

  static func setFeatures(
    _ identifier: UInt8, _ cdw11: UInt32, save: Bool = false, nsid: UInt32 = 0, from prp1: UInt64 = 0
  ) -> SubmissionQueueEntry {
    var command = SetFeaturesCommand(SubmissionQueueEntry(.setFeatures, nsid: nsid))
    command.fid = identifier
    command.save = save
    command.cdw11 = cdw11
    command.entry.prp1 = prp1
    return command.entry
  }

  static func abort(_ command: UInt16, queue: UInt16) -> SubmissionQueueEntry {
    SubmissionQueueEntry(.abort).with { $0.cdw10 = UInt32(queue) | UInt32(command) << 16 }
  }

  static var asynchronousEventRequest: SubmissionQueueEntry { SubmissionQueueEntry(.asynchronousEventRequest) }

  // MARK: I/O

  /// Read, Write, Compare, Verify or Write Zeroes.
  static func transfer(
    _ opcode: NVMOpcode, nsid: UInt32 = 1, slba: UInt64, blocks: Int, _ prp1: UInt64 = 0, _ prp2: UInt64 = 0
  ) -> SubmissionQueueEntry {
    var command = SubmissionQueueEntry(opcode, nsid: nsid)
    command.slba = slba
    command.numberOfLogicalBlocks = UInt32(blocks)
    command.prp1 = prp1
    command.prp2 = prp2
    return command
  }

  /// The same with an SGL.
  static func transfer(
    _ opcode: NVMOpcode, nsid: UInt32 = 1, slba: UInt64, blocks: Int, sgl: SGLDescriptor
  ) -> SubmissionQueueEntry {
    var command = transfer(opcode, nsid: nsid, slba: slba, blocks: blocks)
    command.dataTransferType = 1
    command.sgl = sgl
    return command
  }

  static func flush(nsid: UInt32 = 1) -> SubmissionQueueEntry { SubmissionQueueEntry(.flush, nsid: nsid) }

  static func writeZeroes(
    nsid: UInt32 = 1, slba: UInt64, blocks: Int, deallocate: Bool = false
  ) -> SubmissionQueueEntry {
    transfer(.writeZeroes, nsid: nsid, slba: slba, blocks: blocks).with { $0.deallocate = deallocate }
  }

  static func datasetManagement(
    nsid: UInt32 = 1, ranges: Int, deallocate: Bool = true, _ prp1: UInt64, _ prp2: UInt64 = 0
  ) -> SubmissionQueueEntry {
    var command = DatasetManagementCommand(SubmissionQueueEntry(.datasetManagement, nsid: nsid))
    command.numberOfRanges = ranges
    command.deallocate = deallocate
    command.entry.prp1 = prp1
    command.entry.prp2 = prp2
    return command.entry
  }
}

extension GuestRAM {
  /// PRP1 and PRP2 for a buffer, with lists in fresh pages.
  ///
  /// - Parameter listOffset: where in its page the first list begins.
  func prps(for iova: UInt64, count: Int, listOffset: Int = 0) -> (prp1: UInt64, prp2: UInt64) {
    let first = GuestRAM.pageSize - Int(iova % 4096)
    guard count > first else { return (iova, 0) }
    var pages: [UInt64] = []
    var next = iova + UInt64(first)
    while next < iova + UInt64(count) {
      pages.append(next)
      next += 4096
    }
    if pages.count == 1 { return (iova, pages[0]) }
    let start = allocate() + UInt64(listOffset)
    var list = start
    while !pages.isEmpty {
      let slots = (4096 - Int(list % 4096)) / 8
      guard pages.count > slots else {
        write(pages, at: list)
        break
      }
      let chained = allocate()
      write(Array(pages.prefix(slots - 1)) + [chained], at: list)
      pages.removeFirst(slots - 1)
      list = chained
    }
    return (iova, start)
  }

  /// Writes SGL descriptors; where they are.
  func descriptors(_ descriptors: [SGLDescriptor], at iova: UInt64? = nil) -> UInt64 {
    let address = iova ?? allocate()
    write(descriptors.flatMap { [$0.address, $0.word1] }, at: address)
    return address
  }
}
