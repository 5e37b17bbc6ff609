/// Which I/O queues exist: plain data.
struct QueueTable: Sendable, Equatable {
  /// A completion queue.
  struct CompletionQueue: Sendable, Equatable {
    /// The I/O thread it lives on, with all submission queues that feed it.
    var thread: Int
    var size: Int
    var iova: UInt64
    var interruptVector: UInt16?
    /// A Delete I/O Completion Queue is under way.
    var isDeleting = false
  }

  /// A submission queue.
  struct SubmissionQueue: Sendable, Equatable {
    var completionQueue: UInt16
    var size: Int
    var iova: UInt64
    /// A Delete I/O Submission Queue is under way.
    var isDeleting = false
  }

  /// By identifier; the first place, that of the admin queue, stays empty.
  var completionQueues: [CompletionQueue?]
  var submissionQueues: [SubmissionQueue?]

  init(count: Int) {
    completionQueues = Array(repeating: nil, count: count + 1)
    submissionQueues = Array(repeating: nil, count: count + 1)
  }

  /// Whether any I/O queue exists.
  var isEmpty: Bool { completionQueues.allSatisfy { $0 == nil } && submissionQueues.allSatisfy { $0 == nil } }

  /// The completion queue with an identifier, or nil.
  func completionQueue(_ identifier: UInt16) -> CompletionQueue? {
    Int(identifier) < completionQueues.count ? completionQueues[Int(identifier)] : nil
  }

  /// The submission queue with an identifier, or nil.
  func submissionQueue(_ identifier: UInt16) -> SubmissionQueue? {
    Int(identifier) < submissionQueues.count ? submissionQueues[Int(identifier)] : nil
  }

  /// Whether a submission queue feeds a completion queue.
  func isUsed(completionQueue identifier: UInt16) -> Bool {
    submissionQueues.contains { $0?.completionQueue == identifier }
  }
}
