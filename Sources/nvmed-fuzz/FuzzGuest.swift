import Glibc
import LinuxIO
import NVMeSpec

@testable import VFIOUser

/// A guest on a host: registers, queues, and memory whose pages the device may or may not touch.
///
/// | pages | device may |
/// |---|---|
/// | 0..7 | read and write: queues |
/// | 8..47 | read and write |
/// | 48..63 | read |
/// | 64..71 | write |
/// | 72..95 | nothing: not mapped |
final class FuzzGuest {
  static let iova: UInt64 = 0x1_0000_0000
  static let dataPages = 8..<48
  static let readOnlyPages = 48..<64
  static let hiddenPages = 72..<96
  private static let queueEntries = 32

  let host = FuzzHost()
  private(set) var queues: [FuzzQueue] = []
  /// What is mapped, as ranges of pages.
  private(set) var mapped: [Range<Int>] = []
  /// What pages that the device must not write to hold.
  private var guarded: [UInt8] = []

  /// Connects, maps, enables and makes `ioQueues` queue pairs.
  init(ioQueues: Int) {
    host.negotiate()
    fillHiddenPages()
    map(0..<48, [.read, .write])
    map(FuzzGuest.readOnlyPages, .read)
    map(64..<72, .write)
    // Memory space and bus master.
    _ = host.call(.regionWrite(RegionWrite(offset: 4, region: .config, data: RegionData(6, count: 2))))
    enable()
    for index in 0..<ioQueues { createQueue(UInt16(index + 1)) }
  }

  deinit { checkGuardedPages() }

  // MARK: Memory

  static func address(page: Int) -> UInt64 { iova + UInt64(page) * UInt64(FuzzHost.pageSize) }

  private func fillHiddenPages() {
    var value: UInt64 = 0x0123_4567_89ab_cdef
    for offset in stride(from: 48 * FuzzHost.pageSize, to: FuzzHost.pageCount * FuzzHost.pageSize, by: 8) {
      unsafe host.address(offset).storeBytes(of: value, as: UInt64.self)
      value = value &* 6_364_136_223_846_793_005 &+ 1
    }
    guardPages()
  }

  private var guardedRanges: [Range<Int>] { [FuzzGuest.readOnlyPages, FuzzGuest.hiddenPages] }

  private func guardPages() { guarded = guardedContents() }

  private func guardedContents() -> [UInt8] {
    guardedRanges.flatMap { pages in
      unsafe Array(
        UnsafeRawBufferPointer(
          start: host.address(pages.lowerBound * FuzzHost.pageSize), count: pages.count * FuzzHost.pageSize))
    }
  }

  private func checkGuardedPages() {
    precondition(guardedContents() == guarded, "the device wrote where it must not")
  }

  /// Changes guest memory as a guest does.
  func poke(_ offset: Int, _ value: UInt64) {
    let place = min(offset, FuzzHost.pageCount * FuzzHost.pageSize - 8) & ~7
    // Queues are the model's.
    guard place >= 8 * FuzzHost.pageSize else { return }
    unsafe host.address(place).storeBytes(of: value, as: UInt64.self)
    if guardedRanges.contains(where: { $0.contains(place / FuzzHost.pageSize) }) { guardPages() }
  }

  func map(_ pages: Range<Int>, _ access: DMAMap.Flags) {
    let size = UInt64(FuzzHost.pageSize)
    let map = DMAMap(
      flags: access, fileOffset: UInt64(pages.lowerBound) * size, address: FuzzGuest.address(page: pages.lowerBound),
      length: UInt64(pages.count) * size)
    _ = host.call(.dmaMap(map), descriptors: [host.memory.descriptor.rawValue])
  }

  func unmap(_ pages: Range<Int>) -> Bool {
    let unmap = DMAUnmap(
      address: FuzzGuest.address(page: pages.lowerBound), length: UInt64(pages.count * FuzzHost.pageSize))
    return host.call(.dmaUnmap(unmap))?.error == nil
  }

  // MARK: Registers

  func write32(_ offset: UInt64, _ value: UInt32) {
    _ = host.call(
      .regionWrite(RegionWrite(offset: offset, region: .bar0, data: RegionData(UInt64(value), count: 4))))
  }

  func write64(_ offset: UInt64, _ value: UInt64) {
    _ = host.call(.regionWrite(RegionWrite(offset: offset, region: .bar0, data: RegionData(value, count: 8))))
  }

  func read32(_ offset: UInt64) -> UInt32? {
    guard let reply = host.call(.regionRead(RegionAccess(offset: offset, region: .bar0, count: 4))),
      reply.error == nil, reply.payload.count == RegionAccess.size + 4
    else { return nil }
    return reply.payload.withUnsafeBytes { unsafe $0.loadUnaligned(fromByteOffset: RegionAccess.size, as: UInt32.self) }
  }

  var status: ControllerStatus? { read32(ControllerRegister.status).map { ControllerStatus(rawValue: $0) } }

