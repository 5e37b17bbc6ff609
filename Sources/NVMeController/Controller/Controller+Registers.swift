import Doorbells
import LinuxIO
import NVMeSpec
import Storage

/// The register file and the state machine behind CC and CSTS: NVMe base specification 2.0, sections 3.5 and 3.6.
extension Controller {
  /// Reads BAR0. Any width; reserved offsets and doorbells read as 0.
  public func readRegister(offset: UInt64, count: Int) -> UInt64 { registers.read(offset: offset, count: count) }

  /// Writes BAR0: 4 or 8 bytes, aligned to 4. Other accesses are ignored, as the specification leaves them undefined.
  public func writeRegister(offset: UInt64, count: Int, value: UInt64) {
    guard offset % 4 == 0, count == 4 || count == 8 else { return }
    if count == 8, offset < ControllerRegister.doorbellBase {
      write32(offset, UInt32(truncatingIfNeeded: value))
      write32(offset &+ 4, UInt32(truncatingIfNeeded: value >> 32))
    } else if count == 4 {
      if offset >= ControllerRegister.doorbellBase {
        writeDoorbell(offset, UInt32(truncatingIfNeeded: value))
      } else {
        write32(offset, UInt32(truncatingIfNeeded: value))
      }
    }
  }

  private func write32(_ offset: UInt64, _ value: UInt32) {
    // The admin queue's registers are read-only while the controller is enabled.
    let isEnabled = registers.configuration.enable || registers.status.ready
    switch offset {
    case ControllerRegister.interruptMaskSet: registers.interruptMask |= value
    case ControllerRegister.interruptMaskClear: registers.interruptMask &= ~value
    case ControllerRegister.configuration: writeConfiguration(ControllerConfiguration(rawValue: value))
    case ControllerRegister.adminQueueAttributes where !isEnabled:
      registers.adminQueueAttributes = value & 0x0fff_0fff
    case ControllerRegister.adminSubmissionQueueBase where !isEnabled:
      ControllerRegisters.setHalf(&registers.adminSubmissionQueueBase, upper: false, value & ~0xfff)
    case ControllerRegister.adminSubmissionQueueBase + 4 where !isEnabled:
      ControllerRegisters.setHalf(&registers.adminSubmissionQueueBase, upper: true, value)
    case ControllerRegister.adminCompletionQueueBase where !isEnabled:
      ControllerRegisters.setHalf(&registers.adminCompletionQueueBase, upper: false, value & ~0xfff)
    case ControllerRegister.adminCompletionQueueBase + 4 where !isEnabled:
      ControllerRegisters.setHalf(&registers.adminCompletionQueueBase, upper: true, value)
    default: break
    }
  }

  private func writeConfiguration(_ new: ControllerConfiguration) {
    let old = registers.configuration
    registers.configuration = ControllerConfiguration(rawValue: new.rawValue & 0x00ff_fff1)
    // One write may ask for both: the shutdown comes first.
    if new.shutdownNotification != old.shutdownNotification {
      switch new.shutdownNotification {
      case .normal, .abrupt: shutDown()
      default: break
      }
    }
    if new.enable, !old.enable {
      if isDisabling { enablesAgain = true } else { enable() }
    } else if !new.enable, old.enable {
      enablesAgain = false
      // One that is under way does it: a guest that toggles the bit cannot pile them up.
      if !isDisabling { disable {} }
    }
  }

  /// CC.EN 0 to 1.
  private func enable() {
    epoch += 1
    // A controller that was shut down while it was disabled, or failed to, works again.
    registers.status = ControllerStatus()
    setPaused([.shutdown, .failure], false)
    let configuration = registers.configuration
    let attributes = AdminQueueAttributes(rawValue: registers.adminQueueAttributes)
    guard configuration.commandSetSelected == ControllerConfiguration.nvmCommandSet,
      configuration.memoryPageSize == 0, configuration.arbitrationMechanism == 0,
      attributes.submissionQueueSize >= 2, attributes.completionQueueSize >= 2,
      let tail = slots.submissionQueueTail(0), let head = slots.completionQueueHead(0)
    else { return fail("CC or AQA has a value that is not supported") }
    slots.clear()
    adminSignals = 0
    adminEvents.submission.drain()
    adminEvents.completion.drain()
    adminSubmissionQueue = SubmissionQueue(
      SubmissionQueueDescription(
        identifier: 0, completionQueue: 0, size: attributes.submissionQueueSize,
        iova: registers.adminSubmissionQueueBase, doorbell: QueueDoorbell(tail)))
    adminCompletionQueue = CompletionQueue(
      CompletionQueueDescription(
        identifier: 0, size: attributes.completionQueueSize, iova: registers.adminCompletionQueueBase,
        interruptVector: 0, doorbell: QueueDoorbell(head)))
    guard adminSubmissionQueue.memory.resolve(&memory), adminCompletionQueue.memory.resolve(&memory) else {
      return fail("the admin queues are not in mapped memory")
    }
    registers.status.ready = true
  }

