import Glibc
import NVMeSpec

/// A read or a write of the model's own.
struct Transfer {
  let isWrite: Bool
  /// The I/O queue.
  let queue: UInt16
  /// From 0.
  let namespace: Int
  let blocks: Range<Int>
  let mark: UInt64
  /// Force Unit Access.
  var isForced = false
  /// Whether it is durable when it completes.
  var isDurable = false
  /// Whether its data is where a disk cannot reach it without a copy.
  var isMisaligned = false
  /// Whether another one in flight touches its blocks: what they hold then is not known.
  var isBlurred = false
}

extension SessionTarget {
  private static let firstIdentifier: UInt16 = 0xa000
  /// The place of transfers that are waited for at once.
  private static let awaitedPlace = transferLimit

  private static func identifier(_ place: Int) -> UInt16 { firstIdentifier + UInt16(place) }

  /// The pages of a transfer.
  private static func page(_ place: Int) -> Int { FuzzMemory.dataPages.lowerBound + 2 * place }

  /// Where in its pages a transfer has its data.
  private static func offset(_ transfer: Transfer) -> Int { transfer.isMisaligned ? 256 : 0 }

  private static func data(_ transfer: Transfer, _ place: Int) -> UnsafeMutableRawPointer {
    FuzzMemory.page(page(place)) + offset(transfer)
  }

  /// Reads or writes: done when this returns, or in flight on a disk that holds its requests.
  mutating func transfer(_ opcode: NVMOpcode) {
    let choice = input.byte()
    let namespace = Int(choice & 1)
    let queue = 1 + Int(choice >> 1 & 1)
    let position = Int(input.byte())
    let first = position % FuzzDisk.blockCount
    let isMisaligned = position >= FuzzDisk.blockCount
    let count = min(1 + Int(choice >> 4), FuzzDisk.blockCount - first, isMisaligned ? 15 : 16)
    guard guest.queues.count == 1 + SessionTarget.ioQueues else { return }
    var place = SessionTarget.awaitedPlace
    let staysInFlight = isHeld && namespace == 1
    if staysInFlight {
      guard let free = transfers.firstIndex(where: { $0 == nil }) else { return }
      place = free
    }
    var transfer = Transfer(
      isWrite: opcode == .write, queue: UInt16(queue), namespace: namespace, blocks: first..<first + count,
      mark: nextMark(), isForced: choice & 8 != 0, isDurable: isWriteThrough || choice & 8 != 0,
      isMisaligned: isMisaligned)
    let entry = entry(opcode, transfer, place, usesSGL: choice & 4 != 0)
    if staysInFlight { blur(&transfer) }
    if staysInFlight { transfers[place] = transfer }
    awaited = nil
    guest.submit(entry, to: queue)
    guest.ring(queue)
    take(queue)
    if staysInFlight { return }
    guard let status = awaited else {
      require(!guest.isReady, "\(opcode) of blocks \(transfer.blocks) does not end")
      return disks[namespace].forget()
    }
    require(status.isSuccess, "\(opcode) of blocks \(transfer.blocks) failed: \(status)")
    finish(transfer, place)
  }

  private func entry(
    _ opcode: NVMOpcode, _ transfer: Transfer, _ place: Int, usesSGL: Bool
  ) -> SubmissionQueueEntry {
    let page = SessionTarget.page(place)
    let offset = SessionTarget.offset(transfer)
    if transfer.isWrite {
      BlockModel.fill(SessionTarget.data(transfer, place), transfer.blocks, mark: transfer.mark)
    }
    var entry = SubmissionQueueEntry()
    entry.opcode = opcode.rawValue
    entry.commandIdentifier = SessionTarget.identifier(place)
    entry.namespaceIdentifier = UInt32(transfer.namespace + 1)
    entry.slba = UInt64(transfer.blocks.lowerBound)
    entry.numberOfLogicalBlocks = UInt32(transfer.blocks.count)
    entry.forceUnitAccess = transfer.isForced
    entry.dataPointer0 = FuzzGuest.address(page: page) + UInt64(offset)
    if usesSGL {
      // One data block descriptor.
      entry.dataTransferType = 1
      entry.dataPointer1 = UInt64(transfer.blocks.count << 9)
    } else if offset + transfer.blocks.count << 9 > FuzzMemory.pageSize {
      entry.dataPointer1 = FuzzGuest.address(page: page + 1)
    }
    return entry
  }

  /// Marks transfers that touch the same blocks.
  private mutating func blur(_ new: inout Transfer) {
    for place in transfers.indices {
      guard let other = transfers[place], other.blocks.overlaps(new.blocks), other.isWrite || new.isWrite else {
        continue
      }
      transfers[place]?.isBlurred = true
      new.isBlurred = true
    }
  }

