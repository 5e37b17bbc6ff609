import GuestMemory
import LinuxIO
import NVMeSpec
import Storage

/// What the control thread asks of a port.
extension ControllerPort {
  /// A completion queue begins.
  mutating func create(_ queue: CompletionQueueDescription) {
    let index = Int(queue.identifier)
    guard index > 0, index < completionQueues.count else { return }
    completionQueues[index] = CompletionQueue(queue)
    completionQueues[index].memory.resolve(&memory)
    if let doorbellBuffers {
      completionQueues[index].useShadow(doorbellBuffers.completionQueueHead(queue.identifier), isRunning: false)
    }
  }

  /// A submission queue begins.
  mutating func create(_ queue: SubmissionQueueDescription) {
    let index = Int(queue.identifier)
    guard index > 0, index < submissionQueues.count else { return }
    submissionQueues[index] = SubmissionQueue(queue)
    submissionQueues[index].memory.resolve(&memory)
    if let doorbellBuffers {
      submissionQueues[index].useShadow(doorbellBuffers.submissionQueueTail(queue.identifier), isRunning: false)
    }
    queueEnd = max(queueEnd, index + 1)
    // The guest may have rung before the thread knew of the queue.
    isKicked = true
  }

  /// The doorbells of a queue on another thread are announced to this one.
  mutating func forward(to thread: IOThreadHandle, _ place: Int) {
    // Once for each thread, however many queues it has and however often they are created.
    guard !forwards.contains(where: { $0.thread === thread && $0.port == place }) else { return }
    let kick = PendingKick()
    forwards.append((thread, place, kick))
    // The guest may have rung before this thread knew whom to tell.
    if kick.post() { thread.mailbox.post(.kick(port: place, kick)) }
  }

  /// Stops fetching from a submission queue; acknowledged when its commands have completed.
  mutating func deleteSubmissionQueue(_ identifier: UInt16, token: UInt64, _ resources: inout IOResources) {
    let index = Int(identifier)
    guard index < submissionQueues.count, submissionQueues[index].isLive else {
      acknowledge(token)
      return
    }
    submissionQueues[index].deletion = token
    needCare(queue: index, &resources)
    // What has not been given to the kernel need not be waited for.
    for slot in 0..<resources.requests.count where isWaiting(slot, queue: index, resources) {
      resources.cancelWait(slot)
      finish(slot, .abortedSQDeletion, &resources)
    }
    finishDeletion(index)
  }

  /// A completion queue ends. Its submission queues are gone: the controller has checked that.
  mutating func deleteCompletionQueue(_ identifier: UInt16, token: UInt64) {
    let index = Int(identifier)
    if index > 0, index < completionQueues.count {
      // What waits for more entries has them, for all that is known, from other queues too.
      releaseInterrupts()
      completionQueues[index] = CompletionQueue()
      unsignalled &= ~(1 << UInt64(index - 1))
    }
    acknowledge(token)
  }

  /// Aborts a command that has not been given to the kernel.
  ///
  /// - Returns: whether it has completed with Command Abort Requested.
  mutating func abort(_ identifier: UInt16, _ command: UInt16, _ resources: inout IOResources) -> Bool {
    let index = Int(identifier)
    guard index > 0, index < submissionQueues.count, submissionQueues[index].isLive else { return false }
    for slot in 0..<resources.requests.count
    where isWaiting(slot, queue: index, resources) && resources.requests[slot].commandIdentifier == command {
      resources.cancelWait(slot)
      finish(slot, .abortRequested, &resources)
      return true
    }
    _ = submissionQueues[index].look()
    guard submissionQueues[index].waits(command) else { return false }
    submissionQueues[index].abortedCommand = command
    // Before the other queues have used up the round.
    firstQueue = index
    service(&resources)
    let isAborted = submissionQueues[index].abortedCommand == nil
    submissionQueues[index].abortedCommand = nil
    return isAborted
  }

  private func isWaiting(_ slot: Int, queue: Int, _ resources: borrowing IOResources) -> Bool {
    resources.requests[slot].state == .waiting && resources.requests[slot].port == number
      && resources.requests[slot].submissionQueue == queue && !resources.requests[slot].isDiscarded
  }

  /// The controller is disabled: queues vanish, and what is in flight completes silently.
  mutating func quiesce(_ resources: inout IOResources) {
    for index in 1..<submissionQueues.count {
      if let token = submissionQueues[index].deletion { acknowledge(token) }
      submissionQueues[index] = SubmissionQueue()
      completionQueues[index] = CompletionQueue()
    }
    unsignalled = 0
    doorbellBuffers = nil
    forwards = []
    vectors.reset()
    restsUntil = UInt64.max
    isKicked = false
    isStarved = false
    isBlocked = false
    for slot in 0..<resources.requests.count
    where resources.requests[slot].state != .free && resources.requests[slot].port == number {
      resources.requests[slot].isDiscarded = true
      switch resources.requests[slot].state {
      case .waiting:
        resources.cancelWait(slot)
        finish(slot, .abortRequested, &resources)
      case .parked:
        parked &-= 1
        finish(slot, .abortRequested, &resources)
      case .working:
        resources.cancelWork(slot)
      default: break
      }
    }
  }

  /// A range of memory is there; queues in it come back to life.
  mutating func map(_ region: MemoryRegion, _ resources: inout IOResources) {
    memory.insert(region)
    resolveQueues()
    unpark(&resources)
    isKicked = true
  }

