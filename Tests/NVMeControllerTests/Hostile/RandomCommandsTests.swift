import NVMeController
import NVMeSpec
import Storage
import Testing

/// Commands at random through the whole controller: each completes once, with the status that the standard names where
/// its fields decide that, and nothing outside of the mapped memory is read or written.
@Suite struct RandomCommandsTests {
  /// A run that can be repeated.
  struct Run: Sendable, CustomTestStringConvertible {
    let kind: Medium.Kind
    let seed: UInt64
    let commands: Int
    let path: Host.DoorbellPath

    var testDescription: String { "\(commands) commands, seed \(String(seed, radix: 16))h, \(kind), \(path)" }
  }

  private static let maximumTransfer = 256 << 10
  private static let blocks = 8192

  /// 1: of 512 bytes on the medium; 2: of 4,096 bytes in memory; 3: in memory, read-only; the other five are inactive.
  private static func host(
    _ kind: Medium.Kind, _ memory: HostileMemory, _ path: Host.DoorbellPath
  ) throws -> (host: Host, image: TestImage?) {
    var options = IOThreads.Options()
    options.maximumTransfer = maximumTransfer
    let (namespace, image) = try Medium(kind: kind, blockSize: .bytes512).namespace(blocks: blocks)
    let host = try Host(
      [namespace, try .memory(1 << 20, .bytes4096), try .memory(isReadOnly: true)],
      threads: try IOThreads(options), path: path, ram: memory.ram
    ) { $0.maximumTransfer = maximumTransfer }
    return (host, image)
  }

  private static let limits = HostileCommands.Limits(
    namespaces: [(9, UInt64(blocks), false), (12, 256, false), (9, 2048, true), nil, nil, nil, nil, nil],
    maximumTransfer: UInt64(maximumTransfer))

  /// The controller works: Identify, and a write that can be read again. Its images hold nothing that was not to be read.
  private static func expectAlive(_ host: Host, _ comment: Comment) throws {
    let data = host.ram.allocate()
    #expect(try host.admin(.identify(IdentifyCNS.controller.rawValue, to: data)).status == .success, comment)
    #expect(host.ram.bytes(data + 4, 5) == Array("TEST1".utf8), comment)
    if host.submissions[1] == nil { try host.createQueuePair(1) }
    host.ram.fill(data, 4096, 0x5a)
    #expect(try host.io(.transfer(.write, slba: 0, blocks: 8, data)).status == .success, comment)
    host.ram.fill(data, 4096, 0)
    #expect(try host.io(.transfer(.read, slba: 0, blocks: 8, data)).status == .success, comment)
    #expect(host.ram.isFilled(data, 4096, 0x5a), comment)
    for (nsid, blocks, step) in [(1, UInt64(RandomCommandsTests.blocks), 8), (2, 256, 1)] as [(UInt32, UInt64, UInt64)]
    {
      for slba in stride(from: 0, to: blocks, by: Int(step)) {
        let status = try host.io(.transfer(.read, nsid: nsid, slba: slba, blocks: Int(step), data)).status
        guard status == .success, !HostileMemory.hasCanary(host.ram.bytes(data, 4096)) else {
          Issue.record("namespace \(nsid), block \(slba): \(status), or data that may not be read; \(comment)")
          return
        }
      }
    }
  }