  /// Takes the completions of a queue.
  mutating func take(_ queue: Int) {
    var ended: [(identifier: UInt16, status: Status)] = []
    guest.reap(queue) { ended.append(($0.commandIdentifier, $0.status)) }
    for (identifier, status) in ended { end(identifier, status) }
  }

  private mutating func end(_ identifier: UInt16, _ status: Status) {
    let place = Int(identifier) - Int(SessionTarget.firstIdentifier)
    if place == SessionTarget.awaitedPlace { awaited = status }
    endFlush(identifier, status)
    guard transfers.indices.contains(place), let transfer = transfers[place] else { return }
    transfers[place] = nil
    if status.isSuccess { return finish(transfer, place) }
    failures += 1
    if transfer.isWrite { disks[transfer.namespace].forget(transfer.blocks) }
  }

  /// A transfer has ended well.
  private mutating func finish(_ transfer: Transfer, _ place: Int) {
    if transfer.isWrite {
      if transfer.isBlurred {
        disks[transfer.namespace].forget(transfer.blocks)
      } else {
        disks[transfer.namespace].write(transfer.blocks, mark: transfer.mark, isDurable: transfer.isDurable)
      }
    } else if !transfer.isBlurred {
      disks[transfer.namespace].check(SessionTarget.data(transfer, place), transfer.blocks)
    }
  }

  // MARK: The disk

  /// Requests stay in flight from now on.
  mutating func hold() {
    isHeld = true
    FuzzAIO.hold()
  }

  /// One request in flight finishes: well, in part, or with an error.
  mutating func finishOne() {
    guard FuzzAIO.pending > 0 else { return }
    let place = input.choice(FuzzAIO.pending)
    let choice = input.byte()
    let before = (failures, FuzzAIO.pending)
    switch choice & 3 {
    case 3:
      if FuzzAIO.isSync(place) { hasFailedSync = true }
      FuzzAIO.finish(place, error: [EIO, ENOSPC, ENODATA, EREMOTEIO][Int(choice >> 2 & 3)])
    // The rest of it is asked for again.
    case 2: FuzzAIO.finish(place, limit: 512 * Int(choice >> 2 & 7) + Int(choice >> 5))
    default: FuzzAIO.finish(place)
    }
    host.work()
    for queue in 1..<max(1, guest.queues.count) { take(queue) }
    if choice & 3 == 3 { require(failures == before.0 + 1, "a command succeeds whose I/O has failed") }
  }

  /// Everything in flight finishes, and what is to come does so at once.
  mutating func release() {
    isHeld = false
    FuzzAIO.release()
    host.work()
    for queue in 1..<max(1, guest.queues.count) { take(queue) }
    require(
      transfers.allSatisfy { $0 == nil } && flushes.allSatisfy { $0 == nil } || !guest.isReady,
      "a command whose I/O has ended does not complete")
    forgetTransfers()
  }

  /// Finishes what is in flight, one by one and in any order; `isAnswered` must not be true before the last.
  ///
  /// - Parameter besidesSyncs: whether syncs are not waited for.
  mutating func finishAll(_ what: String, besidesSyncs: Bool = false, _ isAnswered: () -> Bool) {
    isHeld = false
    while FuzzAIO.pending > 0 {
      let isAwaited = !besidesSyncs || (0..<FuzzAIO.pending).contains { !FuzzAIO.isSync($0) }
      require(!isAwaited || !isAnswered(), "\(what) while I/O is in flight")
      FuzzAIO.finish(input.choice(FuzzAIO.pending))
      host.settle()
    }
    FuzzAIO.release()
    host.settle()
  }

  /// The transfers in flight have no completion any more: what they have written is not known.
  mutating func forgetTransfers() {
    for place in transfers.indices {
      if let transfer = transfers[place], transfer.isWrite { disks[transfer.namespace].forget(transfer.blocks) }
      transfers[place] = nil
    }
    for place in flushes.indices { flushes[place] = nil }
  }

  /// All blocks that are known are read.
  mutating func verify() {
    release()
    guard guest.queues.count > 1 else { return }
    for namespace in 0..<2 {
      for first in stride(from: 0, to: FuzzDisk.blockCount, by: 16) {
        let blocks = first..<first + 16
        guard disks[namespace].knows(blocks) else { continue }
        let transfer = Transfer(isWrite: false, queue: 1, namespace: namespace, blocks: blocks, mark: 0)
        awaited = nil
        guest.submit(entry(.read, transfer, SessionTarget.awaitedPlace, usesSGL: false), to: 1)
        guest.ring(1)
        take(1)
        guard let status = awaited else { return require(!guest.isReady, "a read does not end") }
        require(status.isSuccess, "a read of blocks \(blocks) failed: \(status)")
        finish(transfer, SessionTarget.awaitedPlace)
      }
    }
  }
}
