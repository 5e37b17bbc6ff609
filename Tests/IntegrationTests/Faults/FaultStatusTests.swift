import Glibc
import NVMeHost
import NVMeSpec
import Testing

/// What a host sees of each error of the storage: status, error log, SMART; and that it passes with its cause.
@Suite(.enabled(if: FUSEFile.isPossible, "mounting FUSE needs root")) struct FaultStatusTests {
  /// What is done to blocks 16 to 23.
  enum Action: CaseIterable {
    case read
    case compare
    case verify
    case write
    case forcedWrite
    case zero
    case deallocate

    /// What fails on the disk.
    var operation: Fault.Operation {
      switch self {
      case .read, .compare, .verify: .read
      case .write, .forcedWrite: .write
      case .zero, .deallocate: .allocate
      }
    }
  }

  /// What a class of errors becomes: of reads, of writes, of deallocation.
  struct Row: CustomTestStringConvertible {
    let errors: [Int32]
    let read: Status
    let write: Status
    let deallocate: Status

    var testDescription: String { errors.map { String(cString: strerror($0)) }.joined(separator: ", ") }

    func status(_ action: Action) -> Status {
      switch action {
      case .read, .compare, .verify: read
      case .write, .forcedWrite, .zero: write
      case .deallocate: deallocate
      }
    }
  }

  /// Internal Error that a repetition would not get past.
  private static let persistent = Status.internalError.notRetryable()

  static let rows = [
    Row(
      errors: [
        EIO, ENODATA, EILSEQ, EBADMSG, EREMOTEIO, ETIMEDOUT, ETIME, ENOLINK, ENXIO, ENODEV, ENOMEDIUM, EUCLEAN,
      ], read: .unrecoveredReadError, write: .writeFault, deallocate: .writeFault),
    Row(
      errors: [ENOSPC, EDQUOT, EFBIG], read: .internalError, write: .capacityExceeded, deallocate: .internalError),
    Row(
      errors: [EROFS, EPERM, EACCES], read: persistent, write: .namespaceWriteProtected,
      deallocate: .namespaceWriteProtected),
    Row(errors: [EFAULT], read: .dataTransferError, write: .dataTransferError, deallocate: .dataTransferError),
    Row(errors: [EBADE], read: .reservationConflict, write: .reservationConflict, deallocate: .reservationConflict),
    // Tried again, and given up at last.
    Row(errors: [ENOMEM, EAGAIN], read: .internalError, write: .internalError, deallocate: .internalError),
    Row(
      errors: [ESTALE, EBUSY, EHOSTDOWN], read: .internalError, write: .internalError, deallocate: .internalError),
  ]

  @Test(arguments: rows) func eachErrorHasItsStatusAndItsPlaceInTheLogs(_ row: Row) throws {
    let faulty = try FaultyController()
    var queue = try faulty.queue()
    try queue.writePattern(faulty.data, slba: 0, version: 1, blockByteCount: 512)
    var before = try Errors(faulty.host)
    #expect(before.entries.isEmpty)
    for error in row.errors {
      for action in Action.allCases {
        faulty.disk.inject(Fault(action.operation, range: 8192..<12288, .error(error)))
        let completion = try act(action, &queue, faulty)
        faulty.disk.repair()
        let expected = row.status(action)
        #expect(completion.status == expected, "\(action), errno \(error)")

        let errors = try Errors(faulty.host)
        let entry = try #require(errors.entries.first)
        #expect(entry.errorCount == before.smart.numberOfErrorInformationLogEntries.asUInt64 + 1)
        #expect(entry.submissionQueueIdentifier == 1)
        #expect(entry.commandIdentifier == completion.commandIdentifier)
        #expect(entry.statusAndPhase >> 1 == expected.rawValue, "\(action), errno \(error)")
        #expect(entry.lba == (action == .deallocate ? 0 : 16))
        #expect(entry.namespaceIdentifier == 1)
        #expect(errors.entries.count == min(before.entries.count + 1, 64))
        #expect(
          errors.smart.numberOfErrorInformationLogEntries == before.smart.numberOfErrorInformationLogEntries + 1)
        // Media errors are those alone.
        let isMedium = expected.statusCodeType == .mediaError
        #expect(
          errors.smart.mediaAndDataIntegrityErrors == before.smart.mediaAndDataIntegrityErrors + (isMedium ? 1 : 0),
          "\(action), errno \(error)")
        #expect(errors.smart.criticalWarning == [])
        before = errors
        // The fault is gone, and nothing was changed by what failed.
        try queue.readPattern(faulty.data, slba: 0, version: 1, blockByteCount: 512)
      }
    }
    // The same commands work, and what they do is durable.
    for action in Action.allCases {
      let status = try act(action, &queue, faulty).status
      #expect(status == .success || action == .compare && status == .compareFailure, "\(action): \(status)")
    }
    let flush = try queue.flush().status
    #expect(flush == .success)
    #expect(try Errors(faulty.host).entries.count <= 64)
    faulty.host.disconnect()
    try faulty.daemon.terminate()
  }

  private func act(_ action: Action, _ queue: inout HostQueue, _ faulty: FaultyController) throws
    -> CompletionQueueEntry
  {
    switch action {
    case .read: return try queue.read(slba: 16, blocks: 8, into: faulty.data)
    case .compare: return try queue.compare(slba: 16, blocks: 8, with: faulty.data)
    case .verify: return try queue.execute(.io(.verify, nsid: 1, slba: 16, blocks: 8))
    case .write: return try queue.write(slba: 16, blocks: 8, from: faulty.data)
    case .forcedWrite: return try queue.write(slba: 16, blocks: 8, from: faulty.data, forceUnitAccess: true)
    case .zero: return try queue.writeZeroes(slba: 16, blocks: 8, deallocate: true)
    case .deallocate: return try queue.deallocate([DatasetManagementRange(length: 8, slba: 16)])
    }
  }

  /// An error of some blocks is no error of others in the same batch.
  @Test func failsOnlyWhatTheFaultStrikes() throws {
    let faulty = try FaultyController()
    var queue = try faulty.queue()
    faulty.disk.inject(Fault(.read, .write, range: 64 * 512..<65 * 512, .error(EIO)))
    var identifiers: [UInt16: UInt64] = [:]
    for slba in stride(from: 0, to: 256, by: 8) as StrideTo<UInt64> {
      var entry = SubmissionQueueEntry.io(slba % 16 == 0 ? .read : .write, nsid: 1, slba: slba, blocks: 8)
      entry.prp1 = faulty.data.iova
      guard let identifier = queue.submit(entry) else { throw TestFailure("the queue is full") }
      identifiers[identifier] = slba
    }
    queue.ring()
    for _ in 0..<identifiers.count {
      let completion = try queue.awaitCompletion()
      let slba = try #require(identifiers[completion.commandIdentifier])
      #expect(completion.status == (slba == 64 ? .unrecoveredReadError : .success), "block \(slba)")
    }
    faulty.host.disconnect()
    try faulty.daemon.terminate()
  }

  /// A kernel without memory for the moment is asked again; the guest sees nothing of it.
  @Test(arguments: [EAGAIN, ENOMEM, EINTR]) func triesAgainWhatFailsForTheMoment(_ error: Int32) throws {
    let faulty = try FaultyController()
    var queue = try faulty.queue()
    faulty.disk.inject(Fault(.write, count: 3, .error(error)))
    try queue.writePattern(faulty.data, slba: 0, version: 7, blockByteCount: 512)
    faulty.disk.inject(Fault(.read, count: 3, .error(error)))
    try queue.readPattern(faulty.data, slba: 0, version: 7, blockByteCount: 512)
    #expect(faulty.disk.count(.write) == 4)
    #expect(faulty.disk.count(.read) >= 4)
    let errors = try Errors(faulty.host)
    #expect(errors.entries.isEmpty)
    #expect(errors.smart.mediaAndDataIntegrityErrors == 0)
    faulty.host.disconnect()
    try faulty.daemon.terminate()
  }

  /// Faults by chance under load: whatever a completion says is true of the disk.
  @Test func losesNothingThatItAcknowledgesUnderRandomFaults() throws {
    let faulty = try FaultyController()
    var queue = try faulty.queue()
    let block = try faulty.host.memory.allocate(4096)
    for (error, perMille) in [(EIO, 150), (ENOSPC, 100), (EAGAIN, 200)] {
      faulty.disk.inject(Fault(.read, .write, perMille: perMille, .error(error)))
    }
    // Of each place the version that was acknowledged last, or none where a write failed since: unknown.
    var versions = [UInt64?](repeating: 0, count: 64)
    var random = XorShift(seed: 11)
    var failures = 0
    for version in 1...1500 as ClosedRange<UInt64> {
      let place = Int.random(in: 0..<versions.count, using: &random)
      let slba = UInt64(place * 8)
      if Bool.random(using: &random) {
        BlockPattern.fill(block, slba: slba, version: version, blockByteCount: 512)
        let status = try queue.write(slba: slba, blocks: 8, from: block).status
        versions[place] = status.isSuccess ? version : nil
        failures += status.isSuccess ? 0 : 1
      } else if let expected = versions[place] {
        block.fill(0xEE)
        let status = try queue.read(slba: slba, blocks: 8, into: block).status
        failures += status.isSuccess ? 0 : 1
        guard status.isSuccess else { continue }
        let difference = BlockPattern.firstDifference(block, slba: slba, version: expected, blockByteCount: 512)
        #expect(difference == nil, "version \(version)")
      }
    }
    #expect(failures > 100)
    faulty.disk.repair()
    for (place, version) in versions.enumerated() {
      guard let version else { continue }
      let slba = UInt64(place * 8)
      try queue.readPattern(block, slba: slba, version: version, blockByteCount: 512)
    }
    #expect(try Errors(faulty.host).smart.numberOfErrorInformationLogEntries == UInt128(failures))
    faulty.host.disconnect()
    try faulty.daemon.terminate()
  }
}

extension UInt128 {
  fileprivate var asUInt64: UInt64 { UInt64(truncatingIfNeeded: self) }
}