  @Test(
    arguments: [
      Run(kind: .memory, seed: 0x5eed_0001, commands: 40_000, path: .slots),
      Run(kind: .memory, seed: 0x5eed_0002, commands: 40_000, path: .socket),
      Run(kind: .file, seed: 0x5eed_0003, commands: 10_000, path: .slots),
    ]) func ioCommands(_ run: Run) throws
  {
    let comment = Comment(rawValue: run.testDescription)
    let memory = try HostileMemory()
    let (host, image) = try RandomCommandsTests.host(run.kind, memory, run.path)
    defer { withExtendedLifetime(image) {} }
    // The second completion queue is full most of the time.
    let queues = [try host.createQueuePair(1), try host.createQueuePair(2, size: 32, completionSize: 4)]
    var commands = HostileCommands(
      memory: memory, limits: RandomCommandsTests.limits, random: SeededGenerator(seed: run.seed))
    var sent = 0
    var succeeded = 0
    while sent < run.commands {
      if sent % 20 == 0 { memory.writeLists(&commands.random) }
      var pending: [[UInt16: SubmissionQueueEntry]] = []
      for queue in queues {
        let count = min(Int.random(in: 1...queue.room, using: &commands.random), run.commands - sent)
        let batch = (0..<count).map { _ in commands.io() }
        pending.append(Dictionary(uniqueKeysWithValues: zip(host.submit(batch, on: queue), batch)))
        sent += count
      }
      let counts = pending.map(\.count)
      try host.wait("all completions; \(comment), command \(sent)") {
        zip(queues, counts).allSatisfy { (host.completions[$0.identifier]?.entries.count ?? 0) >= $1 }
      }
      for (queue, batch) in zip(queues, pending) {
        var batch = batch
        for entry in host.completions[queue.identifier]?.takeAll() ?? [] {
          guard entry.sqIdentifier == queue.identifier,
            let command = batch.removeValue(forKey: entry.commandIdentifier)
          else {
            Issue.record("\(entry) is of no command in flight; \(comment), command \(sent)")
            return
          }
          if entry.status.isSuccess { succeeded += 1 }
          let expected = commands.status(of: command)
          if expected.map({ $0 != entry.status }) ?? !RandomCommandsTests.isSensible(entry.status) {
            Issue.record("\(command): \(entry.status), not \(expected as Any); \(comment), command \(sent)")
          }
        }
      }
    }
    // Nothing is left to come, and enough of it was not refused.
    try host.settle()
    for queue in queues { #expect(host.completions[queue.identifier]?.entries.isEmpty == true, comment) }
    #expect(succeeded > run.commands / 4 && succeeded < run.commands * 3 / 4, "\(succeeded) succeeded; \(comment)")
    try RandomCommandsTests.expectAlive(host, comment)
    memory.expectIntact(comment)
  }

  /// Whether a status can be that of a command whose data pointer decides.
  private static func isSensible(_ status: Status) -> Bool {
    let sensible: [Status] = [
      .success, .invalidOpcode, .invalidField, .dataTransferError, .invalidPRPOffset, .compareFailure, .lbaOutOfRange,
      .sglDescriptorTypeInvalid, .invalidSGLSegmentDescriptor, .invalidNumberOfSGLDescriptors, .dataSGLLengthInvalid,
    ]
    return sensible.contains(status)
  }

  /// Queues come and go anywhere in the data, doorbells are rung for those that are there and those that are not.
  @Test(arguments: [0x5eed_0004, 0x5eed_0005] as [UInt64]) func adminCommands(seed: UInt64) throws {
    let comment: Comment = "10000 admin commands, seed \(String(seed, radix: 16))h"
    let memory = try HostileMemory()
    let (host, _) = try RandomCommandsTests.host(.memory, memory, .socket)
    var commands = HostileCommands(
      memory: memory, limits: RandomCommandsTests.limits, random: SeededGenerator(seed: seed))
    var pending: [UInt16: SubmissionQueueEntry] = [:]
    var sent = 0
    var succeeded = 0
    while sent < 10_000 {
      if sent % 20 == 0 { memory.writeLists(&commands.random) }
      // Requests for events take no place in the completion queue until there is one: the last command is another, so
      // that its completion tells how far the queue was read.
      let batch = (0..<Int.random(in: 1..<host.adminSubmission.room, using: &commands.random)).map { _ in
        commands.admin()
      }
      for command in batch + [.getFeatures(FeatureIdentifier.arbitration.rawValue)] {
        pending[host.adminSubmission.put(command)] = command
      }
      sent += batch.count + 1
      host.ring(host.adminSubmission)
      for _ in 0..<4 {
        let queue = UInt16.random(in: 0...9, using: &commands.random)
        let value = UInt32.random(in: 0...300, using: &commands.random)
        if queue > 0, Bool.random(using: &commands.random) {
          host.ring(submissionQueue: queue, tail: value)
        } else if queue > 0 {
          host.ring(completionQueue: queue, head: value)
        }
      }
      var isWrong = false
      try host.wait("all completions; \(comment), command \(sent)") {
        for entry in host.adminCompletion.takeAll() where !isWrong {
          guard entry.sqIdentifier == 0, let command = pending.removeValue(forKey: entry.commandIdentifier) else {
            Issue.record("\(entry) is of no command in flight; \(comment), command \(sent)")
            isWrong = true
            continue
          }
          if entry.status.isSuccess { succeeded += 1 }
          let isKnown = AdminOpcode(rawValue: command.opcode) != nil
          if !isKnown, entry.status != .invalidOpcode {
            Issue.record("\(command): \(entry.status); \(comment), command \(sent)")
          }
        }
        return isWrong || pending.values.allSatisfy { $0.opcode == AdminOpcode.asynchronousEventRequest.rawValue }
      }
      if isWrong { return }
      #expect(pending.count <= 4, "more requests for events than the controller takes; \(comment)")
    }
    #expect(succeeded > sent / 8, comment)
    // What still waits is aborted, once.
    for request in pending.keys {
      _ = try host.admin(.abort(request, queue: 0))
      let entry = try host.completion(of: request, on: host.adminSubmission)
      #expect(entry.status == .abortRequested || entry.status == .success, comment)
    }
    #expect(!host.status.controllerFatalStatus, comment)
    try host.settle()
    #expect(host.adminCompletion.entries.isEmpty, comment)
    try host.disable()
    try host.enable()
    try RandomCommandsTests.expectAlive(host, comment)
    memory.expectIntact(comment)
  }
}
