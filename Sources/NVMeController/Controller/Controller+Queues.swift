import Doorbells
import LinuxIO
import NVMeSpec

/// Creation and deletion of I/O queues: NVMe base specification 2.0, sections 5.4 to 5.7.
extension Controller {
  /// Queue pairs that the host may use: as granted by Number of Queues, or all where it did not ask.
  private var grantedQueues: Int { features.grantedQueues }

  func create(_ command: CreateIOCompletionQueueCommand) -> Outcome {
    let identifier = command.queueIdentifier
    guard identifier > 0, Int(identifier) <= grantedQueues, queues.completionQueue(identifier) == nil else {
      return .complete(.invalidQueueIdentifier)
    }
    guard command.size >= 2, command.size <= description.queueEntries,
      registers.configuration.ioCompletionQueueEntrySize == 4
    else { return .complete(.invalidQueueSize) }
    guard command.prp1 & 0xfff == 0 else { return .complete(.invalidPRPOffset) }
    if command.interruptsEnabled, Int(command.interruptVector) >= description.vectorCount {
      return .complete(.invalidInterruptVector)
    }
    // CAP.CQR: queues are contiguous.
    guard command.physicallyContiguous else { return .complete(.invalidField) }
    var probe = QueueMemory(iova: command.prp1, entries: command.size, entrySize: 16, access: .write)
    guard probe.resolve(&memory), let slot = slots.completionQueueHead(identifier) else {
      return .complete(.dataTransferError)
    }
    clearDoorbell(completionQueue: identifier)
    let thread = thread(ofQueue: identifier)
    let vector = command.interruptsEnabled ? command.interruptVector : nil
    queues.completionQueues[Int(identifier)] = QueueTable.CompletionQueue(
      thread: thread, size: command.size, iova: command.prp1, interruptVector: vector)
    send(
      lanes[thread],
      .createCompletionQueue(
        port: lanes[thread].port,
        CompletionQueueDescription(
          identifier: identifier, size: command.size, iova: command.prp1, interruptVector: vector,
          doorbell: QueueDoorbell(slot))))
    return .complete(.success)
  }

  func create(_ command: CreateIOSubmissionQueueCommand) -> Outcome {
    let identifier = command.queueIdentifier
    let completionIdentifier = command.completionQueueIdentifier
    guard completionIdentifier > 0, Int(completionIdentifier) <= grantedQueues else {
      return .complete(completionIdentifier == 0 ? .completionQueueInvalid : .invalidQueueIdentifier)
    }
    guard let completionQueue = queues.completionQueue(completionIdentifier), !completionQueue.isDeleting else {
      return .complete(.completionQueueInvalid)
    }
    guard identifier > 0, Int(identifier) <= grantedQueues, queues.submissionQueue(identifier) == nil else {
      return .complete(.invalidQueueIdentifier)
    }
    guard command.size >= 2, command.size <= description.queueEntries,
      registers.configuration.ioSubmissionQueueEntrySize == 6
    else { return .complete(.invalidQueueSize) }
    guard command.prp1 & 0xfff == 0 else { return .complete(.invalidPRPOffset) }
    guard command.physicallyContiguous else { return .complete(.invalidField) }
    var probe = QueueMemory(iova: command.prp1, entries: command.size, entrySize: 64, access: .read)
    guard probe.resolve(&memory), let slot = slots.submissionQueueTail(identifier) else {
      return .complete(.dataTransferError)
    }
    clearDoorbell(submissionQueue: identifier)
    queues.submissionQueues[Int(identifier)] = QueueTable.SubmissionQueue(
      completionQueue: completionIdentifier, size: command.size, iova: command.prp1)
    let lane = lanes[completionQueue.thread]
    send(
      lane,
      .createSubmissionQueue(
        port: lane.port,
        SubmissionQueueDescription(
          identifier: identifier, completionQueue: completionIdentifier, size: command.size, iova: command.prp1,
          doorbell: QueueDoorbell(slot))))
    // A client that signals doorbells itself has the eventfd of the thread that the identifier belongs to.
    let announced = thread(ofQueue: identifier)
    if announced != completionQueue.thread {
      send(lanes[announced], .forward(port: lanes[announced].port, to: lane.thread, place: lane.port))
    }
    return .complete(.success)
  }

  func deleteSubmissionQueue(_ command: DeleteIOQueueCommand) -> Outcome {
    let identifier = command.queueIdentifier
    guard identifier > 0, let queue = queues.submissionQueue(identifier), !queue.isDeleting,
      let completionQueue = queues.completionQueue(queue.completionQueue)
    else { return .complete(.invalidQueueIdentifier) }
    queues.submissionQueues[Int(identifier)]?.isDeleting = true
    let lane = lanes[completionQueue.thread]
    let lifetime = epoch
    send(lane, { .deleteSubmissionQueue(port: lane.port, identifier, token: $0) }) { [self] in
      guard lifetime == epoch else { return }
      queues.submissionQueues[Int(identifier)] = nil
      slots.submissionQueueTail(identifier)?.store(0)
      completeLater(command.entry, .success, lifetime: lifetime)
    }
    return .pending
  }

  func deleteCompletionQueue(_ command: DeleteIOQueueCommand) -> Outcome {
    let identifier = command.queueIdentifier
    guard identifier > 0, let queue = queues.completionQueue(identifier), !queue.isDeleting else {
      return .complete(.invalidQueueIdentifier)
    }
    guard !queues.isUsed(completionQueue: identifier) else { return .complete(.invalidQueueDeletion) }
    queues.completionQueues[Int(identifier)]?.isDeleting = true
    let lane = lanes[queue.thread]
    let lifetime = epoch
    send(lane, { .deleteCompletionQueue(port: lane.port, identifier, token: $0) }) { [self] in
      guard lifetime == epoch else { return }
      queues.completionQueues[Int(identifier)] = nil
      completeLater(command.entry, .success, lifetime: lifetime)
    }
    return .pending
  }
}
