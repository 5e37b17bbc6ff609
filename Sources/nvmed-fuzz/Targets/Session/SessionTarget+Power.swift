import Glibc
import NVMeSpec
import Storage

/// A flush of the model's own.
struct Flush {
  /// What the blocks held when it began.
  let marks: [UInt64?]
}

/// What is durable, and what happens to that which is not.
extension SessionTarget {
  private static let firstFlush: UInt16 = 0xb000

  /// Flushes the second namespace: done when this returns, or in flight on a disk that holds its requests.
  mutating func flush() {
    let choice = input.byte()
    guard guest.queues.count == 1 + SessionTarget.ioQueues,
      let place = flushes.firstIndex(where: { $0 == nil })
    else { return }
    let queue = 1 + Int(choice & 1)
    var entry = SubmissionQueueEntry()
    entry.opcode = NVMOpcode.flush.rawValue
    entry.commandIdentifier = SessionTarget.firstFlush + UInt16(place)
    // By its identifier, or as one of all.
    entry.namespaceIdentifier = choice & 2 == 0 ? 2 : .max
    flushes[place] = Flush(marks: disks[1].marks)
    guest.submit(entry, to: queue)
    guest.ring(queue)
    take(queue)
    require(isHeld || flushes[place] == nil || !guest.isReady, "a flush does not end")
  }

  /// Takes the completion of a flush, if it is one.
  mutating func endFlush(_ identifier: UInt16, _ status: Status) {
    let place = Int(identifier) - Int(SessionTarget.firstFlush)
    guard flushes.indices.contains(place), let flush = flushes[place] else { return }
    flushes[place] = nil
    if status.isSuccess {
      require(!hasFailedSync, "a flush succeeds after a sync has failed")
      disks[1].flush(flush.marks)
    } else {
      failures += 1
      require(hasFailedSync, "a flush fails though no sync has: \(status)")
    }
  }

  /// The write cache is turned off: everything is durable, and what is written from then on.
  mutating func turnCacheOff() {
    release()
    guard guest.queues.count > 1 else { return }
    var entry = SubmissionQueueEntry()
    entry.opcode = AdminOpcode.setFeatures.rawValue
    entry.cdw10 = UInt32(FeatureIdentifier.volatileWriteCache.rawValue)
    guard let completion = guest.admin(entry) else { return }
    require(completion.status.isSuccess != hasFailedSync, "the write cache is turned off: \(completion.status)")
    guard completion.status.isSuccess else { return }
    isWriteThrough = true
    disks[1].flush(disks[1].marks)
  }

  /// The machine loses its power, with what it has in flight; it begins anew, and what was durable is there.
  mutating func losePower() {
    host.disconnect()
    host.settle()
    while FuzzAIO.pending > 0 {
      FuzzAIO.finish(0, error: EIO)
      host.settle()
    }
    isHeld = false
    FuzzAIO.release()
    host.settle()
    require(!host.server.isServing, "a client that is gone is still served: \(host.server.diagnosis)")
    forgetTransfers()
    isWriteThrough = false
    FuzzImage.losePower()
    disks[1].losePower()
    useImage(.direct)
    host.connect()
    guest.begin(ioQueues: SessionTarget.ioQueues)
    if host.isConnected { verify() }
  }

  /// The clients to come have the disk opened anew.
  mutating func useImage(_ cache: ImageOptions.Cache) {
    hasFailedSync = false
    host.server.options.namespaces[1] = FuzzDisk.namespace(on: FuzzImage.make(cache))
  }
}