  /// A range of memory goes: queues in it rest, and commands that touch it are waited for.
  mutating func unmap(iova: UInt64, size: UInt64, token: UInt64, _ resources: inout IOResources) {
    let removed = HostRanges(memory.remove(iova: iova, size: size))
    // Also where nothing was mapped any more: what was there may still be awaited, for another message.
    resolveQueues()
    var isTouched = false
    for slot in 0..<resources.requests.count where resources.requests[slot].port == number {
      let state = resources.requests[slot].state
      // A parked request has moved its data already.
      guard state == .submitted || state == .waiting || state == .working, touches(slot, removed, resources) else {
        continue
      }
      isTouched = true
      if resources.requests[slot].isAwaited { continue }
      resources.requests[slot].isAwaited = true
      awaited += 1
    }
    // A range that nothing touches does not wait for those of others, which a disk may keep for long.
    guard isTouched else {
      acknowledge(token)
      return
    }
    awaitings.append(token)
    acknowledgeWhatIsDone()
  }

  /// The volatile write cache is turned on or off: commands fetched from now on obey it.
  ///
  /// Off: the host may take a command that completes from then on for durable. Those in flight were begun with the cache
  /// on, so the flush that follows has to come after them: they are waited for.
  mutating func setWriteCache(_ isEnabled: Bool, token: UInt64, _ resources: inout IOResources) {
    writeCacheEnabled = isEnabled
    guard !isEnabled else {
      acknowledge(token)
      return
    }
    for slot in 0..<resources.requests.count
    where resources.requests[slot].port == number && !resources.requests[slot].isAwaited {
      let operation = resources.requests[slot].operation
      let state = resources.requests[slot].state
      // A parked request has done its I/O already.
      guard operation == .write || operation == .zero, state == .submitted || state == .waiting || state == .working
      else { continue }
      resources.requests[slot].isAwaited = true
      awaited += 1
    }
    awaitings.append(token)
    acknowledgeWhatIsDone()
  }

  private func touches(_ slot: Int, _ ranges: HostRanges, _ resources: borrowing IOResources) -> Bool {
    if ranges.isEmpty { return false }
    let segments = unsafe resources.requests.segmentBase(slot)
    // Where nothing is left, all that a request has is gone.
    if memory.count == 0 { return resources.requests[slot].segmentCount > 0 }
    for segment in 0..<resources.requests[slot].segmentCount {
      let pointer = unsafe UInt(bitPattern: segments[segment].iov_base)
      if unsafe ranges.touch(pointer, count: UInt(segments[segment].iov_len)) { return true }
    }
    return false
  }

  private mutating func resolveQueues() {
    for index in 1..<submissionQueues.count {
      if submissionQueues[index].isLive { submissionQueues[index].memory.resolve(&memory) }
      if completionQueues[index].isLive { completionQueues[index].memory.resolve(&memory) }
    }
    guard doorbellBuffers != nil else { return }
    doorbellBuffers?.resolve(&memory)
    useDoorbellBuffers(isRunning: false)
  }

  /// The doorbells of all queues lie in guest memory from now on: Doorbell Buffer Config.
  mutating func setDoorbellBuffers(_ buffers: DoorbellBuffers) {
    doorbellBuffers = buffers
    doorbellBuffers?.resolve(&memory)
    useDoorbellBuffers(isRunning: true)
    isKicked = true
  }

  private mutating func useDoorbellBuffers(isRunning: Bool) {
    guard let doorbellBuffers else { return }
    for index in 1..<submissionQueues.count {
      let identifier = UInt16(truncatingIfNeeded: index)
      if submissionQueues[index].isLive {
        submissionQueues[index].useShadow(doorbellBuffers.submissionQueueTail(identifier), isRunning: isRunning)
      }
      if completionQueues[index].isLive {
        completionQueues[index].useShadow(doorbellBuffers.completionQueueHead(identifier), isRunning: isRunning)
      }
    }
  }

  /// A doorbell was rung whose value is in guest memory, or else lost.
  mutating func takeValuelessDoorbell() {
    isKicked = true
    guard let description, doorbellBuffers == nil, !isPaused else { return }
    // One that was rung before a reset is of no queue any more.
    for index in 1..<queueEnd where submissionQueues[index].isLive {
      description.mailbox.post(.doorbellWithoutValue, limit: 16)
      return
    }
  }

  /// Has the host announce what it submits next: before the thread sleeps.
  ///
  /// - Returns: whether something was submitted meanwhile, so that the thread may not sleep.
  mutating func askForDoorbells() -> Bool {
    guard doorbellBuffers != nil, !isPaused else { return false }
    var hasNews = false
    for index in 1..<queueEnd where submissionQueues[index].askForDoorbell() { hasNews = true }
    if hasNews { isKicked = true }
    return hasNews
  }

  /// An interrupt vector gets another eventfd. Nothing is lost meanwhile: entries that the host has not consumed are
  /// announced through the new one.
  mutating func setVector(_ vector: Int, descriptor: Int32) {
    var hasEntries = false
    for index in 1..<completionQueues.count
    where completionQueues[index].isLive && completionQueues[index].interruptVector == vector {
      if !completionQueues[index].isConsumed() { hasEntries = true }
    }
    vectors.install(descriptor, vector: vector, hasEntries: hasEntries)
  }

  /// No DMA, and no interrupt, from now on: interrupts that wait for more entries are delivered before.
  mutating func pause(_ token: UInt64, _ resources: inout IOResources) {
    releaseInterrupts()
    isPaused = true
    needCare(&resources)
    pauses.append(token)
    acknowledgeWhatIsDone()
  }
}
