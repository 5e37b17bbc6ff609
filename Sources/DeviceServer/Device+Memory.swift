import GuestMemory
import LinuxIO
import VFIOUser

/// Guest memory comes and goes.
extension Device {
  /// A range that the client has taken back while commands in flight use it.
  struct Unmapping {
    let address: UInt64
    let length: UInt64
    /// Mapped here until they have ended.
    let memory: DMATable.Removed
    /// Who wants to know.
    var waiters: [() -> Void]

    /// Whether another range, not longer than up to 2^64, has part of it.
    func meets(_ other: UInt64, _ otherLength: UInt64) -> Bool {
      other &- address < length || address &- other < otherLength
    }
  }

  /// Takes memory; `completion` is called when commands may use it.
  func map(
    _ map: DMAMap, _ descriptor: consuming FileDescriptor?, then completion: @escaping () -> Void
  ) throws(Errno) {
    var access: MemoryRegion.Access = []
    if map.flags.contains(.read) { access.insert(.read) }
    if map.flags.contains(.write) { access.insert(.write) }
    let region = try memory.map(
      iova: map.address, size: map.length, descriptor: descriptor, offset: map.fileOffset, access: access)
    guard let region else { return completion() }
    controller.map(region, then: completion)
  }

  /// Takes memory back; `completion` is called when nothing touches it and it is unmapped here.
  ///
  /// Memory that was taken back before and is still in use counts: who asks again waits for the same.
  func unmap(_ unmap: DMAUnmap, then completion: @escaping () -> Void) throws(Errno) {
    let isAll = unmap.flags.contains(.all)
    let removed = isAll ? memory.unmapAll() : try memory.unmap(iova: unmap.address, size: unmap.length)
    let address = isAll ? 0 : unmap.address
    let length = isAll ? UInt64.max : unmap.length
    var waiting = 1
    let finish = {
      waiting -= 1
      if waiting == 0 { completion() }
    }
    for number in unmappings.keys where unmappings[number]?.meets(address, length) == true {
      waiting += 1
      unmappings[number]?.waiters.append(finish)
    }
    if removed.count > 0 {
      waiting += 1
      remove(removed, address, length, waiters: [finish])
    }
    finish()
  }

  /// An access to guest memory hit a truncated file: no command reaches that range any more.
  func dropFaultedMemory() {
    let faulted = memory.takeFaulted()
    for region in faulted.regions { remove(faulted, region.iova, region.size, waiters: []) }
  }

  /// Has no new command reach a range, and keeps its memory until those in flight have ended.
  private func remove(_ removed: DMATable.Removed, _ address: UInt64, _ length: UInt64, waiters: [() -> Void]) {
    let number = nextUnmapping
    nextUnmapping += 1
    unmappings[number] = Unmapping(address: address, length: length, memory: removed, waiters: waiters)
    controller.unmap(iova: address, size: length) { [self] in
      // Here the memory is unmapped.
      let waiters = unmappings.removeValue(forKey: number)?.waiters ?? []
      for waiter in waiters { waiter() }
    }
  }
}
