import Glibc
import LinuxIO
import NVMeSpec

@testable import VFIOUser

/// A guest on a host: registers and queues, in the memory that `FuzzMemory` is.
final class FuzzGuest {
  /// Where the device sees memory; the queues' pages elsewhere, so that an input that is to scribble over them can be
  /// told by its addresses.
  static let iova: UInt64 = 0x1_0000_0000
  private static let queueIOVA: UInt64 = 0x0bad_c0de_dead_0000
  /// What a driver writes to enable a controller.
  static let enabled: UInt32 = 0x0046_0001
  /// The command identifier of what the model itself asks of the admin queue.
  private static let ownIdentifier: UInt16 = 0xfeed

  let host: FuzzHost
  private(set) var queues: [FuzzQueue] = []
  /// The pages that hold the I/O queues' doorbells and event indexes (Doorbell Buffer Config).
  private(set) var shadowPages: (shadow: Int, eventIndex: Int)?

  /// Connects, maps, enables and makes `ioQueues` queue pairs.
  init(_ host: FuzzHost, ioQueues: Int) {
    self.host = host
    begin(ioQueues: ioQueues)
  }

  /// As a guest begins whose VMM has just connected.
  func begin(ioQueues: Int) {
    host.negotiate()
    for (pages, access) in FuzzGuest.maps { map(pages, access) }
    setCommand(FuzzGuest.memoryAndMaster)
    enable(ioQueues: ioQueues)
    host.flush { require($0.error == 0, "a good VMM is refused") }
  }

  // MARK: Memory

  static func address(page: Int) -> UInt64 {
    (FuzzMemory.queuePages.contains(page) ? queueIOVA : iova) + UInt64(page) * UInt64(FuzzMemory.pageSize)
  }

  /// Whether a transfer at that address may touch the queues.
  static func isNearQueues(_ address: UInt64) -> Bool {
    // The largest transfer, and what a list may begin before.
    let margin: UInt64 = 1 << 16
    return address &- (queueIOVA - margin) < 2 * margin
  }

  /// What is mapped, by ranges.
  static let maps: [(pages: Range<Int>, access: DMAMap.Flags)] = [
    (FuzzMemory.queuePages, [.read, .write]), (FuzzMemory.dataPages, [.read, .write]),
    (FuzzMemory.readOnlyPages, .read), (FuzzMemory.writeOnlyPages, .write),
  ]

  /// Asks for a range to be mapped.
  func map(_ pages: Range<Int>, _ access: DMAMap.Flags) {
    let size = UInt64(FuzzMemory.pageSize)
    let map = DMAMap(
      flags: access, fileOffset: UInt64(pages.lowerBound) * size, address: FuzzGuest.address(page: pages.lowerBound),
      length: UInt64(pages.count) * size)
    host.post(.dmaMap(map), descriptor: FuzzMemory.give())
  }

  /// What takes a range back.
  static func unmap(_ pages: Range<Int>) -> Request {
    .dmaUnmap(DMAUnmap(address: address(page: pages.lowerBound), length: UInt64(pages.count * FuzzMemory.pageSize)))
  }

  // MARK: Registers

  /// Memory space and bus master, in the PCI command register.
  static let memoryAndMaster: UInt64 = 6
  /// Memory space alone.
  static let memorySpace: UInt64 = 2

  /// Writes the PCI command register; the effects are there when the reply is.
  func setCommand(_ value: UInt64) {
    host.post(.regionWrite(RegionWrite(offset: 4, region: .config, data: RegionData(value, count: 2))))
  }

  /// Writes a register, soon.
  func write(_ offset: UInt64, _ value: UInt64, count: Int = 4) {
    host.post(
      .regionWrite(RegionWrite(offset: offset, region: .bar0, data: RegionData(value, count: count))), noReply: true)
  }

  /// CSTS; nil where the client was sent away.
  var status: ControllerStatus? {
    let access = RegionAccess(offset: ControllerRegister.status, region: .bar0, count: 4)
    return host.call(.regionRead(access)).map { ControllerStatus(rawValue: UInt32(truncatingIfNeeded: $0.value)) }
  }

  /// Whether the controller takes commands.
  var isReady: Bool { status.map { $0.ready && !$0.controllerFatalStatus } ?? false }

  /// Enables the controller, and makes `ioQueues` queue pairs as a driver does.
  ///
  /// - Parameter shadow: pages for the I/O queues' doorbells and event indexes.
  func enable(ioQueues: Int, shadow: (shadow: Int, eventIndex: Int)? = nil) {
    queues = [FuzzQueue(identifier: 0)]
    shadowPages = nil
    let size = UInt64(FuzzQueue.entries - 1)
    write(ControllerRegister.adminQueueAttributes, size | size << 16)
    write(ControllerRegister.adminSubmissionQueueBase, FuzzGuest.address(page: 0), count: 8)
    write(ControllerRegister.adminCompletionQueueBase, FuzzGuest.address(page: 1), count: 8)
    write(ControllerRegister.configuration, UInt64(FuzzGuest.enabled))
    if let shadow { configureDoorbellBuffers(shadow) }
    createQueues(1..<UInt16(1 + ioQueues))
  }

