import NVMeHost
import NVMeSpec

/// The host of `nvmed-bench drive`: one queue pair. One thread at a time.
struct DriveSession: ~Copyable {
  /// A command that was submitted.
  private struct Pending {
    let identifier: UInt16
    let command: DriveRequest.Command
    let data: HostBuffer?
  }

  private static let depth = 64

  private let controller: HostController
  private let memory: HostMemory
  private let nsid: UInt32
  private let blockByteCount: Int
  private let timeout: UInt64
  private var queue: HostQueue
  private var started: [Pending] = []

  init(socket: String, nsid: UInt32, timeout: UInt64) throws(HostError) {
    let memory = try HostMemory(byteCount: 32 << 20)
    let options = HostOptions(doorbells: .slots, vectors: 2)
    let controller = try HostController(path: socket, memory: memory, options: options)
    try controller.initialize(queues: 1)
    let namespace = try controller.namespace(nsid)
    let queue = try controller.createQueue(1, depth: Self.depth, vector: 1)
    self.memory = memory
    self.controller = controller
    blockByteCount = namespace.blockByteCount
    self.queue = queue
    self.nsid = nsid
    self.timeout = timeout
  }

  /// Goes.
  consuming func end() { controller.disconnect() }

  /// Does what is asked for.
  ///
  /// - Throws: where the controller does not answer, or the queue is full.
  mutating func answer(_ request: DriveRequest) throws(HostError) -> String {
    switch request {
    case .execute(let command):
      let pending = try submit(command)
      queue.timeout = timeout
      return try finish(pending)
    case .start(let command):
      started.append(try submit(command))
      return "started"
    case .wait(let seconds):
      queue.timeout = UInt64(seconds) * 1_000_000_000
      var answers: [String] = []
      while let pending = started.first {
        do throws(HostError) {
          answers.append(try finish(pending))
          started.removeFirst()
        } catch {
          guard case .timedOut = error else { throw error }
          answers.append("in flight")
          break
        }
      }
      return answers.isEmpty ? "nothing" : answers.joined(separator: ", ")
    case .errors: return try errors()
    case .log(let count): return try log(count)
    case .reset:
      try controller.disable()
      started = []
      try controller.initialize(queues: 1)
      queue = try controller.createQueue(1, depth: Self.depth, vector: 1)
      return "reset"
    }
  }

  private mutating func submit(_ command: DriveRequest.Command) throws(HostError) -> Pending {
    var entry: SubmissionQueueEntry
    var data: HostBuffer?
    switch command {
    case .read(let lba, let blocks):
      entry = .io(.read, nsid: nsid, slba: lba, blocks: blocks)
      data = try memory.allocate(blocks * blockByteCount)
      data?.fill(0xEE)
    case .write(let lba, let blocks, let version, let isForced):
      entry = .io(.write, nsid: nsid, slba: lba, blocks: blocks)
      entry.forceUnitAccess = isForced
      let buffer = try memory.allocate(blocks * blockByteCount)
      for index in 0..<blocks {
        DriveBlock.fill(
          buffer[index * blockByteCount..<(index + 1) * blockByteCount], lba: lba &+ UInt64(index), version: version)
      }
      data = buffer
    case .zero(let lba, let blocks): entry = .io(.writeZeroes, nsid: nsid, slba: lba, blocks: blocks)
    case .discard(let lba, let blocks):
      entry = .deallocate(nsid: nsid, ranges: 1)
      let buffer = try memory.allocate(DatasetManagementRange.byteCount)
      buffer.store(DatasetManagementRange(length: UInt32(clamping: blocks), slba: lba), at: 0)
      data = buffer
    case .flush: entry = .flush(nsid: nsid)
    }
    if let data {
      // The lists stay: a script is short.
      try PRPBuilder.pointer(to: [data]).apply(to: &entry)
    }
    guard let identifier = queue.submit(entry) else { throw .queueFull }
    queue.ring()
    return Pending(identifier: identifier, command: command, data: data)
  }

  private mutating func finish(_ pending: Pending) throws(HostError) -> String {
    let status = try queue.awaitCompletion(of: pending.identifier).status
    defer { if let data = pending.data { memory.free(data) } }
    var text = DriveSession.text(status)
    if case .read(let lba, _) = pending.command, let data = pending.data, status.isSuccess {
      text += " \(DriveBlock.summary(data, lba: lba, blockByteCount: blockByteCount))"
    }
    return text
  }

  /// A status as `TYPE/CODE`.
  private static func text(_ status: Status) -> String {
    let code = String(status.statusCode, radix: 16)
    return "\(status.statusCodeType.rawValue)/\(code.count < 2 ? "0" : "")\(code)\(status.doNotRetry ? " dnr" : "")"
  }

  private func errors() throws(HostError) -> String {
    let page = try controller.getLogPage(.smartHealthInformation, byteCount: SMARTHealthLog.byteCount)
    let smart = SMARTHealthLog(decoding: page) ?? SMARTHealthLog()
    return "entries \(smart.numberOfErrorInformationLogEntries) media \(smart.mediaAndDataIntegrityErrors)"
      + " warning \(smart.criticalWarning.rawValue)"
  }

  private func log(_ count: Int) throws(HostError) -> String {
    let entries = Int(controller.identity.errorLogPageEntries) + 1
    let page = try controller.getLogPage(
      .errorInformation, byteCount: entries * ErrorInformationLogEntry.byteCount, retainsEvent: true)
    let newest = ErrorInformationLogEntry.decode(page).prefix(count).filter { $0.errorCount > 0 }
    return newest.isEmpty
      ? "none"
      : newest.map { "\(DriveSession.text(Status(rawValue: $0.statusAndPhase >> 1))) at \($0.lba)" }
        .joined(separator: ", ")
  }
}
