import CLinux
import GuestMemory
import LinuxIO
import NVMeSpec
import Storage

extension ControllerPort {
  /// How often a transfer that the kernel wants tried again is tried.
  private static var attemptLimit: UInt8 { 16 }

  /// Takes the result of a request's I/O: bytes, or a negative errno.
  @inline(__always)
  mutating func complete(_ index: Int, result: Int64, _ resources: inout IOResources) {
    let request = resources.requests[index]
    guard result == request.simpleResult, postSimple(request) else {
      completeOther(index, result: result, &resources)
      return
    }
    counters.count(request.operation, request.length, resources.clock.latency(since: request.begun))
    resources.requests.releaseSimple(index)
    inFlight &-= 1
    if owesAcknowledgement { acknowledgeWhatIsDone() }
    if isStarved { isKicked = true }
  }

  /// Has the end of each request in flight looked at closely, or of those of one queue.
  mutating func needCare(queue: Int? = nil, _ resources: inout IOResources) {
    for slot in 0..<resources.requests.count
    where resources.requests[slot].port == number && resources.requests[slot].state != .free {
      if queue == nil || queue == resources.requests[slot].submissionQueue { resources.requests[slot].needCare() }
    }
  }

  @inline(never)
  private mutating func completeOther(_ index: Int, result: Int64, _ resources: inout IOResources) {
    let operation = resources.requests[index].operation
    if result < 0 {
      fail(index, Errno(rawValue: Int32(truncatingIfNeeded: -result)), &resources)
      return
    }
    switch operation {
    case .write where resources.requests[index].state == .working:
      finish(index, .success, &resources)
    case .read, .write, .compare, .verify:
      let transferred = UInt64(result)
      let rest = resources.requests[index].length &- resources.requests[index].done
      if transferred == rest, operation == .read || operation == .write, resources.requests[index].bounce < 0 {
        finishTransfer(index, &resources)
      } else if transferred < rest {
        continueTransfer(index, transferred, &resources)
      } else {
        finishBounced(index, &resources)
      }
    case .flush:
      flushNext(index, &resources)
    case .zero:
      finish(index, .success, &resources)
    case .deallocate:
      finish(index, .success, &resources)
    }
  }

  /// Resubmits what a short transfer left.
  @inline(never)
  private mutating func continueTransfer(_ index: Int, _ transferred: UInt64, _ resources: inout IOResources) {
    let isWrite = resources.requests[index].operation == .write
    if resources.requests[index].isDiscarded { return finish(index, .abortRequested, &resources) }
    // Nothing read inside the namespace: the image has become shorter.
    guard transferred > 0, let fd = file(index, resources) else {
      counters.countMediaError()
      finish(index, isWrite ? .writeFault : .unrecoveredReadError, &resources)
      return
    }
    resources.requests[index].done &+= transferred
    if resources.requests[index].bounce >= 0 {
      let segment = unsafe resources.requests.bounceSegment(index)
      unsafe segment.pointee.iov_base = segment.pointee.iov_base.map { unsafe $0 + Int(transferred) }
      unsafe segment.pointee.iov_len -= numericCast(transferred)
    } else {
      var left = transferred
      let base = unsafe resources.requests.segmentBase(index)
      var first = resources.requests[index].firstSegment
      while left > 0, first < resources.requests[index].segmentCount {
        let length = unsafe UInt64(base[first].iov_len)
        if left < length {
          unsafe base[first].iov_base = base[first].iov_base.map { unsafe $0 + Int(left) }
          unsafe base[first].iov_len -= numericCast(left)
          break
        }
        left -= length
        first += 1
      }
      resources.requests[index].firstSegment = first
    }
    ControllerPort.submit(index, fd, &resources)
  }