  /// CC.EN 1 to 0, or a reset of the function: RDY becomes 0 only when nothing can write to guest memory any more.
  func disable(then completion: @escaping () -> Void) {
    epoch += 1
    isDisabling = true
    resets += 1
    if registers.status.ready, registers.status.shutdownStatus != .complete { unsafeShutdowns += 1 }
    adminSubmissionQueue = SubmissionQueue()
    adminCompletionQueue = CompletionQueue()
    vectors.reset()
    queues = QueueTable(count: description.queueCount)
    doorbellBuffers = nil
    events = AsynchronousEvents()
    finished = []
    abortsUnderWay = 0
    features.reset()
    writeCacheChanges += 1
    if writesThrough {
      writesThrough = false
      broadcast({ lane, token in .setWriteCache(port: lane.port, enabled: true, token: token) }, then: {})
    }
    let lifetime = epoch
    broadcast({ lane, token in .quiesce(port: lane.port, token: token) }) { [self] in
      // A further reset that came meanwhile has its own quiescence, and the last one ends the disable.
      if lifetime == epoch {
        isDisabling = false
        let isShuttingDown = registers.status.shutdownStatus != .normalOperation
        registers.status = ControllerStatus()
        setPaused([.shutdown, .failure], false)
        // A shutdown that was asked for before or meanwhile, or by the same write, is still to be told of.
        let notification = registers.configuration.shutdownNotification
        if isShuttingDown, notification == .normal || notification == .abrupt { shutDown() }
      }
      completion()
      if lifetime == epoch, enablesAgain {
        enablesAgain = false
        if registers.configuration.enable { enable() }
      }
    }
  }

  /// CC.SHN: in-flight commands complete (normal) and everything that was acknowledged becomes durable.
  private func shutDown() {
    guard registers.status.shutdownStatus == .normalOperation else { return }
    registers.status.shutdownStatus = .inProgress
    let lifetime = epoch
    setPaused(.shutdown, true) { [self] in
      flushAll { [self] succeeded in
        if !succeeded { report?(.shutdownNotDurable) }
        guard lifetime == epoch else { return }
        // Complete would say that what was acknowledged is durable.
        guard succeeded else { return fail("a shutdown could not make everything durable") }
        registers.status.shutdownStatus = .complete
      }
    }
  }

  /// Who may wait for one more flush: for hosts that shut down and reset again and again while a disk does not answer, it
  /// fails.
  private static var flushWaiterLimit: Int { 256 }

  /// Makes every namespace durable, with workers; `completion` gets whether all of it worked.
  ///
  /// One at a time: who comes while one is under way shares the one after it.
  public func flushAll(then completion: @escaping (Bool) -> Void) {
    guard flush != nil else { return beginFlush([completion]) }
    guard nextFlush.count < Controller.flushWaiterLimit else { return completion(false) }
    nextFlush.append(completion)
  }

  /// Those that the host sees, and those that commands in flight may still use.
  private var keptNamespaces: [Namespace?] { namespaces + leavingNamespaces.values }

  private func beginFlush(_ completions: [(Bool) -> Void]) {
    let images = keptNamespaces.compactMap { $0?.backend.image }.filter { !$0.readOnly }
    guard !images.isEmpty else {
      for completion in completions { completion(true) }
      return
    }
    let token = makeToken()
    flush = Flush(token: token, missing: images.count, completions: completions)
    for image in images
    where !workers.submit(StorageJob(token: token, image: image, operation: .flush), to: workCompletions) {
      finishFlush(token, succeeded: false)
    }
  }

