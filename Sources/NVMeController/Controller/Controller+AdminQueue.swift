import GuestMemory
import LinuxIO
import NVMeSpec

/// The admin queue: commands are fetched, begun and completed on the control thread.
extension Controller {
  /// What became of an admin command.
  enum Outcome {
    /// It is done.
    case complete(Status, dw0: UInt32 = 0)
    /// It completes later, by `complete`.
    case pending
    /// An Asynchronous Event Request: it waits for an event, and holds no completion queue entry meanwhile.
    case parked
  }

  /// Begins the admin commands that were submitted and completes what can be completed. On the control thread, when
  /// `adminEvents` is readable or anything changed that commands wait for.
  public func processAdminQueue() {
    guard registers.status.ready, !isDisabling, pauseReasons.isEmpty else { return }
    postFinished()
    // Bounded: a guest that keeps the tail moving does not keep the thread from the socket.
    var budget = 64
    if case .invalid = adminSubmissionQueue.look() { post(.invalidDoorbellWriteValue) }
    while adminSubmissionQueue.hasCommands, adminCompletionQueue.memory.isAttached, budget > 0 {
      budget -= 1
      let reservation = adminCompletionQueue.reserve()
      if reservation.sawInvalid { events.add(.invalidDoorbellWriteValue) }
      // The head doorbell of the admin queue always wakes the control thread, which comes back here.
      guard reservation.isReserved else { break }
      guard let command = adminSubmissionQueue.fetch() else {
        adminCompletionQueue.cancelReservation()
        break
      }
      switch execute(command) {
      case .complete(let status, let dw0): complete(command, status, dw0: dw0)
      case .pending: break
      case .parked: adminCompletionQueue.cancelReservation()
      }
      // A command may have failed the controller.
      guard registers.status.ready, pauseReasons.isEmpty else { return }
    }
    deliverEvents()
    // The event of heads, as signals of the other are counted where doorbells are traced (`takeAdminSubmissionEvent`).
    if adminSubmissionQueue.hasCommands, budget == 0 { announce(adminEvents.completion) }
    signalAdminInterrupt()
  }

  private func execute(_ command: SubmissionQueueEntry) -> Outcome {
    guard let opcode = AdminOpcode(rawValue: command.opcode) else { return .complete(.invalidOpcode) }
    // Admin commands are not fused, and use PRPs (NVMe over PCIe).
    guard command.fused == 0, command.dataTransferType == 0 else { return .complete(.invalidField) }
    switch opcode {
    case .createIOCompletionQueue: return create(CreateIOCompletionQueueCommand(command))
    case .createIOSubmissionQueue: return create(CreateIOSubmissionQueueCommand(command))
    case .deleteIOSubmissionQueue: return deleteSubmissionQueue(DeleteIOQueueCommand(command))
    case .deleteIOCompletionQueue: return deleteCompletionQueue(DeleteIOQueueCommand(command))
    case .identify: return .complete(identify(IdentifyCommand(command)))
    case .getLogPage: return .complete(getLogPage(GetLogPageCommand(command)))
    case .getFeatures: return getFeatures(GetFeaturesCommand(command))
    case .setFeatures: return setFeatures(SetFeaturesCommand(command))
    case .abort: return abort(AbortCommand(command))
    case .asynchronousEventRequest: return asynchronousEventRequest(command)
    case .doorbellBufferConfig: return configureDoorbellBuffers(DoorbellBufferConfigCommand(command))
    default: return .complete(.invalidOpcode)
    }
  }

  /// Completes an admin command in the entry that was reserved for it.
  func complete(_ command: SubmissionQueueEntry, _ status: Status, dw0: UInt32 = 0) {
    if !status.isSuccess {
      let entry = errorLog.append(
        ErrorLog.Entry(
          submissionQueue: 0, command: command.commandIdentifier, status: status, slba: 0,
          namespaceIdentifier: command.namespaceIdentifier))
      report?(.commandFailed(entry))
    }
    adminCompletionQueue.postNews(
      status, dw0: dw0, sqHead: adminSubmissionQueue.head, sqIdentifier: 0, command: command.commandIdentifier)
  }

  /// An admin command that was pending and is done.
  struct Finished {
    let command: SubmissionQueueEntry
    let status: Status
    let dw0: UInt32
  }