  /// The whole transfer is in the bounce buffer: what the command wants of it.
  @inline(never)
  private mutating func finishBounced(_ index: Int, _ resources: inout IOResources) {
    let request = resources.requests[index]
    guard request.bounce >= 0 else {
      finish(index, .internalError, &resources)
      return
    }
    let buffer = unsafe resources.bounce.address(of: request.bounce)
    let segments = unsafe resources.requests.segmentBase(index)
    var status = Status.success
    if !request.isDiscarded {
      switch request.operation {
      case .read: unsafe ControllerPort.copy(segments, request.segmentCount, buffer, toGuest: true)
      case .compare:
        if unsafe !ControllerPort.isEqual(segments, request.segmentCount, buffer) { status = .compareFailure }
      default: break
      }
    }
    if status == .success { finishTransfer(index, &resources) } else { finish(index, status, &resources) }
  }

  /// All data is where it belongs; a worker makes it durable, where that is asked for and the write has not done it.
  private mutating func finishTransfer(_ index: Int, _ resources: inout IOResources) {
    guard resources.requests[index].syncsAfter, !resources.requests[index].isDiscarded, let fd = file(index, resources)
    else {
      finish(index, .success, &resources)
      return
    }
    let owner = owners[resources.requests[index].namespace]
    if !ControllerPort.beginSync(index, fd, owner, byWorker: true, &resources) {
      finish(index, .commandInterrupted, &resources)
    }
  }

  /// A namespace is flushed; the next one, where the command means all.
  private mutating func flushNext(_ index: Int, _ resources: inout IOResources) {
    // The kernel tells one flush of a loss, and this one may have been under way beside that.
    if let owner = owners[resources.requests[index].namespace], owner.writeCacheFailed {
      finish(index, .writeFault, &resources)
      return
    }
    if resources.requests[index].flushesAll, !resources.requests[index].isDiscarded {
      var place = resources.requests[index].namespace + 1
      while place < namespaces.count {
        if namespaces[place].isActive, case .file(let fd) = namespaces[place].backend {
          releaseNamespace(index, &resources)
          resources.requests[index].namespace = place
          if let owner = owners[place], owner.writeCacheFailed {
            finish(index, .writeFault, &resources)
            return
          }
          let byWorker = namespaces[place].isBuffered
          if !ControllerPort.beginSync(index, fd, owners[place], byWorker: byWorker, &resources) {
            finish(index, .commandInterrupted, &resources)
          }
          return
        }
        place += 1
      }
    }
    finish(index, .success, &resources)
  }

  /// The I/O of a request failed.
  @inline(never)
  private mutating func fail(_ index: Int, _ error: Errno, _ resources: inout IOResources) {
    let request = resources.requests[index]
    let place = request.namespace
    switch request.operation {
    case .flush
    where request.state == .submitted && !request.isDiscarded
      && (error == .invalidArgument || error == .notSupported):
      // This kernel or file system has no asynchronous sync: a worker does it.
      if let fd = file(index, resources),
        ControllerPort.beginSync(index, fd, owners[place], byWorker: true, &resources)
      {
        return
      }
    case .read, .write, .compare, .verify:
      if error == .wouldBlock || error == .interrupted || error == .outOfMemory, request.state == .submitted,
        request.attempts < ControllerPort.attemptLimit, let fd = file(index, resources)
      {
        resources.requests[index].attempts += 1
        ControllerPort.submit(index, fd, &resources)
        return
      }
    default: break
    }
    let action: StorageAction
    switch request.operation {
    case .read, .compare, .verify: action = .read
    case .write: action = request.state == .working ? .flush : .write
    case .zero: action = .write
    case .flush: action = .flush
    case .deallocate: action = .deallocate
    }
    if request.operation == .flush { owners[place]?.backend.image?.noteFailedSync(error) }
    let status = Status(error, during: action)
    // A full disk, a host without memory or a guest whose memory is gone have harmed no medium.
    if status.statusCodeType == .mediaError { counters.countMediaError() }
    finish(index, status, &resources)
  }

  /// The file of a request's namespace, as long as there is one.
  private func file(_ index: Int, _ resources: borrowing IOResources) -> Int32? {
    let place = resources.requests[index].namespace
    guard place < namespaces.count, case .file(let fd) = namespaces[place].backend else { return nil }
    return fd
  }