  /// Takes what workers have finished. On the control thread, when `workCompletions` is readable.
  public func handleWork() {
    for result in workCompletions.take() { finishFlush(result.token, succeeded: result.error == nil) }
    processAdminQueue()
  }

  private func finishFlush(_ token: UInt64, succeeded: Bool) {
    guard flush?.token == token else { return }
    flush?.missing -= 1
    if !succeeded {
      flush?.succeeded = false
      reportReliability()
    }
    guard let ended = flush, ended.missing == 0 else { return }
    flush = nil
    let waiting = nextFlush
    nextFlush = []
    // A sync of the guest's own may have been told of the error meanwhile.
    let succeeded = ended.succeeded && !keptNamespaces.contains { $0?.writeCacheFailed == true }
    for completion in ended.completions { completion(succeeded) }
    guard !waiting.isEmpty else { return }
    // A completion may have begun another.
    if flush == nil { beginFlush(waiting) } else { nextFlush += waiting }
  }

  // MARK: Doorbells by event

  /// The admin queue's tail was announced by its event. On the control thread.
  ///
  /// Of traced doorbells it is also counted whether a value came with each: the event is KVM's own and needs no BAR
  /// address, while the tracer has that from configuration space. A client that keeps its guest's BAR to itself would
  /// have doorbells without a value, which cannot be guessed: the queue may hold new commands or old ones. So the
  /// controller fails (CSTS.CFS): the host sees a broken disk at its first admin command, before there is data to lose,
  /// rather than commands that never end.
  public func takeAdminSubmissionEvent() {
    let signals = adminEvents.submission.drain()
    if registers.status.ready, let tails = slots.tracedAdminTails {
      adminSignals &+= signals
      if adminSignals > UInt64(tails), !pauseReasons.contains(.failure) {
        report?(.doorbellsLost)
        fail("a doorbell was signalled and its value is not known")
      }
    }
    processAdminQueue()
  }

  /// Has a tracer's page take the values of doorbells, if nothing uses the slots yet: the controller is disabled.
  ///
  /// - Returns: whether it does.
  public func trace(_ page: TracedPage) -> Bool {
    guard !registers.configuration.enable, !registers.status.ready, !isDisabling else { return false }
    slots.trace(page)
    return true
  }

  // MARK: Doorbells by message

  private func writeDoorbell(_ offset: UInt64, _ value: UInt32) {
    guard registers.status.ready, !isDisabling, let register = DoorbellRegister.register(at: offset) else { return }
    let identifier = register.queueIdentifier
    let place = offset - ControllerRegister.doorbellBase
    if identifier == 0 {
      slots.take(message: value, at: place)
      processAdminQueue()
    } else if register.isCompletionQueueHead {
      guard let queue = queues.completionQueue(identifier) else {
        return reportDoorbell(identifier, .invalidDoorbellRegister)
      }
      slots.take(message: value, at: place)
      // Half of all doorbells need wake nobody.
      let isAwaited = lanes[queue.thread].interest.isSet
      counters.countMessage(isSignalled: isAwaited)
      if isAwaited { announce(lanes[queue.thread].events.completion) }
    } else {
      guard let queue = queues.submissionQueue(identifier),
        let completionQueue = queues.completionQueue(queue.completionQueue)
      else { return reportDoorbell(identifier, .invalidDoorbellRegister) }
      slots.take(message: value, at: place)
      counters.countMessage(isSignalled: true)
      announce(lanes[completionQueue.thread].events.submission)
    }
  }

  /// An I/O thread has found a value in the slot of a queue that it does not know, or one that its queue cannot have.
  func invalidDoorbell(_ identifier: UInt16, isUnknown: Bool) {
    guard registers.status.ready, !isDisabling else { return }
    guard isUnknown else { return reportDoorbell(identifier, .invalidDoorbellWriteValue) }
    // It may live on another thread; or its slot was cleared since, by a deletion or a reset.
    guard queues.submissionQueue(identifier) == nil, let slot = slots.submissionQueueTail(identifier), slot.load() != 0
    else { return }
    slot.store(0)
    reportDoorbell(identifier, .invalidDoorbellRegister)
  }

  private func reportDoorbell(_ identifier: UInt16, _ event: AsynchronousEvent) {
    report?(.invalidDoorbell(queue: identifier))
    post(event)
  }
}
