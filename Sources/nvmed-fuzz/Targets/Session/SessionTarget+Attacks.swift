import NVMeSpec

@testable import VFIOUser

/// What no good guest or VMM does, and what a new one does after it.
extension SessionTarget {
  /// Any command; what it may have written is not known.
  mutating func anyCommand() {
    release()
    // It may write to doorbells in memory.
    if guest.shadowPages != nil { restart() }
    guard guest.queues.count > 1, let entry = CommandsTarget.command(&input, isAdmin: false) else { return }
    let queue = 1 + input.choice(guest.queues.count - 1)
    guest.submit(entry, to: queue)
    guest.ring(queue)
    guest.finish(queue)
    switch NVMOpcode(rawValue: entry.opcode) {
    case .read, .compare, .verify, .flush: break
    default: for namespace in disks.indices { disks[namespace].forget() }
    }
  }

  /// Any admin command.
  mutating func anyAdminCommand() {
    if guest.shadowPages != nil { restart() }
    guard !guest.queues.isEmpty, let entry = CommandsTarget.command(&input, isAdmin: true) else { return }
    // A completion queue that is used by more than the model knows of cannot be deleted.
    if entry.opcode == AdminOpcode.createIOSubmissionQueue.rawValue { return }
    // It may write to the pages of transfers in flight, and turn the write cache on.
    release()
    isWriteThrough = false
    guest.submit(entry, to: 0)
    guest.ring(0)
    guest.finish(0)
  }

  /// A doorbell that no queue has, or a value that it cannot have.
  mutating func invalidDoorbell() {
    let offset = DoorbellRegister.submissionQueueTail(UInt16(input.choice(6)))
    guest.write(offset, UInt64(input.integer(UInt16.self)) | 0x40)
    host.work()
  }

  /// The I/O queues' doorbells lie in memory from now on.
  mutating func useShadowDoorbells() {
    restart(shadow: SessionTarget.shadowPages)
  }

  /// The client makes its memory shorter under the device, which touches it: the controller may fail, the server may
  /// not; and with new memory and a reset it is as new.
  mutating func truncate() {
    release()
    guard guest.queues.count > 1 else { return }
    var entry = SubmissionQueueEntry()
    let choice = input.byte()
    entry.opcode = choice & 1 == 0 ? NVMOpcode.read.rawValue : NVMOpcode.write.rawValue
    entry.namespaceIdentifier = UInt32(1 + Int(choice >> 1 & 1))
    entry.numberOfLogicalBlocks = 16
    let page = FuzzMemory.dataPages.lowerBound + Int(choice >> 2 & 15)
    entry.prp1 = FuzzGuest.address(page: page)
    entry.prp2 = FuzzGuest.address(page: page + 1)
    guest.submit(entry, to: 1)
    let doorbell = guest.queues[1].tailDoorbell
    let tail = UInt64(guest.queues[1].tail)
    FuzzMemory.truncated(to: input.choice(page + 2)) {
      FuzzAIO.allowsFaults = true
      guest.write(doorbell, tail)
      host.work()
      FuzzAIO.allowsFaults = false
    }
    for namespace in disks.indices { disks[namespace].forget() }
    host.flush()
    host.call(.dmaUnmap(.all))
    host.call(.deviceReset)
    forgetTransfers()
    isWriteThrough = false
    guard host.isConnected else { return }
    for (pages, access) in FuzzGuest.maps { guest.map(pages, access) }
    guest.setCommand(FuzzGuest.memoryAndMaster)
    guest.enable(ioQueues: SessionTarget.ioQueues)
    host.flush { require($0.error == 0, "a client with new memory is refused") }
  }

  /// The client goes, with what it has in flight, and another comes: what was acknowledged is there.
  mutating func reconnect() {
    let hadRequests = FuzzAIO.pending > 0
    host.disconnect()
    host.settle()
    require(!hadRequests || host.server.isServing, "a client is forgotten whose I/O is in flight")
    let isForgotten = { [host] in !host.server.isServing }
    finishAll("a client is forgotten", isForgotten)
    require(!host.server.isServing, "a client that is gone is still served: \(host.server.diagnosis)")
    forgetTransfers()
    isWriteThrough = false
    host.connect()
    guest.begin(ioQueues: SessionTarget.ioQueues)
  }
}