  /// Whether the controller takes commands.
  var isReady: Bool { status.map { $0.ready && !$0.controllerFatalStatus } ?? false }

  /// Enables the controller with an admin queue.
  func enable() {
    let entries = FuzzGuest.queueEntries
    clear(0..<2)
    queues = [FuzzQueue(identifier: 0, entries: entries, submission: 0, completion: FuzzHost.pageSize)]
    let size = UInt32(entries - 1)
    write32(ControllerRegister.adminQueueAttributes, size | size << 16)
    write64(ControllerRegister.adminSubmissionQueueBase, FuzzGuest.address(page: 0))
    write64(ControllerRegister.adminCompletionQueueBase, FuzzGuest.address(page: 1))
    var configuration = ControllerConfiguration()
    configuration.ioSubmissionQueueEntrySize = 6
    configuration.ioCompletionQueueEntrySize = 4
    configuration.enable = true
    write32(ControllerRegister.configuration, configuration.rawValue)
    host.settle()
  }

  private func clear(_ pages: Range<Int>) {
    unsafe memset(host.address(pages.lowerBound * FuzzHost.pageSize), 0, pages.count * FuzzHost.pageSize)
  }

  /// Makes a queue pair in the pages of its own, as a driver does.
  func createQueue(_ identifier: UInt16) {
    let page = Int(identifier) * 2
    precondition(page < 8)
    clear(page..<page + 2)
    let size = UInt32(FuzzGuest.queueEntries - 1) << 16 | UInt32(identifier)
    var create = SubmissionQueueEntry()
    create.opcode = AdminOpcode.createIOCompletionQueue.rawValue
    create.prp1 = FuzzGuest.address(page: page + 1)
    create.cdw10 = size
    create.cdw11 = 1
    guard admin(create) else { return }
    create.opcode = AdminOpcode.createIOSubmissionQueue.rawValue
    create.prp1 = FuzzGuest.address(page: page)
    create.cdw11 = UInt32(identifier) << 16 | 1
    guard admin(create) else { return }
    queues.append(
      FuzzQueue(
        identifier: identifier, entries: FuzzGuest.queueEntries, submission: page * FuzzHost.pageSize,
        completion: (page + 1) * FuzzHost.pageSize))
  }

  // MARK: Commands

  /// An admin command; whether it succeeded.
  func admin(_ entry: SubmissionQueueEntry) -> Bool {
    var entry = entry
    entry.commandIdentifier = 0xfeed
    submit(entry, to: 0)
    ring(0)
    var status: Status?
    for _ in 0..<5_000 where status == nil && host.isConnected {
      reap(0) { completion in if completion.commandIdentifier == 0xfeed { status = completion.status } }
      if status != nil || !isReady { break }
      host.wait()
    }
    return status?.isSuccess ?? false
  }

  func submit(_ entry: SubmissionQueueEntry, to index: Int) {
    guard index < queues.count, !queues[index].isFull else { return }
    queues[index].push(entry, host)
  }

  /// Rings the tail doorbell of a queue by a message without a reply, and lets the device work.
  func ring(_ index: Int) {
    guard index < queues.count else { return }
    let write = RegionWrite(
      offset: queues[index].tailDoorbell, region: .bar0, data: RegionData(UInt64(queues[index].tail), count: 4))
    host.send(Request.regionWrite(write).message(id: 0, noReply: true))
    host.settle()
  }

  /// Takes what has completed, and rings the head doorbell.
  func reap(_ index: Int, _ body: (CompletionQueueEntry) -> Void) {
    guard index < queues.count else { return }
    var count = 0
    while count < 1024, let completion = queues[index].pop(host) {
      body(completion)
      count += 1
    }
    guard count > 0 else { return }
    let write = RegionWrite(
      offset: queues[index].headDoorbell, region: .bar0, data: RegionData(UInt64(queues[index].head), count: 4))
    host.send(Request.regionWrite(write).message(id: 0, noReply: true))
    host.settle()
  }

  /// Takes completions until every command has its own.
  func finish(_ index: Int, _ body: (CompletionQueueEntry) -> Void = { _ in }) {
    guard index < queues.count else { return }
    reap(index, body)
    var waits = 0
    while index < queues.count, queues[index].inFlight > 0, host.isConnected {
      waits += 1
      precondition(waits < 5_000 || !isReady, "queue \(queues[index].identifier): commands that never complete")
      if waits > 10, !isReady { return }
      host.wait()
      reap(index, body)
    }
  }

  /// The controller's queues are gone, or are not what the model thinks any more.
  func forgetQueues() { queues = [] }

  /// This queue was deleted.
  func forgetQueue(_ identifier: UInt16) { queues.removeAll { $0.identifier == identifier } }

  /// The model of a queue, to change what it expects.
  func change(_ index: Int, _ body: (inout FuzzQueue) -> Void) { body(&queues[index]) }
}
