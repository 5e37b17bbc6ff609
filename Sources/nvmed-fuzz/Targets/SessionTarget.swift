import Glibc
import NVMeSpec

@testable import VFIOUser

/// Whole sessions with a model of what must hold: blocks read are those that were written, commands complete once, and
/// a controller that was reset works again, whatever came in between.
struct SessionTarget {
  private let guest: FuzzGuest
  private var input: FuzzInput
  /// What the first namespace holds, as far as it is known.
  private var disk = [UInt8](repeating: 0, count: FuzzDisk.blockCount << 9)
  private var isKnown = [Bool](repeating: false, count: FuzzDisk.blockCount)
  private var mark: UInt64 = 1

  static func test(_ bytes: [UInt8]) {
    var session = SessionTarget(bytes)
    session.run()
  }

  private init(_ bytes: [UInt8]) {
    input = FuzzInput(bytes)
    guest = FuzzGuest(ioQueues: 2)
  }

  private mutating func run() {
    while !input.isEmpty, guest.host.isConnected {
      switch input.byte() & 15 {
      case 0, 1, 2: write()
      case 3, 4, 5: read()
      case 6, 7: anyCommand()
      case 8: anyAdminCommand()
      case 9: remap()
      case 10: restart()
      case 11: reset()
      case 12: invalidDoorbell()
      case 13: recreateQueue()
      case 14: pauseBusMaster()
      default:
        let bytes = input.rest(Int(input.byte()))
        guest.host.send(bytes)
        guest.host.settle()
        guest.host.discardReplies()
        // What is left of a message would be the beginning of the model's next one.
        return
      }
    }
  }

  private mutating func transfer(_ opcode: NVMOpcode, _ body: (_ entry: SubmissionQueueEntry) -> Void) -> (
    range: Range<Int>, page: Int, isSuccess: Bool
  )? {
    guard guest.queues.count > 1, guest.isReady else { return nil }
    let queue = 1 + input.choice(guest.queues.count - 1)
    guard !guest.queues[queue].isFull else { return nil }
    let first = Int(input.byte())
    let count = min(1 + input.choice(16), FuzzDisk.blockCount - first)
    let page = FuzzGuest.dataPages.lowerBound + input.choice(FuzzGuest.dataPages.count - 2)
    var entry = SubmissionQueueEntry()
    entry.opcode = opcode.rawValue
    entry.namespaceIdentifier = 1
    entry.slba = UInt64(first)
    entry.numberOfLogicalBlocks = UInt32(count)
    entry.prp1 = FuzzGuest.address(page: page)
    if count > 8 { entry.prp2 = FuzzGuest.address(page: page + 1) }
    entry.commandIdentifier = 0xc0de
    body(entry)
    guest.submit(entry, to: queue)
    guest.ring(queue)
    var isSuccess: Bool?
    guest.finish(queue) { completion in
      if completion.commandIdentifier == 0xc0de { isSuccess = completion.status.isSuccess }
    }
    guard let isSuccess else { return nil }
    precondition(isSuccess, "\(opcode) of blocks \(first)+\(count) failed")
    return (first..<first + count, page, isSuccess)
  }

  private func bytes(_ page: Int, _ count: Int) -> [UInt8] {
    unsafe Array(UnsafeRawBufferPointer(start: guest.host.address(page * FuzzHost.pageSize), count: count))
  }

  private mutating func write() {
    mark &+= 1
    let value = mark &* 0x9e37_79b9_7f4a_7c15
    for page in FuzzGuest.dataPages {
      unsafe guest.host.address(page * FuzzHost.pageSize + 8 * (page % 512)).storeBytes(of: value, as: UInt64.self)
    }
    guard let done = transfer(.write, { _ in }) else { return forgetAll() }
    let data = bytes(done.page, done.range.count << 9)
    disk.replaceSubrange(done.range.lowerBound << 9..<done.range.upperBound << 9, with: data)
    for block in done.range { isKnown[block] = true }
  }

  private mutating func read() {
    guard let done = transfer(.read, { _ in }) else { return }
    let data = bytes(done.page, done.range.count << 9)
    for (index, block) in done.range.enumerated() where isKnown[block] {
      precondition(
        data[index << 9..<(index + 1) << 9] == disk[block << 9..<(block + 1) << 9], "block \(block) is another")
    }
  }

  /// A command was given that may have written, or one whose end is not known.
  private mutating func forgetAll() {
    for block in isKnown.indices { isKnown[block] = false }
  }

  private mutating func anyCommand() {
    guard guest.queues.count > 1 else { return }
    let queue = 1 + input.choice(guest.queues.count - 1)
    let entry = CommandsTarget.command(&input, isAdmin: false)
    guest.submit(entry, to: queue)
    guest.ring(queue)
    guest.finish(queue)
    switch NVMOpcode(rawValue: entry.opcode) {
    case .read, .compare, .verify, .flush: break
    default: forgetAll()
    }
  }