  /// Ends a request: posts its completion, or parks it where that cannot be done now.
  mutating func finish(_ index: Int, _ status: Status, _ resources: inout IOResources) {
    resources.giveBounce(of: index)
    releaseNamespace(index, &resources)
    if !resources.requests[index].isDiscarded {
      let request = resources.requests[index]
      let latency = resources.clock.latency(since: request.begun)
      if status.isSuccess {
        counters.count(request.operation, request.length, latency)
      } else {
        counters.countFailure(CommandKind(request.operation), status, latency)
        noteFailure(index, status, resources)
      }
      guard !isPaused, post(resources.requests[index], status) else {
        resources.requests[index].state = .parked
        resources.requests[index].status = status.rawValue
        parked &+= 1
        settle(index, resources.requests[index].isAwaited, &resources)
        return
      }
    }
    let isAwaited = resources.requests[index].isAwaited
    resources.requests.release(index)
    inFlight &-= 1
    settle(index, isAwaited, &resources)
  }

  /// Posts a request's completion; false where the completion queue is not mapped.
  private mutating func post(_ request: Request, _ status: Status) -> Bool {
    guard postSimple(request, status) else { return false }
    let number = request.submissionQueue
    if submissionQueues[number].deletion != nil { finishDeletion(number) }
    return true
  }

  /// Posts the completion of a request that no deletion of its queue waits for.
  @inline(__always)
  private mutating func postSimple(_ request: Request, _ status: Status = .success) -> Bool {
    let number = request.submissionQueue
    let queue = submissionQueues[number].completionQueue
    guard
      ControllerPort.post(request, status, &submissionQueues[number], &completionQueues[queue])
    else { return false }
    unsignalled |= 1 &<< UInt64(truncatingIfNeeded: queue &- 1)
    return true
  }

  @inline(__always)
  private static func post(
    _ request: Request, _ status: Status, _ queue: inout SubmissionQueue, _ completions: inout CompletionQueue
  ) -> Bool {
    guard
      completions.post(
        status, dw0: 0, sqHead: queue.head, sqIdentifier: queue.identifier, command: request.commandIdentifier)
    else { return false }
    queue.inFlight &-= 1
    return true
  }

  /// What may have waited for a request to end.
  private mutating func settle(_ index: Int, _ isAwaited: Bool, _ resources: inout IOResources) {
    if isAwaited {
      awaited &-= 1
      if resources.requests[index].state == .parked { resources.requests[index].isAwaited = false }
    }
    if owesAcknowledgement { acknowledgeWhatIsDone() }
    if isStarved { isKicked = true }
  }

  @inline(never)
  private mutating func noteFailure(_ index: Int, _ status: Status, _ resources: borrowing IOResources) {
    let request = resources.requests[index]
    hasFailure = true
    description?.noteFailure(
      ErrorLog.Entry(
        submissionQueue: UInt16(truncatingIfNeeded: request.submissionQueue), command: request.commandIdentifier,
        status: status,
        slba: request.offset &>> (request.namespace < namespaces.count ? namespaces[request.namespace].blockShift : 0),
        namespaceIdentifier: UInt32(request.namespace + 1)))
  }

  /// Acknowledges a Delete I/O Submission Queue once its last command has completed.
  @inline(never)
  mutating func finishDeletion(_ number: Int) {
    guard let token = submissionQueues[number].deletion, submissionQueues[number].inFlight == 0 else { return }
    submissionQueues[number] = SubmissionQueue()
    acknowledge(token)
  }

  /// A request that waited for a bounce buffer goes on: there is one.
  mutating func resumeWaiter(_ index: Int, _ resources: inout IOResources) {
    guard let fd = file(index, resources) else {
      finish(index, .internalError, &resources)
      return
    }
    ControllerPort.bounceOrWait(index, fd, &resources)
  }

  /// Posts the completions that were parked, as far as that can be done now.
  mutating func unpark(_ resources: inout IOResources) {
    guard parked > 0, !isPaused else { return }
    for index in 0..<resources.requests.count
    where resources.requests[index].state == .parked && resources.requests[index].port == number {
      guard post(resources.requests[index], Status(rawValue: resources.requests[index].status)) else { continue }
      resources.requests.release(index)
      parked &-= 1
      inFlight &-= 1
    }
    if owesAcknowledgement { acknowledgeWhatIsDone() }
  }
}
