import LinuxIO
import NVMeController
import NVMeSpec
import Storage
import Testing

/// Creation and deletion of I/O queues: `Controller+Queues.swift`.
@Suite struct ControllerQueuesTests {
  /// A command, and what becomes of it in a controller of 4 queues, 256 entries and 5 vectors, where queue pair 1
  /// exists.
  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let command: SubmissionQueueEntry
    let status: Status

    init(_ name: String, _ command: SubmissionQueueEntry, _ status: Status) {
      testDescription = name
      self.command = command
      self.status = status
    }
  }

  /// Memory that the host does not use itself.
  private static let free: UInt64 = 0x1_0070_0000
  private static let lastPage: UInt64 = 0x1_007f_f000

  private static func host() throws -> Host {
    let host = try Host([try .memory()]) {
      $0.queueCount = 4
      $0.vectorCount = 5
    }
    try host.createQueuePair()
    return host
  }

  // MARK: Create I/O Completion Queue

  private static func completion(
    _ identifier: UInt16 = 2, size: Int = 64, at iova: UInt64 = free, vector: UInt16? = 1,
    _ change: (inout SubmissionQueueEntry) -> Void = { _ in }
  ) -> SubmissionQueueEntry {
    .createCompletionQueue(identifier, size: size, at: iova, vector: vector).with(change)
  }

  static let completionCases: [Case] = [
    Case("identifier 0", completion(0), .invalidQueueIdentifier),
    Case("identifier in use", completion(1), .invalidQueueIdentifier),
    Case("identifier 4 of 4", completion(4), .success),
    Case("identifier 5 of 4", completion(5), .invalidQueueIdentifier),
    Case("identifier FFFFh", completion(0xffff), .invalidQueueIdentifier),
    Case("1 entry", completion(size: 1), .invalidQueueSize),
    Case("2 entries", completion(size: 2), .success),
    Case("256 entries", completion(size: 256), .success),
    Case("257 entries", completion(size: 257), .invalidQueueSize),
    Case("65,536 entries", completion(size: 65_536), .invalidQueueSize),
    Case("misaligned by 4", completion(at: free + 4), .invalidPRPOffset),
    Case("misaligned by 2048", completion(at: free + 2048), .invalidPRPOffset),
    Case("not contiguous", completion { $0.cdw11 &= ~1 }, .invalidField),
    Case("the last vector", completion(vector: 4), .success),
    Case("vector 5 of 5", completion(vector: 5), .invalidInterruptVector),
    Case("vector FFFFh", completion(vector: 0xffff), .invalidInterruptVector),
    Case("no interrupts, whatever the vector", completion(vector: nil) { $0.cdw11 |= 0xffff_0000 }, .success),
    Case("not mapped", completion(at: 0x1000), .dataTransferError),
    Case("at the end of the address space", completion(at: 0xffff_ffff_ffff_f000), .dataTransferError),
    Case(
      "beyond the end of the address space",
      completion(size: 256, at: 0xffff_ffff_ffff_f000) { $0.cdw10 |= 0xff << 16 },
      .dataTransferError),
    Case("the last page of memory", completion(size: 256, at: lastPage), .success),
    Case("behind the last page of memory", completion(size: 256, at: lastPage + 4096), .dataTransferError),
  ]

  @Test(arguments: completionCases) func createCompletionQueue(_ test: Case) throws {
    let host = try ControllerQueuesTests.host()
    #expect(try host.admin(test.command).status == test.status)
    // What was not created is not there.
    let identifier = UInt16(truncatingIfNeeded: test.command.cdw10)
    guard identifier != 1 else { return }
    let deletion = try host.admin(.deleteCompletionQueue(identifier))
    #expect(deletion.status == (test.status == .success ? .success : .invalidQueueIdentifier))
  }

  @Test(arguments: [0, 3, 5]) func completionEntrySize(_ size: UInt8) throws {
    let host = try Host()
    var configuration = Host.enabled
    configuration.ioCompletionQueueEntrySize = size
    host.configure(configuration)
    #expect(try host.admin(ControllerQueuesTests.completion()).status == .invalidQueueSize)
    // Entry sizes may be set up to the first creation.
    host.configure(Host.enabled)
    #expect(try host.admin(ControllerQueuesTests.completion()).status == .success)
  }

  @Test func completionQueueInReadOnlyMemory() throws {
    let host = try Host()
    let other = try GuestRAM(base: 0x2_0000_0000, megabytes: 1)
    let view = try other.view()
    try host.map([view.region(pages: 0..<256, access: .read)])
    #expect(try host.admin(ControllerQueuesTests.completion(at: other.base)).status == .dataTransferError)
    try host.createCompletionQueue(1)
    let submission = SubmissionQueueEntry.createSubmissionQueue(1, size: 64, at: other.base, completionQueue: 1)
    #expect(try host.admin(submission).status == .success, "a submission queue is only read")
    try host.unmap(view.region(pages: 0..<256))
  }

  @Test func submissionQueueInWriteOnlyMemory() throws {
    let host = try Host()
    try host.createCompletionQueue(1)
    let other = try GuestRAM(base: 0x2_0000_0000, megabytes: 1)
    let view = try other.view()
    try host.map([view.region(pages: 0..<256, access: .write)])
    let command = SubmissionQueueEntry.createSubmissionQueue(1, size: 64, at: other.base, completionQueue: 1)
    #expect(try host.admin(command).status == .dataTransferError)
    try host.unmap(view.region(pages: 0..<256))
  }

  // MARK: Create I/O Submission Queue

  private static func submission(
    _ identifier: UInt16 = 2, size: Int = 64, at iova: UInt64 = free, completionQueue: UInt16 = 1,
    _ change: (inout SubmissionQueueEntry) -> Void = { _ in }
  ) -> SubmissionQueueEntry {
    .createSubmissionQueue(identifier, size: size, at: iova, completionQueue: completionQueue).with(change)
  }

  static let submissionCases: [Case] = [
    Case("identifier 0", submission(0), .invalidQueueIdentifier),
    Case("identifier in use", submission(1), .invalidQueueIdentifier),
    Case("identifier 4 of 4", submission(4), .success),
    Case("identifier 5 of 4", submission(5), .invalidQueueIdentifier),
    Case("identifier FFFFh", submission(0xffff), .invalidQueueIdentifier),
    Case("completion queue 0", submission(completionQueue: 0), .completionQueueInvalid),
    Case("completion queue that does not exist", submission(completionQueue: 3), .completionQueueInvalid),
    Case("completion queue 5 of 4", submission(completionQueue: 5), .invalidQueueIdentifier),
    Case("completion queue FFFFh", submission(completionQueue: 0xffff), .invalidQueueIdentifier),
    Case("1 entry", submission(size: 1), .invalidQueueSize),
    Case("2 entries", submission(size: 2), .success),
    Case("256 entries", submission(size: 256), .success),
    Case("257 entries", submission(size: 257), .invalidQueueSize),
    Case("65,536 entries", submission(size: 65_536), .invalidQueueSize),
    Case("misaligned by 8", submission(at: free + 8), .invalidPRPOffset),
    Case("not contiguous", submission { $0.cdw11 &= ~1 }, .invalidField),
    Case("priority is for weighted round robin alone", submission { $0.cdw11 |= 3 << 1 }, .success),
    Case("not mapped", submission(at: 0x1000), .dataTransferError),
    Case("at the end of the address space", submission(at: 0xffff_ffff_ffff_f000), .dataTransferError),
    Case(
      "beyond the end of the address space", submission(size: 256, at: 0xffff_ffff_ffff_f000), .dataTransferError),
    Case("the last page of memory", submission(size: 64, at: lastPage), .success),
    Case("half outside memory", submission(size: 65, at: lastPage), .dataTransferError),
  ]

  @Test(arguments: submissionCases) func createSubmissionQueue(_ test: Case) throws {
    let host = try ControllerQueuesTests.host()
    #expect(try host.admin(test.command).status == test.status)
    let identifier = UInt16(truncatingIfNeeded: test.command.cdw10)
    guard identifier != 1 else { return }
    let deletion = try host.admin(.deleteSubmissionQueue(identifier))
    #expect(deletion.status == (test.status == .success ? .success : .invalidQueueIdentifier))
  }

  @Test(arguments: [0, 5, 7]) func submissionEntrySize(_ size: UInt8) throws {
    let host = try ControllerQueuesTests.host()
    var configuration = Host.enabled
    configuration.ioSubmissionQueueEntrySize = size
    host.configure(configuration)
    #expect(try host.admin(ControllerQueuesTests.submission()).status == .invalidQueueSize)
  }

  /// The host may use what it was granted, and no more.
  @Test func queuesBeyondTheGranted() throws {
    let host = try Host { $0.queueCount = 4 }
    let granted = try host.admin(.setFeatures(FeatureIdentifier.numberOfQueues.rawValue, 0x0001_0001))
    #expect(granted.status == .success && granted.dw0 == 0x0001_0001)
    try host.createQueuePair(1)
    try host.createQueuePair(2)
    #expect(try host.admin(ControllerQueuesTests.completion(3)).status == .invalidQueueIdentifier)
    #expect(try host.admin(ControllerQueuesTests.submission(3)).status == .invalidQueueIdentifier)
    // After a reset all may be used again.
    try host.disable()
    try host.enable()
    try host.createQueuePair(4)
  }

  // MARK: Deletion

  static let deletionCases: [Case] = [
    Case("submission queue 0", .deleteSubmissionQueue(0), .invalidQueueIdentifier),
    Case("submission queue that does not exist", .deleteSubmissionQueue(2), .invalidQueueIdentifier),
    Case("submission queue 5 of 4", .deleteSubmissionQueue(5), .invalidQueueIdentifier),
    Case("submission queue FFFFh", .deleteSubmissionQueue(0xffff), .invalidQueueIdentifier),
    Case("submission queue", .deleteSubmissionQueue(1), .success),
    Case("completion queue 0", .deleteCompletionQueue(0), .invalidQueueIdentifier),
    Case("completion queue that does not exist", .deleteCompletionQueue(2), .invalidQueueIdentifier),
    Case("completion queue 5 of 4", .deleteCompletionQueue(5), .invalidQueueIdentifier),
    Case("completion queue FFFFh", .deleteCompletionQueue(0xffff), .invalidQueueIdentifier),
    Case("completion queue that a submission queue feeds", .deleteCompletionQueue(1), .invalidQueueDeletion),
  ]

  @Test(arguments: deletionCases) func delete(_ test: Case) throws {
    let host = try ControllerQueuesTests.host()
    #expect(try host.admin(test.command).status == test.status)
  }

  @Test func queuesInTurn() throws {
    let host = try ControllerQueuesTests.host()
    #expect(try host.io(.flush()).status == .success)
    #expect(try host.admin(.deleteSubmissionQueue(1)).status == .success)
    #expect(try host.admin(.deleteSubmissionQueue(1)).status == .invalidQueueIdentifier)
    #expect(try host.admin(.deleteCompletionQueue(1)).status == .success)
    #expect(try host.admin(.deleteCompletionQueue(1)).status == .invalidQueueIdentifier)
    try host.createQueuePair()
    #expect(try host.io(.flush()).status == .success)
  }

  /// The deletion completes after the last command of the queue; everything else goes on meanwhile.
  @Test func deletionWaitsForCommandsInFlight() throws {
    let gate = try Gate()
    let image = try TestImage(size: 1 << 20)
    let host = try Host([Namespace(try image.backend(gate: gate)), try .memory()], gates: [gate])
    let queue = try host.createQueuePair()
    try host.createQueuePair(2)
    let slow = host.submit(.writeZeroes(slba: 0, blocks: 8), on: queue)
    try host.wait("the command to begin", also: gate.arrival.rawValue) { !gate.calls.isEmpty }
    let deletion = host.submit(.deleteSubmissionQueue(1), on: host.adminSubmission)
    try host.settle()
    // Not fetched any more.
    host.submit(.flush(nsid: 2), on: queue)
    try host.settle()
    #expect(host.adminCompletion.entries.isEmpty && host.completions[1]?.entries.isEmpty == true)
    #expect(try host.admin(.identify(1, to: host.ram.allocate())).status == .success)
    #expect(try host.io(.flush(nsid: 2), queue: 2).status == .success)
    #expect(try host.admin(.deleteSubmissionQueue(1)).status == .invalidQueueIdentifier)
    #expect(try host.admin(.deleteCompletionQueue(1)).status == .invalidQueueDeletion)
    #expect(
      try host.admin(ControllerQueuesTests.submission(1)).status == .invalidQueueIdentifier, "it still exists")
    gate.open()
    #expect(try host.completion(of: deletion, on: host.adminSubmission).status == .success)
    try host.settle()
    let entries = try #require(host.completions[1]).takeAll()
    #expect(entries.map(\.commandIdentifier) == [slow] && entries.first?.status == .success)
    #expect(try host.admin(.deleteCompletionQueue(1)).status == .success)
  }

  /// Commands that wait for a bounce buffer are aborted, those with the kernel complete; none is lost.
  @Test func deletionWithCommandsThatWait() throws {
    let image = try TestImage(size: 4 << 20)
    let host = try Host([Namespace(try image.backend())])
    let queue = try host.createQueuePair(size: 256)
    let data = host.ram.allocate(pages: 2)
    let commands = (0..<200).map {
      SubmissionQueueEntry.transfer(.read, slba: UInt64($0), blocks: 8, data + 4, data + 4096)
    }
    let identifiers = host.submit(commands, on: queue)
    #expect(try host.admin(.deleteSubmissionQueue(1)).status == .success)
    let entries = try #require(host.completions[1]).takeAll()
    // Those behind the first turn may not have been fetched; of the fetched ones none is missing.
    #expect(entries.map(\.commandIdentifier).sorted() == Array(identifiers.prefix(entries.count)))
    for entry in entries { #expect(entry.status == .success || entry.status == .abortedSQDeletion) }
    try host.settle()
    #expect(host.completions[1]?.entries.isEmpty == true, "nothing comes after the deletion")
  }

  @Test func resetWhileDeleting() throws {
    let gate = try Gate()
    let image = try TestImage(size: 1 << 20)
    let host = try Host([Namespace(try image.backend(gate: gate))], gates: [gate])
    let queue = try host.createQueuePair()
    host.submit(.writeZeroes(slba: 0, blocks: 8), on: queue)
    try host.wait("the command to begin", also: gate.arrival.rawValue) { !gate.calls.isEmpty }
    host.submit(.deleteSubmissionQueue(1), on: host.adminSubmission)
    host.configure(ControllerConfiguration())
    gate.open()
    try host.wait("CSTS.RDY 0") { !host.status.ready }
    host.forgetQueues()
    try host.enable()
    try host.settle()
    #expect(host.adminCompletion.entries.isEmpty, "the deletion belongs to another life")
    try host.createQueuePair()
    #expect(try host.io(.flush()).status == .success)
  }
}