  /// Completes an admin command that was pending, unless the controller was reset meanwhile: at the next look at the
  /// admin queue at which DMA is allowed and the completion queue is mapped.
  func completeLater(_ command: SubmissionQueueEntry, _ status: Status, dw0: UInt32 = 0, lifetime: UInt64) {
    guard lifetime == epoch else { return }
    finished.append(Finished(command: command, status: status, dw0: dw0))
  }

  private func postFinished() {
    guard adminCompletionQueue.memory.isAttached else { return }
    for entry in finished { complete(entry.command, entry.status, dw0: entry.dw0) }
    finished = []
  }

  /// Copies bytes to the memory that a command points to.
  ///
  /// - Parameter length: what the host asked for; bytes beyond `bytes` are not touched.
  func copyToGuest(_ bytes: [UInt8], _ command: SubmissionQueueEntry, length: Int) -> Status {
    var list = adminSegments.empty
    let status = PRPWalk.translate(
      prp1: command.prp1, prp2: command.prp2, length: UInt64(length), access: .write, memory: &memory, into: &list)
    if status == .success { adminSegments.copyToGuest(bytes, list) }
    return status
  }

  /// A private copy of the memory that a command points to.
  func copyFromGuest(_ command: SubmissionQueueEntry, length: Int) -> (bytes: [UInt8], status: Status) {
    var list = adminSegments.empty
    let status = PRPWalk.translate(
      prp1: command.prp1, prp2: command.prp2, length: UInt64(length), access: .read, memory: &memory, into: &list)
    return (status == .success ? adminSegments.copyFromGuest(list) : [], status)
  }

  private func signalAdminInterrupt() {
    if adminCompletionQueue.takeNews(), let vector = adminCompletionQueue.interruptVector { vectors.signal(vector) }
    if vectors.takeStall() { noteStall() }
  }

  /// Signals an eventfd that the client has as well.
  func announce(_ event: borrowing EventFD) { if !event.signalPeer() { noteStall() } }

  // MARK: Events

  private func asynchronousEventRequest(_ command: SubmissionQueueEntry) -> Outcome {
    guard events.requests.count < AsynchronousEvents.limit else {
      return .complete(.asynchronousEventRequestLimitExceeded)
    }
    events.requests.append(command.commandIdentifier)
    return .parked
  }

  /// Reports an event as soon as a request for it is there.
  func post(_ event: AsynchronousEvent) {
    events.add(event)
    deliverEvents()
    signalAdminInterrupt()
  }

  /// Completes requests with the events that wait, as far as the completion queue has room.
  private func deliverEvents() {
    guard registers.status.ready, !isDisabling, pauseReasons.isEmpty else { return }
    while events.hasDeliverable, adminCompletionQueue.memory.isAttached {
      guard adminCompletionQueue.reserve().isReserved else { return }
      guard let (event, request) = events.take() else {
        adminCompletionQueue.cancelReservation()
        return
      }
      adminCompletionQueue.postNews(
        .success, dw0: event.completionDword0, sqHead: adminSubmissionQueue.head, sqIdentifier: 0, command: request)
    }
  }

  // MARK: Abort

  private func abort(_ command: AbortCommand) -> Outcome {
    if command.sqid == 0 {
      // Only requests for events wait in the admin queue.
      guard let index = events.requests.firstIndex(of: command.cid) else {
        return .complete(.success, dw0: 1)
      }
      guard adminCompletionQueue.reserve().isReserved else { return .complete(.success, dw0: 1) }
      let request = events.requests.remove(at: index)
      adminCompletionQueue.postNews(
        .abortRequested, dw0: 0, sqHead: adminSubmissionQueue.head, sqIdentifier: 0, command: request)
      return .complete(.success)
    }
    guard let queue = queues.submissionQueue(command.sqid),
      let completionQueue = queues.completionQueue(queue.completionQueue)
    else { return .complete(.invalidField) }
    guard abortsUnderWay < Controller.abortLimit else { return .complete(.abortCommandLimitExceeded) }
    abortsUnderWay += 1
    let lifetime = epoch
    requestAbort(lanes[completionQueue.thread], command.sqid, command.cid) { [self] isAborted in
      guard lifetime == epoch else { return }
      abortsUnderWay -= 1
      completeLater(command.entry, .success, dw0: isAborted ? 0 : 1, lifetime: lifetime)
    }
    return .pending
  }

  /// Abort commands outstanding at most (ACL + 1).
  static var abortLimit: Int { 4 }
}
