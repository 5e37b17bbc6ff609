import Glibc
import NVMeSpec

@testable import VFIOUser

/// What takes something away that I/O in flight uses: the answer waits for it.
extension SessionTarget {
  /// The pages for data are taken back, and given again.
  mutating func unmap() {
    host.flush()
    host.post(FuzzGuest.unmap(FuzzMemory.dataPages))
    host.work()
    let isAnswered = { [host] in host.hasReply }
    // A flush has no memory to wait for.
    finishAll("memory is given back", besidesSyncs: true, isAnswered)
    for queue in 1..<max(1, guest.queues.count) { take(queue) }
    let data = FuzzMemory.page(FuzzMemory.dataPages.lowerBound)
    let count = FuzzMemory.dataPages.count * FuzzMemory.pageSize
    let before = Array(UnsafeRawBufferPointer(start: data, count: count))
    host.flush { require($0.error == 0, "memory cannot be taken back") }
    // A transfer without memory fails.
    if guest.shadowPages == nil { refuse(namespace: input.choice(2), "a transfer succeeds that has no memory") }
    host.settle()
    before.withUnsafeBytes {
      guard let base = $0.baseAddress else { return }
      require(memcmp(base, data, count) == 0, "memory that was taken back is written to")
    }
    // In one piece, or in two.
    let middle = FuzzMemory.dataPages.lowerBound + input.choice(FuzzMemory.dataPages.count)
    for pages in [FuzzMemory.dataPages.lowerBound..<middle, middle..<FuzzMemory.dataPages.upperBound]
    where !pages.isEmpty {
      guest.map(pages, [.read, .write])
    }
    host.flush { require($0.error == 0, "memory is refused") }
    // Taken back as a whole again, it need not be given in the same pieces.
    host.call(FuzzGuest.unmap(FuzzMemory.dataPages))
    guest.map(FuzzMemory.dataPages, [.read, .write])
    host.flush { require($0.error == 0, "memory is refused") }
    for queue in 1..<max(1, guest.queues.count) { take(queue) }
  }

  /// A transfer that must fail.
  private mutating func refuse(namespace: Int, _ message: String) {
    guard guest.queues.count > 1 else { return }
    var read = SubmissionQueueEntry()
    read.opcode = NVMOpcode.read.rawValue
    read.commandIdentifier = 0xdead
    read.namespaceIdentifier = UInt32(namespace + 1)
    read.numberOfLogicalBlocks = 1
    read.prp1 = FuzzGuest.address(page: FuzzMemory.dataPages.lowerBound + 16)
    var status: Status?
    guest.submit(read, to: 1)
    guest.ring(1)
    guest.reap(1) { if $0.commandIdentifier == 0xdead { status = $0.status } }
    require(status?.isSuccess != true, message)
    require(status != nil || !guest.isReady, "a command that is wrong does not complete")
  }

  /// CC.EN 0 and 1: RDY is 0 only when no I/O is in flight.
  mutating func restart(shadow: (shadow: Int, eventIndex: Int)? = nil) {
    let wasReady = guest.isReady
    if wasReady, input.byte() & 1 == 1 {
      // CC.SHN first: what is in flight completes.
      guest.write(ControllerRegister.configuration, UInt64(FuzzGuest.enabled | 0x4000))
      host.work()
      let isShutDown = { [guest] in guest.status?.shutdownStatus == .complete }
      let hasFailed = { [guest] in guest.status?.controllerFatalStatus == true }
      finishAll("a controller is shut down") { isShutDown() || hasFailed() }
      // It is complete only when all is durable, and the controller fails where that cannot be.
      require((hasFailedSync ? hasFailed() : isShutDown()) || !host.isConnected, "a controller does not shut down")
      require(!isShutDown() || !hasFailedSync, "a shutdown is complete after a sync has failed")
      if isShutDown() { disks[1].flush(disks[1].marks) }
    }
    guest.write(ControllerRegister.configuration, 0x0046_0000)
    host.work()
    let isDisabled = { [guest] in wasReady && guest.status?.ready == false }
    finishAll("RDY is 0", isDisabled)
    require(guest.status?.ready != true, "a controller that is disabled stays ready")
    begin(shadow: shadow)
  }

  /// DEVICE_RESET, or a function level reset: answered only when no I/O is in flight.
  mutating func reset() {
    host.flush()
    if input.byte() & 1 == 1 {
      host.post(.deviceReset)
    } else {
      // Initiate Function Level Reset, in Device Control of the PCI Express capability.
      host.post(.regionWrite(RegionWrite(offset: 0x68, region: .config, data: RegionData(0x8000, count: 2))))
    }
    host.work()
    let isAnswered = { [host] in host.hasReply }
    finishAll("a reset is answered", isAnswered)
    host.flush { require($0.error == 0, "a reset is refused") }
    require(guest.status?.ready != true, "a controller that was reset is ready")
    guest.setCommand(FuzzGuest.memoryAndMaster)
    begin()
  }

