import LinuxIO
import NVMeHost
import NVMeSpec

/// Keeps queues full of commands, whatever becomes of them. One thread at a time.
struct QueueFlood: ~Copyable {
  private var queues: FixedTable<HostQueue?>
  private let vector: InterruptVector
  private let commands: [SubmissionQueueEntry]
  private var next = 0
  /// Commands that failed.
  private(set) var failureCount: UInt64 = 0

  /// Makes so many queues, with interrupt vector 1.
  ///
  /// - Parameter commands: what is sent, in turns.
  init(
    _ host: HostController, queues count: Int, depth: Int, _ commands: [SubmissionQueueEntry]
  ) throws(HostError) {
    self.commands = commands
    vector = host.vectors[1]
    queues = FixedTable(count: count) { _ in nil }
    for index in 0..<count {
      let identifier = UInt16(index + 1)
      queues[index] = try host.createQueue(
        completionQueue: identifier, completionQueueSize: 256, submissionQueues: [identifier],
        submissionQueueSize: 256, vector: 1, commands: depth)
    }
  }

  /// Takes what has completed and sends as much again; waits a little where nothing has.
  ///
  /// - Returns: how many completed.
  mutating func round() -> UInt64 {
    vector.event.drain()
    var completed: UInt64 = 0
    for index in 0..<queues.count {
      while let completion = queues[index]?.nextCompletion() {
        completed += 1
        if !completion.status.isSuccess { failureCount += 1 }
      }
      queues[index]?.acknowledge()
      while queues[index]?.submit(commands[next]) != nil { next = next + 1 < commands.count ? next + 1 : 0 }
      queues[index]?.ring()
    }
    if completed == 0 { vector.event.wait(timeout: 10) }
    return completed
  }
}