  private func configureDoorbellBuffers(_ pages: (shadow: Int, eventIndex: Int)) {
    var configure = SubmissionQueueEntry()
    configure.opcode = AdminOpcode.doorbellBufferConfig.rawValue
    configure.prp1 = FuzzGuest.address(page: pages.shadow)
    configure.prp2 = FuzzGuest.address(page: pages.eventIndex)
    for page in [pages.shadow, pages.eventIndex] { memset(FuzzMemory.page(page), 0, FuzzMemory.pageSize) }
    require(admin(configure)?.status.isSuccess ?? !host.isConnected, "doorbell buffers are refused")
    shadowPages = pages
  }

  /// Makes queue pairs in the pages of their own.
  func createQueues(_ identifiers: Range<UInt16>) {
    for identifier in identifiers {
      queues.append(FuzzQueue(identifier: identifier))
      let page = Int(identifier) * 2
      var create = SubmissionQueueEntry()
      create.cdw10 = UInt32(FuzzQueue.entries - 1) << 16 | UInt32(identifier)
      create.commandIdentifier = FuzzGuest.ownIdentifier
      create.opcode = AdminOpcode.createIOCompletionQueue.rawValue
      create.prp1 = FuzzGuest.address(page: page + 1)
      create.cdw11 = 1
      queues[0].push(create)
      create.opcode = AdminOpcode.createIOSubmissionQueue.rawValue
      create.prp1 = FuzzGuest.address(page: page)
      create.cdw11 = UInt32(identifier) << 16 | 1
      queues[0].push(create)
    }
    ring(0)
    var created = 0
    reap(0) { if $0.status.isSuccess { created += 1 } }
    require(created == 2 * identifiers.count || !host.isConnected, "a good driver does not get its queues")
  }

  // MARK: Commands

  /// An admin command of the model's own; its completion, nil where the controller has failed.
  func admin(_ entry: SubmissionQueueEntry) -> CompletionQueueEntry? {
    guard begin(entry) else { return nil }
    return finish()
  }

  /// Gives an admin command of the model's own.
  func begin(_ entry: SubmissionQueueEntry) -> Bool {
    guard !queues.isEmpty, !queues[0].isFull else { return false }
    var entry = entry
    entry.commandIdentifier = FuzzGuest.ownIdentifier
    queues[0].push(entry)
    ring(0)
    return true
  }

  /// The completion of the admin command that was begun; nil where there is none.
  func finish() -> CompletionQueueEntry? {
    var found: CompletionQueueEntry?
    reap(0) { if $0.commandIdentifier == FuzzGuest.ownIdentifier { found = $0 } }
    require(found != nil || !isReady, "an admin command that never completes")
    return found
  }

  func submit(_ entry: SubmissionQueueEntry, to index: Int) {
    guard index < queues.count, !queues[index].isFull else { return }
    switch NVMOpcode(rawValue: entry.opcode) {
    case .read, .compare, .verify, .flush: break
    default: FuzzDisk.noteWrites()
    }
    queues[index].push(entry)
  }

  /// Rings the tail doorbell of a queue, and lets the device work.
  func ring(_ index: Int) {
    guard index < queues.count else { return }
    store(queues[index].tail, at: queues[index].tailDoorbell, of: queues[index].identifier)
    host.work()
  }

  /// Stores a doorbell: in memory too, where the I/O queues have theirs; then only if the device asks for it.
  private func store(_ value: Int, at doorbell: UInt64, of identifier: UInt16) {
    if let (shadow, eventIndex) = shadowPages, identifier > 0 {
      let place = Int(doorbell - ControllerRegister.doorbellBase)
      let word = FuzzMemory.page(shadow) + place
      let old = word.load(as: UInt32.self)
      word.storeBytes(of: UInt32(value), as: UInt32.self)
      let event = (FuzzMemory.page(eventIndex) + place).load(as: UInt32.self)
      let new = UInt16(value)
      guard new &- UInt16(truncatingIfNeeded: event) &- 1 < new &- UInt16(truncatingIfNeeded: old) else { return }
    }
    write(doorbell, UInt64(value))
  }

  /// Whether something has completed and was not taken.
  func hasCompletion(_ index: Int) -> Bool { queues[index].hasCompletion }

  /// Takes what has completed, and rings the head doorbell.
  func reap(_ index: Int, _ body: (CompletionQueueEntry) -> Void = { _ in }) {
    guard index < queues.count else { return }
    var count = 0
    while let completion = queues[index].pop() {
      body(completion)
      count += 1
      require(count < 1024, "completions without end")
    }
    if count > 0 { store(queues[index].head, at: queues[index].headDoorbell, of: queues[index].identifier) }
  }

  /// Takes completions until every command has its own.
  func finish(_ index: Int, _ body: (CompletionQueueEntry) -> Void = { _ in }) {
    guard index < queues.count else { return }
    var rounds = 0
    while true {
      reap(index, body)
      if queues[index].inFlight == 0 { return }
      // A full completion queue goes on when the head has moved.
      host.work()
      rounds += 1
      if rounds > 4 {
        require(
          !isReady || !queues[index].isOrderly, "queue \(queues[index].identifier) has commands that never complete")
        return
      }
    }
  }

  /// This queue was deleted.
  func forgetQueue(_ identifier: UInt16) { queues.removeAll { $0.identifier == identifier } }

  /// The model of a queue, to change what it expects.
  func change(_ index: Int, _ body: (inout FuzzQueue) -> Void) { body(&queues[index]) }
}