  /// A controller that was reset takes commands again.
  private mutating func begin(shadow: (shadow: Int, eventIndex: Int)? = nil) {
    forgetTransfers()
    isWriteThrough = false
    guard host.isConnected else { return }
    guest.enable(ioQueues: SessionTarget.ioQueues, shadow: shadow)
    host.flush()
  }

  /// The second queue pair is deleted, and made again.
  mutating func recreateQueue() {
    guard guest.queues.count == 1 + SessionTarget.ioQueues, guest.isReady else { return }
    var delete = SubmissionQueueEntry()
    delete.opcode = AdminOpcode.deleteIOSubmissionQueue.rawValue
    delete.cdw10 = 2
    guard guest.begin(delete) else { return }
    if FuzzAIO.pending > 0, transfers.contains(where: { $0?.queue == 2 }) {
      require(!guest.hasCompletion(0), "a queue is deleted whose I/O is in flight")
    }
    isHeld = false
    FuzzAIO.release()
    host.work()
    for queue in 1...2 { take(queue) }
    require(guest.finish()?.status.isSuccess ?? !guest.isReady, "queue 2 cannot be deleted")
    delete.opcode = AdminOpcode.deleteIOCompletionQueue.rawValue
    require(guest.admin(delete)?.status.isSuccess ?? !guest.isReady, "queue 2 cannot be deleted")
    forgetTransfers()
    guard guest.isReady else { return }
    guest.forgetQueue(2)
    guest.createQueues(2..<3)
  }

  /// Without Bus Master nothing is fetched and nothing is written: it is off when no I/O is in flight.
  mutating func pauseBusMaster() {
    guard guest.queues.count > 1 else { return }
    host.flush()
    guest.setCommand(FuzzGuest.memorySpace)
    host.work()
    let isAnswered = { [host] in host.hasReply }
    finishAll("Bus Master is off", isAnswered)
    host.flush()
    var flush = SubmissionQueueEntry()
    flush.opcode = NVMOpcode.flush.rawValue
    flush.namespaceIdentifier = UInt32(1 + input.choice(2))
    flush.commandIdentifier = 0xf105
    guest.submit(flush, to: 1)
    let before = Array(
      UnsafeRawBufferPointer(start: FuzzMemory.address(0), count: FuzzMemory.queuePages.upperBound << 12))
    if guest.shadowPages == nil { guest.ring(1) }
    host.settle()
    before.withUnsafeBytes {
      guard let base = $0.baseAddress else { return }
      require(memcmp(base, FuzzMemory.address(0), $0.count) == 0, "memory is written to without Bus Master")
    }
    guest.setCommand(FuzzGuest.memoryAndMaster)
    host.flush()
    guest.ring(1)
    for queue in 1..<guest.queues.count { take(queue) }
    require(!guest.queues[1].isOutstanding(0xf105) || !guest.isReady, "a flush does not complete")
    release()
  }

  /// The second namespace goes, and comes back with what it held: on the same image, or on the disk opened anew.
  mutating func changeNamespace() {
    host.flush()
    do {
      let removal = try host.server.setNamespace(2, nil)
      host.settle()
      if FuzzAIO.pending > 0 { refuse(namespace: 1, "a namespace that is gone takes a command") }
      finishAll("a namespace is let go", { removal.value != nil })
      require(removal.value == true, "a namespace cannot be taken away")
      for queue in 1..<max(1, guest.queues.count) { take(queue) }
      refuse(namespace: 1, "a namespace that is gone takes a command")
      let choice = input.byte()
      if choice & 1 == 1 { useImage(choice & 2 == 0 ? .direct : .buffered) }
      let addition = try host.server.setNamespace(2, host.server.options.namespaces[1])
      host.settle()
      require(addition.value == true, "a namespace cannot be added")
    } catch { fatalError("\(error)") }
  }

  /// A moment without I/O in flight is waited for; commands go on after it.
  mutating func drain() {
    host.flush()
    do {
      let drain = try host.server.drain()
      host.settle()
      finishAll("a drain is over", { drain.value != nil })
      require(drain.value == !hasFailedSync || !guest.isReady, "a drain says \(String(describing: drain.value))")
      if drain.value == true { disks[1].flush(disks[1].marks) }
    } catch { fatalError("\(error)") }
    release()
  }

  /// A command in flight is aborted: it completes once all the same.
  mutating func abort() {
    guard guest.queues.count == 1 + SessionTarget.ioQueues else { return }
    let place = input.choice(SessionTarget.transferLimit)
    guard let transfer = transfers[place] else { return }
    var abort = SubmissionQueueEntry()
    abort.opcode = AdminOpcode.abort.rawValue
    abort.cdw10 = UInt32(0xa000 + place) << 16 | UInt32(transfer.queue)
    let completion = guest.admin(abort)
    for queue in 1...2 { take(queue) }
    guard let completion, completion.status.isSuccess, completion.dw0 & 1 == 0 else { return }
    require(transfers[place] == nil, "a command was aborted and does not complete")
  }
}