  private mutating func anyAdminCommand() {
    let entry = CommandsTarget.command(&input, isAdmin: true)
    guest.submit(entry, to: 0)
    guest.ring(0)
    guest.finish(0)
    if entry.opcode == AdminOpcode.formatNVM.rawValue { forgetAll() }
  }

  /// Takes data pages away and gives them back.
  private mutating func remap() {
    let first = FuzzGuest.dataPages.lowerBound + input.choice(FuzzGuest.dataPages.count)
    let count = min(1 + input.choice(8), FuzzGuest.dataPages.upperBound - first)
    // A range is unmapped as it was mapped.
    let all = 0..<FuzzGuest.dataPages.upperBound
    guard guest.unmap(all) else { return }
    let before = bytes(0, all.count * FuzzHost.pageSize)
    guest.host.settle()
    precondition(bytes(0, all.count * FuzzHost.pageSize) == before, "memory that was taken back was written to")
    guest.map(0..<first, [.read, .write])
    guest.map(first..<first + count, [.read, .write])
    if first + count < all.upperBound { guest.map(first + count..<all.upperBound, [.read, .write]) }
    for pages in [0..<first, first..<first + count, first + count..<all.upperBound] where !pages.isEmpty {
      precondition(guest.unmap(pages), "a range that was mapped cannot be unmapped")
    }
    guest.map(all, [.read, .write])
  }

  /// CC.EN 0 and 1, with commands given that nobody rang for.
  private mutating func restart() {
    for _ in 0..<input.choice(4) { guest.submit(CommandsTarget.command(&input, isAdmin: false), to: 1) }
    if input.byte() & 1 == 1 { guest.write32(ControllerRegister.configuration, 0x0046_4001) }
    guest.write32(ControllerRegister.configuration, 0x0046_0000)
    for _ in 0..<5_000 {
      guest.host.settle()
      guard let status = guest.status else { return }
      if !status.ready { break }
      guest.host.wait()
    }
    begin()
  }

  private mutating func reset() {
    if input.byte() & 1 == 1 {
      _ = guest.host.call(.deviceReset)
    } else {
      // Initiate Function Level Reset, in Device Control of the PCI Express capability, wherever that is.
      for offset in [UInt64(0x48), 0x88, 0x78, 0xb8] {
        _ = guest.host.call(
          .regionWrite(RegionWrite(offset: offset, region: .config, data: RegionData(0x8000, count: 2))))
      }
      _ = guest.host.call(.deviceReset)
    }
    _ = guest.host.call(.regionWrite(RegionWrite(offset: 4, region: .config, data: RegionData(6, count: 2))))
    begin()
  }

  /// A controller that was reset takes commands again.
  private mutating func begin() {
    guest.forgetQueues()
    guest.enable()
    guard guest.host.isConnected else { return }
    for _ in 0..<5_000 where !guest.isReady { guest.host.wait() }
    precondition(guest.isReady, "a controller that was reset is not ready")
    guest.createQueue(1)
    guest.createQueue(2)
    precondition(guest.queues.count == 3, "a controller that was reset makes no queues")
  }

  private mutating func invalidDoorbell() {
    guard guest.queues.count > 1 else { return }
    let offset = DoorbellRegister.submissionQueueTail(UInt16(input.choice(6)))
    let value = UInt64(input.integer(UInt16.self)) | 0x40
    let write = RegionWrite(offset: offset, region: .bar0, data: RegionData(value, count: 4))
    guest.host.send(Request.regionWrite(write).message(id: 0, noReply: true))
    guest.host.settle()
  }

  private mutating func recreateQueue() {
    guard guest.queues.count == 3, guest.isReady else { return }
    var delete = SubmissionQueueEntry()
    delete.opcode = AdminOpcode.deleteIOSubmissionQueue.rawValue
    delete.cdw10 = 2
    precondition(guest.admin(delete) || !guest.isReady, "queue 2 cannot be deleted")
    delete.opcode = AdminOpcode.deleteIOCompletionQueue.rawValue
    precondition(guest.admin(delete) || !guest.isReady, "queue 2 cannot be deleted")
    guard guest.isReady else { return }
    guest.forgetQueue(2)
    guest.createQueue(2)
    precondition(guest.queues.count == 3 || !guest.isReady, "queue 2 cannot be made again")
  }

  /// Without Bus Master nothing is fetched and nothing is written.
  private mutating func pauseBusMaster() {
    guard guest.queues.count > 1, guest.isReady else { return }
    setCommand(2)
    guest.submit(CommandsTarget.command(&input, isAdmin: false), to: 1)
    let all = FuzzHost.pageCount
    let before = bytes(0, all * FuzzHost.pageSize)
    guest.ring(1)
    guest.host.settle()
    precondition(bytes(0, all * FuzzHost.pageSize) == before, "memory was written to without Bus Master")
    setCommand(6)
    guest.ring(1)
    guest.finish(1)
    forgetAll()
  }

  private func setCommand(_ value: UInt64) {
    _ = guest.host.call(.regionWrite(RegionWrite(offset: 4, region: .config, data: RegionData(value, count: 2))))
  }
}
